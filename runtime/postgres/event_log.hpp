/// The log in PostgreSQL: group commit by binary COPY, dense offsets, a clock that never goes back.
#pragma once

#include "actors/ports.hpp"
#include "runtime/postgres/append_batch.hpp"
#include "runtime/postgres/connection.hpp"
#include "runtime/postgres/duplicate_finder.hpp"
#include "runtime/postgres/log_codec.hpp"
#include "runtime/postgres/log_health.hpp"
#include "runtime/postgres/log_lane.hpp"
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
    /// While a batch commits, fewer pending rows than these wait for it: who comes then has one
    /// commit before them and not two. As many are worth copying meanwhile.
    std::size_t overlap_rows_min = 256;
    /// How long an append waits for as many while customers are behind; see `gather_while`.
    std::chrono::milliseconds gather_max{10};
    std::size_t batch_rows_max = 10'000;
    std::size_t batch_bytes_max = 8 << 20;
    std::size_t pending_bytes_max = 64 << 20; ///< Then appends are refused.
    std::chrono::milliseconds append_timeout{
        5000};                          ///< How long an append waits for storage to come back.
    std::chrono::milliseconds tick{50}; ///< Of `LogClosed`; real time.
    journeys::Duration segment_span = std::chrono::hours{1}; ///< Of accepted_at.
    journeys::Duration retention = std::chrono::hours{24 * 7};
    std::int64_t bytes_max = 0; ///< Of all closed segments; 0: no cap.
    /// Between marks, and between builds of indexes and drops; real time.
    std::chrono::milliseconds upkeep{1000};
};

/// Batches are numbered when they are taken, and committed in that order: every one is whole before
/// the next, whichever lanes they use. A batch whose commit reply was lost is looked up before
/// anything else is committed.
class PostgresEventLog : public actors::EventLog {
public:
    PostgresEventLog(EventLogSettings settings, Ownership& ownership);
    /// Refuses what is pending, and waits for what is being committed.
    ~PostgresEventLog() override;

    /// A draft of kind `publish` goes to every partition. Refused with `storage_unavailable`
    /// until all partitions are ours, `fenced` once one is not any more, `limit_exceeded` where
    /// too much is pending.
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
    void want_closed(actors::Partition partition, journeys::Timestamp at) override;
    void advance_watermark(actors::Partition partition, std::uint64_t watermark) override;
    std::uint64_t last_offset(actors::Partition partition) const override;

    /// While this says that customers are behind what is acknowledged, batches begin with
    /// `overlap_rows_min` rows, or once their oldest append has waited for `gather_max`: who is
    /// acked sooner would wait for the others all the same, and few and large commits leave more
    /// of the processors to those who are behind. Asked often, under the log's lock.
    void gather_while(std::function<bool()> is_behind);

    /// Whether storage takes writes, by what was seen last; see `LogHealth`.
    bool healthy() const { return health_.is_good(); }

private:
    using Clock = std::chrono::steady_clock;
    using Done = std::function<void(journeys::Result<void>)>;
    using Owned = std::map<actors::Partition, OwnedPartition>;
    struct Segment {
        std::string name;
        journeys::Timestamp from{}, until{};
    };
    struct Position {
        std::uint64_t epoch = 0;
        std::uint64_t assigned = 0; ///< The last offset given to a batch.
    };
    struct Mark {
        journeys::Timestamp at{};
        std::vector<std::uint64_t> positions; ///< By partition.
        bool operator==(const Mark&) const = default;
    };

    void take(LogAppend append);
    void enqueue(LogAppend append);
    void lane_loop();
    std::shared_ptr<AppendBatch> take_batch();
    void wait_for_batch(std::unique_lock<std::mutex>& lock);
    bool is_committing() const { return commit_turn_ <= taken_; }
    Clock::time_point gathered_at() const;
    void assign(AppendBatch& batch, const Owned& owned);
    bool is_stale(const AppendBatch& batch);
    void process(LogLane& lane, AppendBatch& batch);
    journeys::Result<void> copy(LogLane& lane, AppendBatch& batch);
    journeys::Result<void> commit_in_turn(LogLane& lane, AppendBatch& batch);
    journeys::Result<LogLane::Fate> commit_surely(LogLane& lane, AppendBatch& batch);
    void drop_fenced(AppendBatch& batch);
    void settle_positions(const AppendBatch& batch, bool committed);
    void deliver(AppendBatch& batch, const journeys::Result<void>& result);
    bool pause(std::chrono::milliseconds span); ///< False when stopping.
    journeys::Result<std::string> segment_for(Connection& connection, journeys::Timestamp at);

    void tick_loop();
    int ticks_to_sleep(journeys::Timestamp closed, journeys::Duration pace);
    bool pause_for_ticks(int ticks);
    void expire_pending();
    void watch_loop();
    bool owns_all() const;
    journeys::Result<void> mark(Connection& connection, Mark& marked);
    std::uint64_t taken() const;
    void upkeep_loop();

    const EventLogSettings settings_;
    Ownership& ownership_;
    LogReaders readers_;
    DuplicateFinder duplicates_;
    LogHealth health_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> committed_;    ///< By partition.
    std::unique_ptr<std::atomic<journeys::Timestamp>[]> wanted_; ///< The same.

    mutable std::mutex mutex_;
    std::condition_variable work_, turn_, stopped_;
    std::function<bool()> is_behind_; ///< Null: nobody is.
    std::deque<LogAppend> pending_;
    std::size_t pending_bytes_ = 0, pending_rows_ = 0;
    std::map<actors::Partition, Position> positions_;
    journeys::Timestamp accepted_at_ =
        journeys::timestamp_min; ///< The newest given; never goes back.
    journeys::Timestamp committed_at_ = journeys::timestamp_min; ///< The newest committed.
    std::map<std::uint64_t, journeys::Timestamp>
        under_way_; ///< Batches taken and not delivered yet.
    /// While the tick's thread sleeps for longer than a tick; of the log's clock.
    std::atomic<journeys::Timestamp> asleep_until_ = journeys::timestamp_min;
    bool is_tick_wanted_ = false;
    std::uint64_t taken_ = 0, commit_turn_ = 1, delivery_turn_ = 1;
    bool stopping_ = false;

    std::mutex segment_mutex_;
    std::deque<Segment> segments_;  ///< The newest ones that were written to.
    std::string committed_segment_; ///< Belongs to the batch whose turn to commit it is.

    std::vector<std::thread> threads_;
};

} // namespace runtime
