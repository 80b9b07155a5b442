/// What taking an event costs without a disk: the listener, the actors and the rules, beside the
/// parts that nobody can avoid.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace bench {

struct MemoryIngestOptions {
    std::filesystem::path config = "config";
    int rounds = 5;
    std::uint32_t customers = 100'000;
    double seconds = 4; ///< Of load, each round and side.
    std::size_t connections = 64, frame_messages = 1, in_flight = 1;
    double goal = 1.3;
};

/// CPU of an event over WebSocket: parsed, routed, applied to state, runs and timers, acked, its
/// customer's snapshot made (and thrown away). Raw: the frame, the parse and the ack of a bare
/// server, and one message a frame to a CAF actor. Both without their producers. Throws where a
/// message is not accepted and applied exactly once.
Figure bench_memory_ingest(const MemoryIngestOptions& options);

} // namespace bench
