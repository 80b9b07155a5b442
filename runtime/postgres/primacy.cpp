#include "runtime/postgres/primacy.hpp"

#include <spdlog/spdlog.h>

#include <optional>

namespace runtime {

using namespace std::chrono_literals;

namespace {

// "sojourn" is the first key; the second leaves room for other locks.
constexpr auto try_lock = "SELECT pg_try_advisory_lock(hashtext('sojourn'), 1)";
constexpr auto end_silent_holder =
    "SELECT pg_terminate_backend(a.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
    "WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND l.objid = 1 "
    "AND l.classid = (hashtext('sojourn')::bigint & 4294967295)::oid "
    "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND clock_timestamp() - a.state_change > $1::bigint * interval '1 millisecond'";

} // namespace

Primacy::~Primacy() {
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
    }
    stopped_.notify_all();
    if (keeper_.joinable()) keeper_.join();
}

bool Primacy::try_once(Connection& connection) const {
    const auto got = connection.run(try_lock);
    if (got && got->boolean(0, 0)) return true;
    if (!got) return false;
    SqlParams params;
    params.add(std::int64_t{settings_.silence.count()});
    const auto ended = connection.run(end_silent_holder, params);
    if (ended && !ended->empty())
        spdlog::warn(
            "standby: the process that works has been silent for too long and is replaced");
    return false;
}

bool Primacy::acquire(const std::function<void()>& stands_by,
                      const std::function<bool()>& gives_up) {
    if (keeper_.joinable()) return true;
    std::optional<Connection> connection;
    for (bool is_first = true;; is_first = false) {
        if (!connection || connection->is_lost()) {
            connection.reset();
            if (auto opened = Connection::open(settings_.connection, "primacy"))
                connection.emplace(std::move(*opened));
        }
        if (connection && try_once(*connection)) break;
        if (is_first) stands_by();
        if (gives_up()) return false;
        std::this_thread::sleep_for(settings_.look);
    }
    keeper_ =
        std::thread{[this, held = std::move(*connection)]() mutable { keep(std::move(held)); }};
    return true;
}

/// Shows that we live. Where the connection is lost the lock is taken again, if it can be had: if
/// not, another has it, and will take the partitions over.
void Primacy::keep(Connection connection) {
    std::optional<Connection> held{std::move(connection)};
    std::string name;
    std::unique_lock lock{mutex_};
    while (!stopped_.wait_for(lock, held ? settings_.beat : settings_.look,
                              [&] { return stopping_; })) {
        lock.unlock();
        if (held) name = held->name();
        if (held && (!held->run("SELECT 1") || held->is_lost())) held.reset();
        if (!held) {
            auto again = Connection::open(settings_.connection, "primacy");
            // The server may not have noticed yet that our end of the lost one is gone.
            if (again && end_backend(*again, name))
                if (const auto got = again->run(try_lock); got && got->boolean(0, 0))
                    held.emplace(std::move(*again));
        }
        lock.lock();
    }
}

} // namespace runtime
