/// What the log writes in one transaction, as plain data: the appends it was asked for, the rows
/// that they become, and from where to where each partition's offsets go.
#pragma once

#include "actors/ports.hpp"
#include "journeys/result.hpp"
#include "runtime/postgres/log_codec.hpp"
#include "runtime/postgres/ownership.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace runtime {

/// Of one caller. It is committed whole or not at all.
struct LogAppend {
    std::vector<actors::Draft> drafts;
    std::vector<std::uint64_t> customer_hashes; ///< Of the drafts; taken by the caller's thread.
    std::vector<std::int64_t> transfers;        ///< Deleted with it.
    std::optional<actors::WalkProgress> progress;
    std::function<void(journeys::Result<void>)> done;
    std::chrono::steady_clock::time_point deadline;
    std::size_t rows = 0, bytes = 0;
};

struct AppendBatch {
    struct Row {
        actors::Partition partition = 0;
        std::uint64_t customer_hash = 0;
        const actors::Draft* draft = nullptr;
        std::shared_ptr<journeys::Record> record;
        std::uint64_t offset = 0;
    };
    struct Stretch {
        std::uint64_t epoch = 0, first = 0, last = 0;
    };

    std::uint64_t number = 0; ///< Its turn to be committed and delivered.
    std::vector<LogAppend> appends;
    std::vector<Row> rows; ///< Of all appends, in order.
    std::map<actors::Partition, Stretch> stretches;
    journeys::Timestamp accepted_at{};
    std::string segment; ///< That it was copied into.

    bool moves() const; ///< Whether any of it comes from `transfers`.
};

/// Fills in `customer_hashes`, `rows` and `bytes`.
void measure(LogAppend& append, actors::Partition partitions);

/// Why nothing can be written by us: a partition is not ours (yet, or any more), whichever the
/// append concerns. Two processes that each write some have two clocks, and what one moves to the
/// other's partition might stand before what it comes from. Nothing: it can.
std::optional<journeys::Error> refusal_of(const std::map<actors::Partition, OwnedPartition>& owned,
                                          actors::Partition partitions);

/// Makes the rows anew from the appends, without offsets: a draft for every partition is a row of
/// each.
void build_rows(AppendBatch& batch, actors::Partition partitions);

/// The rows' records as readers get them, each with its offset and instant; leaves the rows without
/// theirs. What cannot be decoded is `Unreadable`.
std::map<actors::Partition, std::vector<journeys::RecordPtr>> records_of(AppendBatch& batch,
                                                                         const LogCodec& codec);

} // namespace runtime
