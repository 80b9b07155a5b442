/// How many calls of a provider the outbox takes, hands over and settles a second.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstdint>
#include <filesystem>

namespace bench {

struct OutboxOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    std::uint32_t customers = 20'000; ///< Each is called for once a round; in hundreds.
    /// Where `npm install` has put graphile-worker.
    std::filesystem::path peer = "tests/bench/graphile";
};

/// Intents a second, from the first event's sending until every one has been opened, claimed,
/// called for over HTTP on loopback and settled in PostgreSQL; the events' own way is in it. Beside
/// it: as many jobs that do nothing, of graphile-worker with its batching, on a PostgreSQL set up
/// the same. Without Node and that package only ours is measured, and a line on stderr says so.
/// Throws where a call is missing or came twice.
Figure bench_outbox(const OutboxOptions& options);

} // namespace bench
