/// What a terminal shows of a customer: who they are, what is open, what happened and why, and what
/// comes next. In 100 columns, times in the customer's zone, amounts as their locale writes them.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "runtime/archive.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

/// Whether an address of a kind (`email`, `phone`, …) must not be written to, whoever it belongs
/// to.
using AddressCheck = std::function<bool(std::string_view kind, std::string_view address)>;

/// Who, reach, cart and open runs: a few lines. `is_suppressed` is what is asked last of all when
/// something is sent.
std::string customer_text(const journeys::Customer& customer, const journeys::Catalog& catalog,
                          journeys::Timestamp now, const AddressCheck& is_suppressed);

/// A line for each of `rows`, under the day that it was, and behind them what comes next.
/// `outcomes`: what became of the messages among them.
std::string timeline_text(const std::vector<TimelineRow>& rows,
                          const std::vector<MessageOutcome>& outcomes,
                          const journeys::Customer& customer, const journeys::Catalog& catalog,
                          journeys::Timestamp now);

/// `5 h 12 m`, `41 days`; the absolute value.
std::string span_text(journeys::Duration span);

} // namespace runtime
