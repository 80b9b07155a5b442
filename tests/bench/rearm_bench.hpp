/// What it costs to begin a wait anew, as every event of an active customer does.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstdint>

namespace bench {

struct RearmOptions {
    int rounds = 5;
    std::uint32_t customers = 1'000'000; ///< Each with a wait that lives all the time.
    std::uint32_t rearms_each = 4;       ///< Of a customer on the average, in one round and side.
};

/// Re-arms a second of CPU among a million waits of 45 minutes, 20,000 of which begin anew each
/// second while the clock goes on. Ours: as a partition does it, with hints of
/// actors/timer_wheel.hpp that are put right when they come up. Raw: a `std::multimap` in which
/// every wait is moved. Throws where at the end not every wait is over exactly once, at the same
/// instant on both sides.
Figure bench_rearm(const RearmOptions& options);

} // namespace bench
