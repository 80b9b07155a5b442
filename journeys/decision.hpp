/// The next best action for one customer: which of the shop's actions are candidates, what is known
/// of the customer, and what they have had before. `choose` then weighs them.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/choice.hpp"
#include "journeys/customer.hpp"
#include "journeys/environment.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace journeys {

/// An action as `actions.yaml` has it, without its steps.
struct OfferedAction {
    Action action;
    std::optional<Expression> when; ///< Its eligibility; nothing: always.
    std::string channel, surface;   ///< Where it is shown: exactly one of them is named.
    Duration cap_per{};             ///< The window of `action.cap`.
};

/// All actions of a publication, and the rules that hold for all of them.
struct Offers {
    std::vector<OfferedAction> actions; ///< In order of priority.
    Guardrails guardrails;
    Duration discount_budget_per{}; ///< The window of `guardrails.discount_budget`.
    double floor = 0.05;            ///< Of exploration, for each action that may be taken.
    double holdout = 0;
};

struct DecisionRequest {
    DecisionPolicy policy = DecisionPolicy::best;
    std::string_view surface;          ///< Empty: any, and channels too.
    std::span<const std::string> only; ///< Ids; empty: all.
    std::string_view key;              ///< Of run and step, or of the request.
};

struct Decision {
    Choice choice;
    std::vector<const OfferedAction*> candidates; ///< As `choice.scores` has them; of the offers.
    const OfferedAction* taken = nullptr;         ///< Null: do nothing.
    double discount = 0;                          ///< What taking it gives away.
    models::DecisionContext context;
};

/// What a decision looks at. Without a cart that still can be ordered there is no cart's value.
models::DecisionContext decision_context(const Customer& customer, const Catalog& catalog,
                                         Timestamp now);

/// Caps and budget count the `Action Decided` events that were applied to the customer. The newest
/// 64 are known one by one; what lies before them counts, within its window, against every capped
/// action, and uses the budget up.
Decision decide(const Offers& offers, const Customer& customer, const Catalog& catalog,
                Timestamp now, const DecisionRequest& request);

/// The event by which a customer remembers a decision. It is nobody's visit.
inline constexpr std::string_view action_decided = "Action Decided";
/// How far back it is remembered: no window of a cap or budget is longer.
inline constexpr Duration decisions_kept = std::chrono::hours{24 * 400};

/// Its properties, packed: `decision_id`, `action` (null where nothing was done), `discount`,
/// `surface`, `policy`, `propensity`, `held_out`, `model`, and each feature by its name.
std::string decision_properties(const Decision& decision, const DecisionRequest& request,
                                const Catalog& catalog);

} // namespace journeys
