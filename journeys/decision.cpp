#include "journeys/decision.hpp"

#include "journeys/counters.hpp"
#include "journeys/ids.hpp"
#include "journeys/intent.hpp"
#include "journeys/profile.hpp"

#include <algorithm>
#include <limits>

namespace journeys {
namespace {

/// Of a decision's reasons so many are kept.
constexpr std::size_t reasons_max = 20;

} // namespace

models::DecisionContext decision_context(const Customer& customer, const Catalog& catalog,
                                         Timestamp now) {
    models::DecisionContext context;
    const auto* cart = current_cart(customer);
    if (cart && !cart->ordered && !cart->is_empty() && !cart->mixed_currencies) {
        context.is_cart_foreign = !is_same_currency(catalog.settings().currency, cart->currency);
        if (!context.is_cart_foreign) context.cart_value = cart->value().to_double();
    }
    context.orders = customer.order_count;
    if (const auto* models = catalog.models(); models && !customer.purchases.empty())
        context.churn_risk = models->purchases.churn_risk(customer.purchases.history(now));
    if (const auto* model = catalog.intent())
        context.intent = intent_of(*model, customer, now, catalog.settings().session_idle);
    context.is_vip = catalog.models() && customer.lifecycle.vip;
    return context;
}

Decision decide(const Offers& offers, const Customer& customer, const Catalog& catalog,
                Timestamp now, const DecisionRequest& request) {
    Decision decision;
    decision.context = decision_context(customer, catalog, now);
    static thread_local Evaluator evaluator; // Scratch memory that stays warm, and nothing else.
    evaluator.look_at({.customer = &customer,
                       .now = now,
                       .received_at = now,
                       .catalog = &catalog,
                       .context = request.context});
    const auto rule_of = [&](const OfferedAction& offered) -> const RewardRule& {
        return request.reward ? *request.reward : offered.reward ? *offered.reward : offers.reward;
    };
    std::vector<Candidate> candidates;
    for (const auto& offered : offers.actions) {
        const bool is_asked_for = request.surface.empty()
                                      ? !request.only.empty() || !offered.surface.empty()
                                      : offered.surface == request.surface;
        if (!is_asked_for) continue;
        if (!request.only.empty() &&
            std::ranges::find(request.only, offered.action.id) == request.only.end())
            continue;
        Candidate candidate;
        candidate.action = &offered.action;
        candidate.is_eligible = !offered.when || evaluator.is_met(*offered.when);
        if (offered.action.cap)
            candidate.times_taken = static_cast<std::uint32_t>(std::min<std::int64_t>(
                given_since(customer, now - offered.cap_per, offered.action.id).times,
                std::numeric_limits<std::uint32_t>::max()));
        candidate.posterior = posterior_of(offers, offered.action.id, rule_of(offered).event);
        candidates.push_back(candidate);
        decision.candidates.push_back(&offered);
    }

    DecisionQuestion question;
    question.policy = request.policy;
    question.candidates = candidates;
    question.context = decision.context;
    question.guardrails = offers.guardrails;
    if (offers.guardrails.discount_budget)
        question.discount_given =
            given_since(customer, now - offers.discount_budget_per, {}).discounts;
    question.is_given_unknown = request.is_parked;
    question.floor = offers.floor;
    question.holdout = request.is_held_out ? 1 : offers.holdout;
    question.seed = catalog.settings().seed;
    const auto id = to_text(customer.id);
    question.customer = id;
    question.decision_key = request.key;
    decision.choice = choose(question);
    decision.reward = request.reward ? *request.reward : offers.reward;
    if (decision.choice.chosen) {
        decision.taken = decision.candidates[*decision.choice.chosen];
        decision.reward = rule_of(*decision.taken);
        decision.discount = discount_of(decision.taken->action, decision.context).value_or(0);
    }
    return decision;
}

std::string decision_properties(const Decision& decision, const DecisionRequest& request,
                                const Catalog& catalog) {
    PackedWriter writer;
    std::size_t entries = 0;
    const auto key = [&](std::string_view name) {
        writer.key(name);
        ++entries;
    };
    const auto mark = writer.begin_map();
    key("decision_id");
    writer.string(request.key);
    key("action");
    if (decision.taken)
        writer.string(decision.taken->action.id);
    else
        writer.null();
    key("discount");
    writer.floating(decision.discount);
    key("surface");
    writer.string(request.surface);
    key("policy");
    writer.string(to_text(request.policy));
    key("propensity");
    writer.floating(decision.choice.propensity);
    key("held_out");
    writer.boolean(decision.choice.is_held_out);
    key("model");
    const auto& models = catalog.model_set();
    writer.string(models ? to_hex(0, models->version).substr(16) : "");
    key("learned");
    const auto learned = catalog.offers()->learned;
    writer.string(learned ? version_text(learned) : "");
    key("reasons");
    const auto list = writer.begin_list();
    const auto& reasons = decision.choice.reasons;
    // The last one says what was done.
    const auto kept = std::min(reasons.size(), reasons_max);
    for (auto reason = reasons.end() - static_cast<std::ptrdiff_t>(kept); reason != reasons.end();
         ++reason)
        writer.string(*reason);
    writer.end_list(list, kept);
    if (!decision.reward.event.empty()) {
        key("reward");
        writer.string(decision.reward.event);
        key("within_ms");
        writer.integer(decision.reward.within.count());
    }
    if (!request.context.empty()) {
        key("context");
        writer.value(PackedView{request.context});
    }
    const auto features = models::features_of(decision.context);
    for (std::size_t i = 0; i < features.size(); ++i) {
        key(models::decision_feature_names[i]);
        writer.floating(features[i]);
    }
    writer.end_map(mark, entries);
    return writer.take();
}

} // namespace journeys
