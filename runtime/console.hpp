/// One line for every message that goes out or is held back: who, which journey, why. For
/// terminals.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/effect.hpp"

#include <string>

namespace runtime {

/// `Mon 19:47  sent      otto-3  cart-abandon › first-touch  email cart-reminder`; empty for
/// entries that are no trigger. Times are of `zone`.
std::string trigger_line(const journeys::CustomerId& customer, const journeys::TimelineEntry& entry,
                         std::string_view zone);

/// A line of a customer's timeline, for people.
std::string timeline_line(const journeys::TimelineEntry& entry, std::string_view zone,
                          journeys::Timestamp now);

/// What happened in a word or two, where, and what is to be said of it, as it came: not yet for a
/// terminal. The verb is never empty.
std::string_view entry_verb(journeys::EntryKind kind);
std::string entry_place(const journeys::TimelineEntry& entry);
std::string entry_detail(const journeys::TimelineEntry& entry);

/// What is said of an entry, without time and customer: `sent      cart-abandon › first-touch email
/// cart-1`.
std::string entry_text(const journeys::TimelineEntry& entry);

} // namespace runtime
