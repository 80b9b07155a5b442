/// The chance of an order in the session under way, from what is known at the moment.
#pragma once

#include "journeys/customer.hpp"
#include "journeys/models/logistic.hpp"

#include <string>
#include <vector>

namespace journeys {

/// One feature of a session: its name, and what it is; for the reference and for model files.
struct IntentFeature {
    std::string name, doc;
};
/// In the order of their numbers.
const std::vector<IntentFeature>& intent_features();

/// Those of the customer's session as of `now`, by rising number; zeros are left out. Nothing in
/// them lies in the future of `now`, so a live session and a replayed one have the same.
std::vector<models::Feature> intent_features_of(const Customer& customer, Timestamp now);

/// 0 before the first session, and when it has ended: `idle` after its last event.
double intent_of(const models::Logistic& model, const Customer& customer, Timestamp now,
                 Duration idle);

} // namespace journeys
