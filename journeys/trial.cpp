#include "journeys/trial.hpp"

#include "journeys/engine.hpp"
#include "journeys/engine/turn.hpp"

#include <algorithm>
#include <utility>

namespace journeys {
namespace {

/// A run comes to an end by itself; a journey that goes round by events made here would not.
constexpr int moves_max = 1'000;

class Trial {
public:
    Trial(Customer& customer, const Catalog& catalog, const TrialHooks& hooks)
        : customer_(customer), catalog_(catalog), hooks_(hooks) {}

    std::optional<NoEntry> enter(const Event& event, const Journey& journey) {
        Effects effects;
        {
            engine::Turn turn{customer_, catalog_, effects};
            if (const auto why = turn.enter_for_trial(event, journey)) return why;
        }
        at_ = event.time;
        perform(std::move(effects));
        return std::nullopt;
    }

    void follow() {
        for (int i = 0; i < moves_max && !customer_.runs.empty(); ++i) {
            // With `each` there are several.
            const auto due = std::ranges::min_element(customer_.runs, {}, &Run::due)->due;
            if (due == no_time || !hooks_.wait(due)) return;
            at_ = std::max(at_, due);
            Effects effects;
            fire(customer_, due, catalog_, effects);
            perform(std::move(effects));
        }
    }

private:
    void perform(Effects effects) {
        std::vector<IntentOpened> opened;
        for (auto& effect : effects) {
            if (const auto* line = std::get_if<TimelineEntry>(&effect)) hooks_.say(*line);
            if (auto* intent = std::get_if<IntentOpened>(&effect))
                opened.push_back(std::move(*intent));
        }
        for (const auto& intent : opened) hand_over_now(intent);
    }

    void hand_over_now(const IntentOpened& intent) {
        Effects effects;
        const auto answer = hand_over(customer_, intent.id, at_, catalog_, effects);
        const auto grant = std::ranges::find_if(effects, [](const Effect& effect) {
            return std::holds_alternative<IntentGranted>(effect);
        });
        if (answer.verdict != HandOver::Verdict::grant || grant == effects.end())
            return perform(std::move(effects));
        const auto granted = std::get<IntentGranted>(*grant);
        perform(std::move(effects));
        Record outcome;
        outcome.accepted_at = std::max(customer_.accepted_at, at_);
        outcome.customer = customer_.id;
        outcome.body = Settled{intent.id, hooks_.deliver(intent, granted), {}};
        Effects settled;
        apply(customer_, outcome, catalog_, settled);
        perform(std::move(settled));
    }

    Customer& customer_;
    const Catalog& catalog_;
    const TrialHooks& hooks_;
    Timestamp at_{};
};

} // namespace

CatalogPtr trial_catalog(const Catalog& catalog, const Journey& journey) {
    auto settings = catalog.settings();
    settings.all_live = settings.assume_permission = true;
    settings.holdout = 0;
    auto alone = std::make_shared<Journey>(journey);
    alone->holdout = 0;
    return std::make_shared<const Catalog>(
        catalog.publication() ^ 1, std::move(settings), std::vector<JourneyPtr>{std::move(alone)},
        std::vector<JourneyPtr>{}, catalog.templates(), catalog.model_set(), catalog.lookups(),
        catalog.offers(), catalog.recommendations(), catalog.coupons());
}

std::optional<NoEntry> try_journey(Customer customer, const Event& event, const Catalog& catalog,
                                   const Journey& journey, const TrialHooks& hooks) {
    // Nothing else that the person is in the middle of has a part in this.
    customer.runs.clear();
    customer.dates.clear();
    customer.lifecycle.due = no_time;
    customer.session.end_announced = true;
    customer.publication = catalog.publication();
    customer.now = std::max(customer.now, event.time);
    Trial trial{customer, catalog, hooks};
    if (const auto why = trial.enter(event, journey)) return why;
    trial.follow();
    return std::nullopt;
}

} // namespace journeys
