/// A customer's timeline as JSON lines: what `simulate` prints and the customer's page shows.
#pragma once

#include "journeys/customer.hpp"
#include "journeys/effect.hpp"

#include <string>

namespace schema {

/// Whether `simulate` prints entries of this kind: enter exit send suppress decide update call goal
/// end.
bool is_simulated(journeys::EntryKind kind);

/// `{"at","customer","journey","version","key","kind","step","channel","template","topic","reason","until",
/// "intent","data"}`, in this order, without what is empty, without the line's end.
std::string to_json_line(const journeys::CustomerId& customer,
                         const journeys::TimelineEntry& entry);

} // namespace schema
