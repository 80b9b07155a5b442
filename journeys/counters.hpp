/// How often and when last: exact for the newest occurrences, by hour before them; beyond 31 days
/// by spans that are the longer, the longer they are past, where there are more than so many hours.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/event.hpp"

namespace journeys {

/// Counts `event` where some journey counts its name, at its own time, however late it arrives. An
/// order that several producers tell of (`Order Completed` of one order_id, among the 64 newest)
/// counts once, at the earliest of their times.
void observe_counters(Customer& customer, const Event& event, const Catalog& catalog);

/// Of the decisions that a customer was given something by (`Action Decided`) each action with a
/// cap has a counter of its own, named by this, and so have all discounts together, by no action.
/// The hours of the latter hold hundredths, rounded up. No producer's event can have such a name.
std::string given_counter(std::string_view action);

/// What the customer was given since an instant (which does not count itself): exact for the newest
/// 64 of the counter, and never less before them, where an hour counts whole as soon as the window
/// reaches into it.
struct Given {
    std::int64_t times = 0;
    double discounts = 0;
};
/// `action` empty: discounts of all. A state from before such counters is read by its newest 64
/// decisions.
Given given_since(const Customer& customer, Timestamp since, std::string_view action);

/// Remembers `event` where it is the newest of a name that some exit, wait or goal mentions.
void observe_newest(Customer& customer, const Event& event, const Catalog& catalog);

/// What two customers counted and saw last, in one.
void unite_counters(Customer& winner, Customer& loser);

} // namespace journeys
