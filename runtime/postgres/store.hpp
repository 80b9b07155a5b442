/// Snapshots, outbox, timeline and positions in PostgreSQL.
#pragma once

#include "actors/ports.hpp"
#include "runtime/postgres/connection.hpp"
#include "runtime/postgres/flush_transaction.hpp"
#include "runtime/postgres/log_codec.hpp"
#include "runtime/postgres/ownership.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

namespace runtime {

struct StoreSettings {
    ConnectionSettings connection;
    std::function<journeys::Timestamp()> clock; ///< Service time.
    LogCodec codec;
    int load_workers = 1;
    int flush_workers = 2; ///< The first one writes only what is urgent.
    std::size_t flush_customers_max =
        1000; ///< Gathered into one transaction; a larger request goes alone.
    /// How long a request waits for others while customers are behind, and for how many customers'
    /// at the most; see `gather_while`.
    std::chrono::milliseconds gather_max{10};
    std::size_t gather_customers = 256;
    /// How long a request is tried while storage is down, before its asker is told.
    std::chrono::milliseconds patience{2000};
    std::function<void()> on_moves = [] {}; ///< A flush has left something in `transfers`.
};

/// Flushes of one partition are written in the order in which they come; those of several are
/// gathered into one transaction. Loads have connections of their own.
class PostgresStore : public actors::Store {
public:
    PostgresStore(StoreSettings settings, Ownership& ownership);
    /// What is still queued is not answered any more.
    ~PostgresStore() override;

    void take_over(actors::Partition partition, caf::actor asker) override;
    void load(actors::Partition partition, std::vector<journeys::CustomerId> customers,
              caf::actor asker) override;
    void load_parked(actors::Partition partition, journeys::CustomerId customer,
                     caf::actor asker) override;
    void flush(std::shared_ptr<const actors::FlushRequest> request, caf::actor asker) override;
    /// While this says that customers are behind what is acknowledged, requests wait for a moment
    /// for others to share their transaction, as the log's appends do; and what comes to their
    /// partitions meanwhile shares the next request. Asked often, under a lock.
    void gather_while(std::function<bool()> is_behind);
    void find_due(actors::Partition partition, journeys::Timestamp before, std::size_t limit,
                  caf::actor asker) override;
    void find_waiting(actors::Partition partition, actors::WaitingCursor cursor, std::size_t limit,
                      std::uint64_t tag, caf::actor asker) override;
    void open_intents(actors::Partition partition, caf::actor asker) override;
    void pending_intents(actors::Partition partition, std::string channel, std::size_t limit,
                         caf::actor asker) override;

private:
    /// Something to ask the database. `fail` tells the asker that it cannot be reached.
    struct Task {
        std::function<journeys::Result<void>(Connection&)> run;
        std::function<void(const journeys::Error&)> fail;
    };
    struct Flush {
        std::shared_ptr<const actors::FlushRequest> request;
        caf::actor asker;
        std::chrono::steady_clock::time_point asked_at{};
    };
    using Flushes = std::vector<Flush>;
    /// Places in `flushes_`, oldest first, and how many customers they are of.
    struct Candidates {
        std::vector<std::size_t> places;
        std::size_t customers = 0;
    };

    void ask(Task task);
    void task_loop();
    void flush_loop(bool only_urgent);
    Flushes take_flushes(bool only_urgent);
    Candidates next_flushes(bool only_urgent) const;
    std::chrono::steady_clock::time_point gathered_at(const Candidates& candidates) const;
    void write(std::optional<Connection>& connection, const Flushes& flushes);
    journeys::Result<FlushAnswers> try_to_write(std::optional<Connection>& connection,
                                                const FlushRequests& requests);
    journeys::Result<void> end_lost_backends(Connection& connection);
    /// Opened anew where it is lost; tries for as long as `settings_.patience`.
    journeys::Result<Connection*> connected(std::optional<Connection>& connection,
                                            std::string_view role);
    bool pause(std::chrono::milliseconds span); ///< False when stopping.

    const StoreSettings settings_;
    Ownership& ownership_;

    std::mutex mutex_;
    std::condition_variable asked_, flush_asked_, stopped_;
    std::deque<Task> tasks_;
    std::deque<Flush> flushes_;
    std::set<actors::Partition> flushing_;
    std::function<bool()> is_behind_; ///< Null: nobody is.
    std::set<std::string>
        lost_backends_; ///< They may still commit: to be ended before another flush.
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

} // namespace runtime
