/// What it costs to keep customers whose state has changed.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstdint>
#include <filesystem>

namespace bench {

struct SnapshotOptions {
    std::filesystem::path folder; ///< Empty, and is left so.
    int rounds = 5;
    std::uint32_t customers = 200'000;
    double changed = 0.5; ///< Of them, in one round and side; a little less, as some change twice.
};

/// Snapshot rows a second that the product's store commits: 550 bytes of state each, a timer, of
/// customers at random, in checkpoint flushes of all partitions, fenced and with their positions.
/// Raw: one statement for 1,000 such rows, `INSERT … SELECT unnest … ON CONFLICT DO UPDATE`, into a
/// table with the same columns and no index but its key, a commit each. Throws where afterwards a
/// customer's stored revision is not the newest.
Figure bench_snapshot(const SnapshotOptions& options);

} // namespace bench
