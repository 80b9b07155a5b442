/// Lines of a timeline of which only the newest is kept: an event that opened no run of a journey,
/// and the wait in which a run stands, or has begun anew. They come with nearly every event, so
/// they stand in the customer's state and not in rows of their own.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/effect.hpp"

#include <vector>

namespace journeys {

/// Whether lines of this kind are found by `newest_lines`, and nowhere else.
bool is_in_state(EntryKind kind);

/// Such lines of `customer`, oldest first. A condition has the line on which it stands now.
std::vector<TimelineEntry> newest_lines(const Customer& customer, const Catalog& catalog);

TimelineEntry line_of(const Refusal& refusal);

/// The condition that kept the customer out, in the version that did; null: it was another reason,
/// or the version is not known any more.
const Expression* unmet_condition(const TimelineEntry& entry, const Catalog& catalog);

/// In place of the one before of that journey. Beyond the bound the oldest goes.
void remember(Customer& customer, const Refusal& refusal);

} // namespace journeys
