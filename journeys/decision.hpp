/// The next best action for one customer: which of the shop's actions are candidates, what is known
/// of the customer, and what they have had before. `choose` then weighs them.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/choice.hpp"
#include "journeys/customer.hpp"
#include "journeys/environment.hpp"
#include "journeys/offers.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace journeys {

struct DecisionRequest {
    DecisionPolicy policy = DecisionPolicy::best;
    std::string_view surface;           ///< Empty: any; channels where `only` names them.
    std::span<const std::string> only;  ///< Ids; empty: all.
    std::string_view key;               ///< Of run and step, or of the request.
    const RewardRule* reward = nullptr; ///< Null: the action's own, else that of all.
    bool is_held_out = false;           ///< By the journey: nothing is done.
    std::string_view context{};         ///< Packed; what the shop says, for conditions alone.
    /// The customer's records are parked, and this decision will be: no cap or budget counts it.
    bool is_parked = false;
};

struct Decision {
    Choice choice;
    std::vector<const OfferedAction*> candidates; ///< As `choice.scores` has them; of the offers.
    const OfferedAction* taken = nullptr;         ///< Null: do nothing.
    double discount = 0;                          ///< What taking it gives away.
    models::DecisionContext context;
    RewardRule reward; ///< What would be its success; an empty event: nothing is waited for.
};

/// What a decision looks at. Without a cart that still can be ordered there is no cart's value.
models::DecisionContext decision_context(const Customer& customer, const Catalog& catalog,
                                         Timestamp now);

/// Caps and budget count what the customer was given by the `Action Decided` events that were
/// applied to them (`given_since`), however often nothing or something else was decided.
Decision decide(const Offers& offers, const Customer& customer, const Catalog& catalog,
                Timestamp now, const DecisionRequest& request);

/// The event by which a customer remembers a decision. It is nobody's visit.
inline constexpr std::string_view action_decided = "Action Decided";
/// How far back it is remembered: no window of a cap or budget is longer.
inline constexpr Duration decisions_kept = std::chrono::hours{24 * 400};

/// Its properties, packed: `decision_id`, `action` (null where nothing was done), `discount`,
/// `surface`, `policy`, `propensity`, `held_out`, `model`, `learned` (the versions), `reasons`,
/// `reward` and `within_ms` where a success is waited for, `context` where the shop gave one, and
/// each feature by its name.
std::string decision_properties(const Decision& decision, const DecisionRequest& request,
                                const Catalog& catalog);

} // namespace journeys
