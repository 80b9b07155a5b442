/// How fast recorded events run through journeys.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstdint>
#include <filesystem>

namespace bench {

struct SimulateOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    std::uint32_t customers = 10'000;
    std::uint32_t events_each = 20; ///< Of a customer, on the average.
};

/// Events a second of CPU that `sojourn simulate` takes from a file of a shop's day and leads
/// through the journeys of the configuration, timelines included. Raw: the same file read by line
/// and parsed. Throws where an event is refused, missing, or a round says something else than the
/// one before.
Figure bench_simulate(const SimulateOptions& options);

} // namespace bench
