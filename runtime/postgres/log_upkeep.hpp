/// What keeps the log small and quick to enter: marks, indexes of closed segments, and dropping
/// them.
#pragma once

#include "runtime/postgres/connection.hpp"

#include <cstdint>
#include <functional>
#include <vector>

namespace runtime {

/// Notes that the records behind `positions` (by partition) were accepted at or after `at`.
journeys::Result<void> add_log_mark(Connection& connection, journeys::Timestamp at,
                                    const std::vector<std::uint64_t>& positions);

struct LogBounds {
    journeys::Timestamp now{};
    journeys::Duration retention{};
    std::int64_t bytes_max = 0; ///< Of all closed segments; 0: no cap.
};

/// Indexes what was closed since, drops what is below the watermark and beyond the bounds, and
/// forgets the marks before the oldest watermark. A segment that some replay needs stays, whatever
/// its size. An index takes as long as it takes: where `goes_on`, asked again and again, says no,
/// it is given up, and the connection with it.
journeys::Result<void> keep_up_log(Connection& connection, const LogBounds& bounds,
                                   const std::function<bool()>& goes_on);

} // namespace runtime
