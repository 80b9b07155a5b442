/// How long a producer waits for an ack while the service is half busy.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace bench {

struct AckOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    std::uint32_t customers = 100'000;
    double seconds = 4; ///< Each round and side.
    std::size_t connections = 64;
    std::size_t messages_max = 400'000; ///< Of one load; bounds the disk.
};

/// Milliseconds from the instant at which a single frame was to be sent to its ack, p50 and p99, at
/// half of the rate that the service takes over these connections. Raw: a group commit by COPY of
/// as many rows of 500 bytes as come at that rate while the one before it was committed, at least
/// one. Throws where an event or a row is lost.
std::vector<Figure> bench_ack(const AckOptions& options);

} // namespace bench
