/// What one flush writes, in SQL. The store decides when, over which connection, and what after a
/// failure.
#pragma once

#include "actors/ports.hpp"
#include "runtime/postgres/connection.hpp"
#include "runtime/postgres/log_codec.hpp"

#include <memory>
#include <vector>

namespace runtime {

using FlushRequests = std::vector<std::shared_ptr<const actors::FlushRequest>>;

struct FlushAnswers {
    FlushRequests fenced; ///< Their partition has another owner; nothing of them was written.
    bool moves = false;   ///< Something waits in `transfers`.
};

/// Writes `requests` in one transaction: all of them or nothing. Those of one partition are in the
/// order of their sequence. A request that was committed before is recognised by its sequence and
/// passed over. `now` is service time. An error with `connection.is_lost()`: it may have been
/// committed.
journeys::Result<FlushAnswers> write_flush(Connection& connection, const FlushRequests& requests,
                                           const LogCodec& codec, journeys::Timestamp now);

std::string_view to_text(journeys::IntentState state);

} // namespace runtime
