/// What a terminal shows of a customer: who they are, what is open, what happened and why, and what
/// comes next. In 100 columns, times in the customer's zone, amounts as their locale writes them.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "runtime/archive.hpp"

#include <string>
#include <vector>

namespace runtime {

/// Who, reach, cart and open runs: a few lines.
std::string customer_text(const journeys::Customer& customer, const journeys::Catalog& catalog,
                          journeys::Timestamp now);

/// A line for each of `rows`, under the day that it was, and behind them what comes next.
/// `outcomes`: what became of the messages among them.
std::string timeline_text(const std::vector<TimelineRow>& rows,
                          const std::vector<MessageOutcome>& outcomes,
                          const journeys::Customer& customer, const journeys::Catalog& catalog,
                          journeys::Timestamp now);

/// `5 h 12 m`, `41 days`; the absolute value.
std::string span_text(journeys::Duration span);

} // namespace runtime
