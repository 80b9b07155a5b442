#include "journeys/engine/turn.hpp"

#include "journeys/profile.hpp"

#include <algorithm>

namespace journeys::engine {
namespace {

constexpr auto history_settles = std::chrono::minutes{5};

/// Names a journey's opening by one silence: the same however often it is replayed, and after an
/// order that was cancelled again.
std::uint64_t silence_of(const Journey& journey, std::int32_t last_day) {
    return hash(journey.id, static_cast<std::uint64_t>(static_cast<std::uint32_t>(last_day)));
}

bool has_entered(const Lifecycle& life, std::uint64_t silence) {
    return std::ranges::find(life.entered_by_risk, silence) != life.entered_by_risk.end();
}

/// What a run keeps of why it was opened, the version of the models among it.
std::string risk_properties(double risk, double threshold, std::uint64_t models) {
    PackedWriter writer;
    const auto mark = writer.begin_map();
    writer.key("risk");
    writer.floating(risk);
    writer.key("threshold");
    writer.floating(threshold);
    writer.key("models");
    writer.string(version_text(models));
    writer.end_map(mark, 3);
    return writer.take();
}

} // namespace

void Turn::review_lifecycle(Timestamp at, std::string_view cause) {
    const auto* const models = catalog.models();
    auto& life = customer.lifecycle;
    if (!models) {
        life.due = no_time;
        return;
    }
    const auto& purchases = customer.purchases;
    const auto last_day = purchases.empty() ? 0 : purchases.days.back().day;
    const bool purchased = !purchases.empty() && (life.last_day == 0 || last_day > life.last_day);
    life.last_day = last_day;

    const auto& policy = catalog.settings().stages;
    const auto before = life.stage;
    const bool is_first = life.since == Timestamp{};
    life.stage = stage_at(*models, purchases, policy, at, before, purchased);
    life.vip = is_valued(*models, catalog.settings().currency, customer.currency) &&
               is_vip(*models, purchases, at, life.vip);
    if (is_first) life.since = at;
    if (life.stage != before) {
        life.since = at;
        TimelineEntry line{.kind = EntryKind::stage};
        line.at = at;
        line.reason = std::string{to_text(before)} + " → " + std::string{to_text(life.stage)} +
                      " (" + std::string{cause} + ')';
        line.version = models->version;
        say(std::move(line));
        announce("Stage Changed",
                 packed_texts(
                     {{"from", to_text(before)}, {"to", to_text(life.stage)}, {"cause", cause}}));
    }

    enter_by_risk(at);
    life.due = next_stage_at(*models, purchases, policy, at);
    for (const auto* journey : catalog.entered_by_risk()) {
        if (has_entered(life, silence_of(*journey, last_day))) continue;
        if (const auto rises = rises_at(*models, purchases, *journey->enter.on_churn_risk))
            life.due = std::min(life.due, std::max(*rises, at));
    }
    rearm_risk_waits();
}

void Turn::review_lifecycle_later(Timestamp at) {
    if (catalog.models())
        customer.lifecycle.due = std::min(customer.lifecycle.due, at + history_settles);
}

void Turn::enter_by_risk(Timestamp at) {
    const auto* const models = catalog.models();
    auto& life = customer.lifecycle;
    for (const auto* journey : catalog.entered_by_risk()) {
        const auto silence = silence_of(*journey, life.last_day);
        if (has_entered(life, silence)) continue;
        const auto threshold = *journey->enter.on_churn_risk;
        const auto rises = rises_at(*models, customer.purchases, threshold);
        if (!rises || *rises > at) continue;
        // Once in each silence, whether it lets them in or not.
        life.entered_by_risk.push_back(silence);
        if (life.entered_by_risk.size() > bounds::entered_by_risk)
            life.entered_by_risk.erase(life.entered_by_risk.begin());
        const auto risk = models->purchases.churn_risk(customer.purchases.history(at));
        const auto made =
            make_event(customer, "Churn Risk Rose",
                       risk_properties(risk, threshold, models->version), at, silence);
        const auto* const applied = std::exchange(event, &made);
        const auto allowed = std::exchange(entries_left_, entries_per_event);
        meet_entry(made, *journey, false, false);
        entries_left_ = allowed;
        event = applied;
    }
}

void Turn::meet_models(Timestamp at) {
    now = std::max(customer.now, at);
    cause_ = hash("publication", catalog.publication());
    entries_left_ = entries_per_event;
    look_before();
    review_lifecycle(now, "models");
    meet_what_was_made();
    enter_what_became_true();
    arm_dates(now);
}

std::optional<Timestamp> Turn::risk_wait_due(const Run& run, const WaitUntilRisk& wait) const {
    const auto* const models = catalog.models();
    if (!models) return std::nullopt;
    const auto rises = rises_at(*models, customer.purchases, wait.risk);
    if (!rises) return std::nullopt;
    return std::max(*rises, run.base);
}

void Turn::rearm_risk_waits() {
    for (auto& run : customer.runs) {
        const auto* journey = journey_of(run);
        if (!journey || run.step >= journey->steps.size()) continue;
        const auto& step = journey->steps[run.step];
        const auto* wait = std::get_if<WaitUntilRisk>(&step.action);
        if (!wait) continue;
        const auto due = std::min(risk_wait_due(run, *wait).value_or(no_time), run.wait_limit);
        if (due == run.due) continue;
        run.due = due;
        auto line = entry(EntryKind::restart, run);
        line.step = step.path;
        line.until = due;
        say(std::move(line));
    }
}

} // namespace journeys::engine
