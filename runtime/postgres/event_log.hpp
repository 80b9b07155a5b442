/// The log in PostgreSQL: group commit by binary COPY, dense offsets, a clock that never goes back.
#pragma once

#include "actors/ports.hpp"
#include "runtime/postgres/connection.hpp"
#include "runtime/postgres/log_codec.hpp"
#include "runtime/postgres/log_readers.hpp"
#include "runtime/postgres/ownership.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

namespace actors {
struct SeenBefore;
}

namespace runtime {

struct EventLogSettings {
    ConnectionSettings connection;
    actors::Partition partitions = 1;
    /// Service time.
    std::function<journeys::Timestamp()> clock;
    LogCodec codec;
    /// Journal connections. While one waits for its commit the next encodes and copies: two are a
    /// double buffer, and are enough.
    int lanes = 2;
    std::size_t batch_rows_max = 10'000;
    std::size_t batch_bytes_max = 8 << 20;
    std::size_t pending_bytes_max = 64 << 20; ///< Then appends are refused.
    std::chrono::milliseconds append_timeout{
        5000};                          ///< How long an append waits for storage to come back.
    std::chrono::milliseconds tick{50}; ///< Of `LogClosed`; real time.
    journeys::Duration segment_span = std::chrono::hours{1}; ///< Of accepted_at.
    journeys::Duration retention = std::chrono::hours{24 * 7};
    std::int64_t bytes_max = 0;             ///< Of all closed segments; 0: no cap.
    std::chrono::milliseconds upkeep{1000}; ///< Between marks, index builds and drops; real time.
};

/// Batches are numbered when they are taken, and committed in that order: every one is whole before
/// the next, whichever lanes they use. A batch whose commit reply was lost is looked up before
/// anything else is committed.
class PostgresEventLog : public actors::EventLog {
public:
    PostgresEventLog(EventLogSettings settings, Ownership& ownership);
    /// Refuses what is pending, and waits for what is being committed.
    ~PostgresEventLog() override;

    /// A draft of kind `publish` or `pause` goes to every partition. Refused with `unavailable`
    /// where a partition is not owned yet, `limit_exceeded` where too much is pending.
    void append(std::vector<actors::Draft> drafts,
                std::function<void(journeys::Result<void>)> done) override;
    /// The same, and deletes these rows of `transfers` in the same transaction.
    void append_transfers(std::vector<actors::Draft> drafts, std::vector<std::int64_t> transfers,
                          std::function<void(journeys::Result<void>)> done);
    void append_copies(std::vector<actors::Draft> drafts, actors::WalkProgress progress,
                       std::function<void(journeys::Result<void>)> done) override;
    void subscribe(actors::Partition partition, std::uint64_t position, caf::actor reader) override;
    void find_duplicates(actors::Partition partition, const journeys::CustomerId& customer,
                         std::vector<std::uint64_t> hashes, std::uint64_t tag,
                         caf::actor asker) override;
    void advance_watermark(actors::Partition partition, std::uint64_t watermark) override;
    std::uint64_t last_offset(actors::Partition partition) const override;

    /// Whether storage answered last time.
    bool healthy() const { return healthy_; }

private:
    using Clock = std::chrono::steady_clock;
    using Done = std::function<void(journeys::Result<void>)>;
    struct Append {
        std::vector<actors::Draft> drafts;
        std::vector<std::uint64_t>
            customer_hashes; ///< Of the drafts; taken by the caller's thread.
        std::vector<std::int64_t> transfers;
        std::optional<actors::WalkProgress> progress;
        Done done;
        Clock::time_point deadline;
        std::size_t rows = 0, bytes = 0;
    };
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
    struct Batch {
        std::uint64_t number = 0; ///< Its turn to be committed and delivered.
        std::vector<Append> appends;
        std::vector<Row> rows; ///< Of all appends, in order.
        std::map<actors::Partition, Stretch> stretches;
        journeys::Timestamp accepted_at{};
        std::string segment; ///< That it was copied into.
    };
    struct Segment {
        std::string name;
        journeys::Timestamp from{}, until{};
    };
    using Owned = std::map<actors::Partition, OwnedPartition>;
    struct Position {
        std::uint64_t epoch = 0;
        std::uint64_t assigned = 0; ///< The last offset given to a batch.
    };
    enum class Fate { committed, failed, lost_reply };
    class Lane;

    void take(Append append);
    void enqueue(Append append);
    void lane_loop();
    std::shared_ptr<Batch> take_batch();
    std::optional<journeys::Error> refusal_of(const Append& append, const Owned& owned) const;
    void build_rows(Batch& batch);
    void assign(Batch& batch, const Owned& owned);
    bool is_stale(const Batch& batch) const;
    void process(Lane& lane, Batch& batch);
    journeys::Result<void> copy(Lane& lane, Batch& batch);
    journeys::Result<void> commit_in_turn(Lane& lane, Batch& batch);
    journeys::Result<Fate> commit_surely(Lane& lane, Batch& batch);
    void drop_fenced(Batch& batch);
    void settle_positions(const Batch& batch, bool committed);
    void deliver(Batch& batch, const journeys::Result<void>& result);
    bool pause(std::chrono::milliseconds span); ///< False when stopping.
    journeys::Result<std::string> segment_for(Connection& connection, journeys::Timestamp at);

    void tick_loop();
    void expire_pending();
    void upkeep_loop();
    journeys::Result<void> upkeep(Connection& connection, std::vector<std::uint64_t>& marked);

    const EventLogSettings settings_;
    Ownership& ownership_;
    LogReaders readers_;
    std::atomic<bool> healthy_{false};
    std::unique_ptr<std::atomic<std::uint64_t>[]> committed_; ///< By partition.

    mutable std::mutex mutex_;
    std::condition_variable work_, turn_;
    std::deque<Append> pending_;
    std::size_t pending_bytes_ = 0;
    std::map<actors::Partition, Position> positions_;
    journeys::Timestamp accepted_at_ =
        journeys::timestamp_min; ///< The newest given; never goes back.
    journeys::Timestamp committed_at_ = journeys::timestamp_min; ///< The newest committed.
    std::map<std::uint64_t, journeys::Timestamp>
        under_way_; ///< Batches taken and not delivered yet.
    std::uint64_t taken_ = 0, commit_turn_ = 1, delivery_turn_ = 1;
    bool stopping_ = false;

    std::mutex segment_mutex_;
    std::deque<Segment> segments_;  ///< The newest ones that were written to.
    std::string committed_segment_; ///< Belongs to the batch whose turn to commit it is.

    struct Question {
        std::uint64_t customer_hash = 0;
        actors::Partition partition = 0;
        std::vector<std::uint64_t> hashes;
        std::uint64_t tag = 0;
        caf::actor asker;
    };
    void answer_loop();
    static journeys::Result<actors::SeenBefore> answer(Connection& connection,
                                                       const Question& question);
    std::deque<Question> questions_; ///< Under `mutex_`.
    std::condition_variable asked_;

    std::vector<std::thread> threads_;
};

} // namespace runtime
