/// What messages say of the person: traits, and zone, locale and country of traits or context.
#pragma once

#include "journeys/customer.hpp"
#include "journeys/event.hpp"

#include <string>
#include <vector>

namespace journeys {

/// Lays the message's traits over the customer's (null removes) and returns the names whose value
/// changed. A message older than the newest with traits only fills gaps. A group's traits are the
/// group's, and `marketing_consent` is kept as consent.
std::vector<std::string> observe_traits(Customer& customer, const Event& event);

/// Zone, locale and country: the newest word counts; of one message the trait before the context.
void observe_place(Customer& customer, const Event& event, bool late);

/// The union of both: the newer message's word counts.
void unite_traits(Customer& winner, const Customer& loser);

} // namespace journeys
