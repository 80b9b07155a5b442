/// Every type that travels between actors and ports, and nothing else. In-process only: none is serialised.
#pragma once

#include "actors/ports.hpp"

#include <caf/all.hpp>

namespace actors {

// From the log.
struct LogBatch {
    Partition partition = 0;
    std::vector<journeys::RecordPtr> records; ///< Offsets dense and rising.
    journeys::Timestamp closed{};             ///< No record with `accepted_at <= closed` is still to come.
    bool live = true;                         ///< False while the stored tail is being replayed.
};
struct LogClosed {
    Partition partition = 0;
    journeys::Timestamp closed{};
};
struct SeenBefore {
    std::uint64_t tag = 0;
    std::vector<std::uint64_t> hashes;
};

// From the store.
struct TakenOver {
    Partition partition = 0;
    std::uint64_t epoch = 0;
    std::uint64_t watermark = 0;   ///< Replay begins behind it.
    std::uint64_t last_offset = 0; ///< Of the log at take-over.
    std::uint64_t flush_sequence = 0;
    std::uint64_t publication = 0; ///< The one in force at the watermark; 0: none yet.
};
struct TakeOverFailed {
    Partition partition = 0;
    journeys::Error error;
};
struct Loaded {
    struct Entry {
        journeys::CustomerId customer;
        std::shared_ptr<const std::string> block; ///< Null: unknown customer.
    };
    Partition partition = 0;
    std::vector<Entry> entries;
    bool failed = false; ///< Storage was not reachable; ask again.
};
struct Flushed {
    Partition partition = 0;
    std::uint64_t sequence = 0;
    journeys::Result<void> result;
};
struct Due {
    struct Entry {
        journeys::CustomerId customer;
        journeys::Timestamp wake_at{};
    };
    Partition partition = 0;
    std::vector<Entry> entries;
    journeys::Timestamp next = journeys::no_time; ///< The oldest that was left out.
    bool failed = false;
};
struct OpenIntents {
    Partition partition = 0;
    std::vector<OutboxRow> rows;
    bool failed = false;
};

// From a channel's adapter.
struct ProviderAnswered {
    journeys::IntentId intent;
    ProviderOutcome outcome;
};

} // namespace actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::LogBatch)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::LogClosed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::SeenBefore)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::TakenOver)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::TakeOverFailed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Loaded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Flushed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::Due)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::OpenIntents)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(actors::ProviderAnswered)
