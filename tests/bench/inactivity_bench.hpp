/// What an event costs as a whole: taken, kept, its customer's wait begun anew, and for one of six
/// a trigger at the end.
#pragma once

#include "tests/bench/measure.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace bench {

struct InactivityOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    std::uint32_t customers =
        20'000; ///< Of a round, each with six events; singly a fourth of them.
    std::chrono::seconds wait{15};
};

/// CPU of an event in batches of 100 over WebSocket, and singly over HTTP from 32 connections, with
/// that of PostgreSQL and without that of producers and provider: each customer comes six times,
/// every event begins their wait of 15 seconds anew, and at its end a webhook is called. Until all
/// have been called and all is in snapshots. Raw: the same messages through the bare pipeline,
/// batches and single frames. Among the details are the bytes that PostgreSQL has written an event.
/// Throws where a trigger is missing or came twice, or an event was lost.
std::vector<Figure> bench_inactivity(const InactivityOptions& options);

} // namespace bench
