/// How late waits are over that are all over at the same time.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstdint>
#include <filesystem>

namespace bench {

struct LatenessOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    std::uint32_t customers = 10'000; ///< Whose waits are over at the same instant.
    double goal_ms = 150;
};

/// Milliseconds from the instant at which the waits of all customers are over until the removal of
/// 99 of 100 is committed, as another connection sees it. Raw: the same instants taken out of as
/// many rows of a bare table with an index on them, by one statement. Throws where one is over too
/// early, twice or never.
Figure bench_lateness(const LatenessOptions& options);

} // namespace bench
