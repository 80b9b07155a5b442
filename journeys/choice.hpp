/// Which action to take: guardrails first, then a policy over what is left. Says why in words, what
/// each action was worth, and with which probability the chosen one was chosen, without which no
/// other policy can be judged from the log.
#pragma once

#include "journeys/models/reward_model.hpp"
#include "journeys/money.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace journeys {

/// More actions than these are never weighed against each other.
inline constexpr std::size_t actions_max = 16;

/// An action as `actions.yaml` has it, without its eligibility and steps.
struct Action {
    std::string id;
    double value = 0;                 ///< Of one reward, in the workspace's currency.
    double cost = 0;                  ///< Of taking the action, whatever comes of it.
    double discount_percent = 0;      ///< Of the cart, 0 to 100.
    double discount_amount = 0;       ///< Beside it, a fixed sum.
    std::optional<std::uint32_t> cap; ///< The most times that one customer gets it.
    models::RewardPrior prior;

    bool is_discount() const { return discount_percent > 0 || discount_amount > 0; }
};

/// What the customer would be given; nothing where it hangs on a cart and there is none.
std::optional<double> discount_of(const Action& action, const models::DecisionContext& context);

/// What no policy may pass.
struct Guardrails {
    double margin = 0.3;                 ///< What the shop earns of a cart's value, 0 to 1.
    double discount_of_margin_max = 0.5; ///< The share of it that may be given away.
    double would_buy_anyway = 0.7; ///< No discount for who orders with this chance or a higher one.
    std::optional<double> discount_budget; ///< Of one customer; who counts it says over which time.
};

/// An action for this customer, now.
struct Candidate {
    const Action* action = nullptr;
    bool is_eligible = true; ///< By its own expression.
    std::uint32_t times_taken = 0;
    const models::RewardPosterior* posterior = nullptr; ///< Null: its prior.
};

enum class DecisionPolicy : std::uint8_t {
    fixed,   ///< The first that may be taken.
    best,    ///< The highest expected value; of equal ones the first.
    explore, ///< Each as often as it may well be the best (Thompson sampling).
    // Where none of them is expected to bring more than it costs both do nothing.
};
std::string_view to_text(DecisionPolicy policy);
std::optional<DecisionPolicy> parse_policy(std::string_view text);

struct DecisionQuestion {
    DecisionPolicy policy = DecisionPolicy::best;
    std::span<const Candidate> candidates; ///< At most `actions_max`; in order of priority.
    models::DecisionContext context;
    Guardrails guardrails;
    double discount_given = 0; ///< What this customer has had of the budget.
    /// What this customer has had is not known: nothing with a cap, and no discount.
    bool is_given_unknown = false;
    /// With `explore` each action that may be taken is, at least with this chance; as far as they
    /// all can be.
    double floor = 0.05;
    double holdout = 0;            ///< The share of customers for whom nothing is done, 0 to 1.
    std::uint64_t seed = 0;        ///< Of the workspace.
    std::string_view customer;     ///< The holdout hangs on it, the same in every decision.
    std::string_view decision_key; ///< Of run and step, or of the request: a replay draws the same.
};

struct ActionScore {
    std::string id;
    std::string refused; ///< Why it may not be taken; empty: it may.
    double reward = 0;   ///< Expected, 0 to 1.
    double score = 0;    ///< reward × value − cost − reward × discount.
    double chance = 0;   ///< Of being chosen.
};

struct Choice {
    std::optional<std::size_t> chosen; ///< Of the candidates; nothing: do nothing.
    double propensity = 1;             ///< Above 0.
    /// Because the customer is held out. No chance of this decision's: the propensity is 1, and
    /// such lines are what the others are compared with, not evidence about a policy.
    bool is_held_out = false;
    std::vector<std::string> reasons; ///< Whole sentences.
    std::vector<ActionScore> scores;  ///< One for each candidate.
};

Choice choose(const DecisionQuestion& question);

} // namespace journeys
