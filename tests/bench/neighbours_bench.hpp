/// What a busy producer costs a quiet one.
#pragma once

#include "tests/bench/measure.hpp"

#include <filesystem>

namespace bench {

struct NeighboursOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    double seconds = 4;                 ///< Each round and side.
    std::size_t messages_max = 400'000; ///< Of the busy producer, each round; bounds the disk.
};

/// Microseconds from a single frame to its ack, a frame every ten milliseconds, while another
/// producer keeps 100 frames in flight; the raw part is the same without that one. The median of a
/// round; the 99th percentiles are among the details.
Figure bench_neighbours(const NeighboursOptions& options);

} // namespace bench
