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
    };
    using Flushes = std::vector<Flush>;

    void ask(Task task);
    void task_loop();
    void flush_loop(bool only_urgent);
    Flushes take_flushes(bool only_urgent);
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
    std::set<std::string>
        lost_backends_; ///< They may still commit: to be ended before another flush.
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

} // namespace runtime
