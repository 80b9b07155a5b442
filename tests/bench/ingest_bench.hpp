/// Durable ingest over WebSocket against the bare pipeline.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace bench {

struct IngestOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    std::uint32_t customers = 100'000;
    double seconds = 4;                 ///< Of load, each round and side.
    std::size_t messages_max = 800'000; ///< Bounds the disk, whatever the speed.
    std::size_t connections = 1, frame_messages = 100;
    double goal = 0.5;
};

/// Events a second from the first frame until the last one is acked and (ours) applied, and the CPU
/// of both sides with their PostgreSQL, ours until all is in snapshots. Throws where a count is
/// wrong: every message must be accepted, stored and applied.
Figure bench_ingest(const IngestOptions& options);

} // namespace bench
