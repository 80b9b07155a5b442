#include "runtime/postgres/wake_sweep.hpp"

#include <optional>

namespace runtime {

using journeys::Result;

WakeSweep::WakeSweep(WakeSweepSettings settings)
    : settings_(std::move(settings)), thread_([this] { loop(); }) {}

WakeSweep::~WakeSweep() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void WakeSweep::begin(std::uint64_t reason) {
    const std::lock_guard lock{mutex_};
    reason_ = reason;
    changed_.notify_all();
}

void WakeSweep::loop() {
    std::optional<Connection> connection;
    while (true) {
        std::uint64_t reason = 0;
        {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [&] { return stopping_ || reason_; });
            if (stopping_) return;
            reason = *reason_;
        }
        Result<bool> more = true;
        if (!connection || connection->is_lost()) {
            connection.reset();
            if (auto opened = Connection::open(settings_.connection, "sweep"))
                connection.emplace(std::move(*opened));
            else
                more = opened.error();
        }
        if (more) more = wake_some(*connection, reason);
        std::unique_lock lock{mutex_};
        if (more && !*more && reason_ == reason) reason_.reset();
        changed_.wait_for(lock, settings_.pause, [&] { return stopping_; });
    }
}

Result<bool> WakeSweep::wake_some(Connection& connection, std::uint64_t reason) {
    auto transaction = Transaction::begin(connection);
    if (!transaction) return transaction.error();
    SqlParams what;
    what.add(reason);
    auto state =
        connection.run("INSERT INTO wake_sweep AS w (reason, done) VALUES ($1, $1 = 0) "
                       "ON CONFLICT (only_row) DO UPDATE SET "
                       "after = CASE WHEN w.reason = excluded.reason THEN w.after ELSE '' END, "
                       "done = excluded.done OR (w.done AND w.reason = excluded.reason), "
                       "reason = excluded.reason RETURNING after, done",
                       what);
    if (!state) return state.error();
    if (state->boolean(0, 1)) {
        if (auto ended = transaction->commit(); !ended) return ended.error();
        return false;
    }
    SqlParams next;
    next.add_bytes(state->bytes(0, 0)).add(settings_.batch);
    auto batch = connection.run(
        "SELECT customer FROM snapshots WHERE customer > $1 ORDER BY customer LIMIT $2 FOR UPDATE",
        next);
    if (!batch) return batch.error();
    const bool is_last = batch->size() < settings_.batch;
    SqlParams after;
    if (batch->empty()) {
        after.add_bytes(state->bytes(0, 0));
    } else {
        const auto last = batch->bytes(batch->size() - 1, 0);
        SqlParams span;
        span.add_bytes(state->bytes(0, 0)).add_bytes(last).add(settings_.clock());
        auto woken = connection.run("UPDATE snapshots SET wake_at = least(wake_at, $3) "
                                    "WHERE customer > $1 AND customer <= $2",
                                    span);
        if (!woken) return woken.error();
        after.add_bytes(last);
    }
    after.add(is_last);
    auto noted = connection.run("UPDATE wake_sweep SET after = $1, done = $2", after);
    if (!noted) return noted.error();
    if (auto committed = transaction->commit(); !committed) return committed.error();
    return !is_last;
}

} // namespace runtime
