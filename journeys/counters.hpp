/// How often and when last: exact for the newest occurrences, by hour before them.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/event.hpp"

namespace journeys {

/// Counts `event` where some journey counts its name, at its own time, however late it arrives. An
/// order that several producers tell of (`Order Completed` of one order_id, among the 64 newest)
/// counts once, at the earliest of their times.
void observe_counters(Customer& customer, const Event& event, const Catalog& catalog);

/// Remembers `event` where it is the newest of a name that some exit, wait or goal mentions.
void observe_newest(Customer& customer, const Event& event, const Catalog& catalog);

/// What two customers counted and saw last, in one.
void unite_counters(Customer& winner, Customer& loser);

} // namespace journeys
