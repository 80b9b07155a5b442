/// A visit: what the person looked at until they went idle.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/event.hpp"

#include <optional>

namespace journeys {

/// Takes `event` into the session, or begins a new one. Returns the `Session Ended` of the session
/// before it, where some journey asks for it and it was not made yet. Late events count in the
/// session that they fall into and do not extend it. What a shop or a provider reports later
/// (refunds, deliveries) is nobody's visit, and an `identify` alone begins none.
std::optional<Event> observe_session(Customer& customer, const Event& event,
                                     const Catalog& catalog);

/// The later session stays; one that it overlaps counts as part of it.
void unite_sessions(Customer& winner, Customer& loser, Duration idle);

} // namespace journeys
