/// What customers cost who wait and do nothing.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstdint>
#include <filesystem>

namespace bench {

struct IdleOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    std::uint32_t customers = 100'000;
    double seconds = 4; ///< Of each round; PostgreSQL's share is counted in hundredths of a second.
};

/// Percent of a core that a whole service and its PostgreSQL spend while every customer has a run
/// that waits for 45 minutes, and nothing comes. Raw: the same service beforehand, without
/// customers. Throws where afterwards not everybody waits still.
Figure bench_idle(const IdleOptions& options);

} // namespace bench
