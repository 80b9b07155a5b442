#include "journeys/choice.hpp"

#include "journeys/ids.hpp"

#include <algorithm>
#include <cmath>

namespace journeys {
namespace {

/// `12.50`; as money is written.
std::string amount(double value) { return Money::of(value).to_text(); }

std::string percent(double share) { return std::to_string(std::lround(share * 100)) + " %"; }

/// Empty: nothing speaks against it.
std::string refusal(const Candidate& candidate, const DecisionQuestion& question) {
    const auto& action = *candidate.action;
    const auto& rules = question.guardrails;
    if (!candidate.is_eligible) return "its condition is not met";
    if (question.is_given_unknown && (action.cap || action.is_discount()))
        return "what the customer was given before is not known while their records are parked";
    if (action.cap && candidate.times_taken >= *action.cap)
        return "taken " + std::to_string(candidate.times_taken) + " times, its cap";
    if (!action.is_discount()) return {};
    const auto& intent = question.context.intent;
    if (intent && *intent >= rules.would_buy_anyway)
        return "would buy anyway with " + percent(*intent) + ", from " +
               percent(rules.would_buy_anyway) + " on there is no discount";
    if (question.context.is_cart_foreign)
        return "a discount is measured by the cart's margin, and the cart is in another currency";
    if (!question.context.cart_value)
        return "a discount is measured by the cart's margin, and there is no cart";
    const double discount = discount_of(action, question.context).value_or(0);
    const double most = *question.context.cart_value * rules.margin * rules.discount_of_margin_max;
    if (!(discount <= most))
        return "a discount of " + amount(discount) + " is more than the margin allows, " +
               amount(most);
    if (rules.discount_budget && !(question.discount_given + discount <= *rules.discount_budget))
        return "a discount of " + amount(discount) + " and " + amount(question.discount_given) +
               " before pass the customer's budget of " + amount(*rules.discount_budget);
    return {};
}

/// Chances of being chosen for those that may be, by their beliefs.
std::vector<double> chances(const DecisionQuestion& question,
                            const std::vector<models::RewardBelief>& values) {
    std::vector<double> result(values.size(), 0);
    switch (question.policy) {
    case DecisionPolicy::fixed: result[0] = 1; return result;
    case DecisionPolicy::best: {
        const auto highest = std::ranges::max_element(values, {}, &models::RewardBelief::mean);
        result[static_cast<std::size_t>(highest - values.begin())] = 1;
        return result;
    }
    case DecisionPolicy::explore: break;
    }
    const auto count = static_cast<double>(values.size());
    const double floor = std::clamp(question.floor, 0.0, 1 / count);
    result = models::chances_to_be_best(values);
    for (auto& chance : result) chance = floor + (1 - count * floor) * chance;
    return result;
}

} // namespace

std::optional<double> discount_of(const Action& action, const models::DecisionContext& context) {
    if (action.discount_percent <= 0) return action.discount_amount;
    if (!context.cart_value) return std::nullopt;
    return action.discount_amount + *context.cart_value * action.discount_percent / 100;
}

std::string_view to_text(DecisionPolicy policy) {
    switch (policy) {
    case DecisionPolicy::fixed: return "fixed";
    case DecisionPolicy::best: return "best";
    case DecisionPolicy::explore: return "explore";
    }
    return {};
}

std::optional<DecisionPolicy> parse_policy(std::string_view text) {
    using enum DecisionPolicy;
    for (const auto policy : {fixed, best, explore})
        if (to_text(policy) == text) return policy;
    return std::nullopt;
}

Choice choose(const DecisionQuestion& question) {
    Choice choice;
    const auto features = models::features_of(question.context);
    if (question.context.is_cart_foreign)
        choice.reasons.emplace_back("The cart is in another currency than the workspace's, so what "
                                    "it is worth is not known.");
    std::vector<std::size_t> allowed;
    std::vector<models::RewardBelief> values;
    for (std::size_t i = 0; i < question.candidates.size(); ++i) {
        const auto& candidate = question.candidates[i];
        const auto& action = *candidate.action;
        const auto belief = candidate.posterior
                                ? candidate.posterior->belief(features)
                                : models::RewardPosterior{action.prior}.belief(features);
        // A discount is given only where there is an order to give it on.
        const double gain = action.value - discount_of(action, question.context).value_or(0);
        choice.scores.push_back({action.id, refusal(candidate, question), belief.mean,
                                 belief.mean * gain - action.cost, 0});
        if (i >= actions_max) choice.scores.back().refused = "too many actions to weigh";
        if (!choice.scores.back().refused.empty()) continue;
        allowed.push_back(i);
        values.push_back({choice.scores.back().score, belief.deviation * std::abs(gain)});
    }
    if (question.holdout > 0 && sticky_fraction(question.seed, question.customer, "decisions",
                                                "holdout") < question.holdout) {
        choice.is_held_out = true;
        choice.reasons.emplace_back("The customer is held out, so that decisions can be measured.");
        return choice;
    }
    for (const auto& score : choice.scores)
        if (!score.refused.empty())
            choice.reasons.push_back(score.id + " is left out: " + score.refused + '.');
    if (allowed.empty()) {
        choice.reasons.emplace_back("No action may be taken.");
        return choice;
    }

    if (question.policy != DecisionPolicy::fixed &&
        std::ranges::none_of(values, [](const auto& value) { return value.mean > 0; })) {
        const auto least_bad = std::ranges::max_element(values, {}, &models::RewardBelief::mean);
        const auto& score =
            choice.scores[allowed[static_cast<std::size_t>(least_bad - values.begin())]];
        choice.reasons.push_back("Nothing is worth more than it costs: " + score.id +
                                 " is expected to bring " + amount(score.score) + '.');
        return choice;
    }

    const auto odds = chances(question, values);
    const double fraction = sticky_fraction(question.seed, question.decision_key, "decide");
    double upper = 0;
    std::size_t taken = allowed.size();
    for (std::size_t i = 0; i < allowed.size(); ++i) {
        choice.scores[allowed[i]].chance = odds[i];
        upper += odds[i];
        if (taken == allowed.size() && odds[i] > 0 && fraction < upper) taken = i;
    }
    if (taken == allowed.size()) // The odds add up to 1 but for rounding.
        taken = static_cast<std::size_t>(std::ranges::max_element(odds) - odds.begin());

    const auto& score = choice.scores[allowed[taken]];
    choice.chosen = allowed[taken];
    choice.propensity = odds[taken];
    switch (question.policy) {
    case DecisionPolicy::fixed:
        choice.reasons.push_back(score.id + " is the first that may be taken.");
        break;
    case DecisionPolicy::best:
        choice.reasons.push_back(score.id + " is worth most: " + amount(score.score) + ", with " +
                                 percent(score.reward) + " to succeed.");
        break;
    case DecisionPolicy::explore:
        choice.reasons.push_back(score.id + " was drawn with a chance of " + percent(score.chance) +
                                 "; it is expected to bring " + amount(score.score) + '.');
        break;
    }
    return choice;
}

} // namespace journeys
