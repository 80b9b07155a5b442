/// What decisions choose among: the actions of a publication, the rules that hold for all of them,
/// and what has been learned of them.
#pragma once

#include "journeys/choice.hpp"
#include "journeys/definition.hpp"
#include "journeys/models/learned_rewards.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace journeys {

/// An action as `actions.yaml` has it. Its steps stand in the journeys that decide.
struct OfferedAction {
    Action action;
    std::optional<Expression> when;   ///< Its eligibility; nothing: always.
    std::string channel, surface;     ///< Where it is shown: exactly one of them is named.
    Duration cap_per{};               ///< The window of `action.cap`.
    std::optional<RewardRule> reward; ///< Its own; else that of all.
};

/// What no recommendation passes.
struct RecommendRules {
    std::vector<Expression> when;            ///< All must hold, of each product.
    std::optional<std::size_t> per_category; ///< At most so many of one category.
};

struct Offers {
    std::vector<OfferedAction> actions; ///< In order of priority.
    Guardrails guardrails;
    Duration discount_budget_per{}; ///< The window of `guardrails.discount_budget`.
    double floor = 0.05;            ///< Of exploration, for each action that may be taken.
    double holdout = 0;
    RewardRule reward{"Order Completed", std::chrono::hours{24 * 7}};

    RecommendRules recommend;

    std::uint64_t learned = 0; ///< The version of what follows; 0: nothing was learned yet.
    std::map<models::RewardKey, models::RewardPosterior> posteriors;
};

/// Works out the posteriors from the evidence and the priors that the actions have today.
void learn(Offers& offers, const models::LearnedRewards& learned);

/// Null where nothing was learned of it: then its prior counts.
const models::RewardPosterior* posterior_of(const Offers& offers, std::string_view action,
                                            std::string_view event);

} // namespace journeys
