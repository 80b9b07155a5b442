#include "runtime/postgres/event_log.hpp"

#include "actors/failpoint.hpp"
#include "actors/messages.hpp"
#include "journeys/mutant.hpp"
#include "runtime/postgres/log_upkeep.hpp"
#include "runtime/thread_name.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace runtime {

using actors::Draft;
using actors::Partition;
using journeys::Error;
using journeys::ErrorCode;
using journeys::RecordPtr;
using journeys::Result;
using journeys::Timestamp;
using namespace std::chrono_literals;

namespace {

/// Half a second of ticks of the default.
constexpr int ticks_between_those_for_all = 10;
/// Where nothing was written there is little to keep up: what grows old, and is seldom.
constexpr int upkeeps_left_out_max = 20;

Timestamp just_before(Timestamp at) { return at - journeys::Duration{1}; }

Error stopped() { return Error{ErrorCode::storage_unavailable, "the log is being closed"}; }

} // namespace

PostgresEventLog::PostgresEventLog(EventLogSettings settings, Ownership& ownership)
    : settings_(std::move(settings)), ownership_(ownership),
      readers_(settings_.connection, settings_.codec, ownership), duplicates_(settings_.connection),
      committed_(std::make_unique<std::atomic<std::uint64_t>[]>(settings_.partitions)),
      wanted_(std::make_unique<std::atomic<Timestamp>[]>(settings_.partitions)) {
    for (Partition i = 0; i < settings_.partitions; ++i) wanted_[i] = journeys::timestamp_min;
    for (int lane = 0; lane < settings_.lanes; ++lane)
        threads_.emplace_back([this] { lane_loop(); });
    threads_.emplace_back([this] { tick_loop(); });
    threads_.emplace_back([this] { watch_loop(); });
    threads_.emplace_back([this] { upkeep_loop(); });
}

PostgresEventLog::~PostgresEventLog() {
    std::deque<LogAppend> refused;
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        refused.swap(pending_);
    }
    for (auto& append : refused) append.done(stopped());
    work_.notify_all();
    turn_.notify_all();
    stopped_.notify_all();
    for (auto& thread : threads_) thread.join();
}

void PostgresEventLog::append(std::vector<Draft> drafts, Done done) {
    append_transfers(std::move(drafts), {}, std::move(done));
}

void PostgresEventLog::append_transfers(std::vector<Draft> drafts,
                                        std::vector<std::int64_t> transfers, Done done) {
    take({.drafts = std::move(drafts),
          .customer_hashes = {},
          .transfers = std::move(transfers),
          .progress = std::nullopt,
          .done = std::move(done),
          .deadline = Clock::now() + settings_.append_timeout});
}

void PostgresEventLog::append_copies(std::vector<Draft> drafts, actors::WalkProgress progress,
                                     Done done) {
    take({.drafts = std::move(drafts),
          .customer_hashes = {},
          .transfers = {},
          .progress = std::move(progress),
          .done = std::move(done),
          .deadline = Clock::now() + settings_.append_timeout});
}

void PostgresEventLog::take(LogAppend append) {
    if (append.drafts.empty()) return append.done({});
    measure(append, settings_.partitions);
    enqueue(std::move(append));
}

void PostgresEventLog::enqueue(LogAppend append) {
    if (actors::failpoint("append.before"))
        return append.done(Error{ErrorCode::storage_unavailable, "failpoint"});
    std::optional<Error> refusal;
    {
        const std::lock_guard lock{mutex_};
        if (stopping_)
            refusal = stopped();
        else if (pending_bytes_ + append.bytes > settings_.pending_bytes_max && pending_bytes_ > 0)
            refusal = Error{ErrorCode::limit_exceeded, "too much waits for the log"};
        else {
            pending_bytes_ += append.bytes;
            pending_rows_ += append.rows;
            pending_.push_back(std::move(append));
        }
    }
    if (refusal)
        append.done(std::move(*refusal));
    else
        work_.notify_one();
}

void PostgresEventLog::lane_loop() {
    name_thread("log lane");
    LogLane lane{settings_.connection};
    while (const auto batch = take_batch()) process(lane, *batch);
}

/// The pending appends, up to the limits of a batch; null when stopping. They are refused here
/// while not every partition is ours.
std::shared_ptr<AppendBatch> PostgresEventLog::take_batch() {
    while (true) {
        auto batch = std::make_shared<AppendBatch>();
        std::vector<std::pair<Done, Error>> refused;
        {
            std::unique_lock lock{mutex_};
            wait_for_batch(lock);
            if (stopping_) return nullptr;
            const auto owned = ownership_.all();
            const auto refusal = refusal_of(owned, settings_.partitions);
            std::size_t rows = 0;
            std::size_t bytes = 0;
            while (!pending_.empty()) {
                auto& append = pending_.front();
                if (rows > 0 && (rows + append.rows > settings_.batch_rows_max ||
                                 bytes + append.bytes > settings_.batch_bytes_max))
                    break;
                pending_bytes_ -= append.bytes;
                pending_rows_ -= append.rows;
                if (refusal) {
                    refused.emplace_back(std::move(append.done), *refusal);
                } else {
                    rows += append.rows;
                    bytes += append.bytes;
                    if (journeys::is_mutant(journeys::Mutant::ack_before_commit))
                        std::exchange(append.done, [](const Result<void>&) {})({});
                    batch->appends.push_back(std::move(append));
                }
                pending_.pop_front();
            }
            if (!batch->appends.empty()) {
                build_rows(*batch, settings_.partitions);
                assign(*batch, owned);
                accepted_at_ = std::max(accepted_at_, settings_.clock());
                for (const auto& [partition, of_take_over] : owned)
                    accepted_at_ = std::max(accepted_at_, of_take_over.accepted_at);
                // Whoever reads the log by time finds it behind what it comes from, as readers do.
                if (batch->moves()) accepted_at_ += journeys::Duration{1};
                batch->accepted_at = accepted_at_;
                batch->number = ++taken_;
                under_way_.emplace(batch->number, batch->accepted_at);
            }
        }
        for (auto& [done, error] : refused) done(std::move(error));
        if (!batch->appends.empty()) return batch;
    }
}

void PostgresEventLog::gather_while(std::function<bool()> is_behind) {
    const std::lock_guard lock{mutex_};
    is_behind_ = std::move(is_behind);
}

/// Until what is pending is worth a batch, or the log stops.
void PostgresEventLog::wait_for_batch(std::unique_lock<std::mutex>& lock) {
    while (!stopping_ && pending_rows_ < settings_.overlap_rows_min) {
        if (pending_.empty() || is_committing()) {
            work_.wait(lock);
            continue;
        }
        const auto until = gathered_at();
        if (Clock::now() >= until) return;
        work_.wait_until(lock, until);
    }
}

/// When the oldest pending append has waited for others for long enough. Under `mutex_`.
PostgresEventLog::Clock::time_point PostgresEventLog::gathered_at() const {
    if (!is_behind_ || !is_behind_()) return Clock::time_point::min();
    return pending_.front().deadline - settings_.append_timeout + settings_.gather_max;
}

/// Gives the rows the offsets behind the last ones given. Under `mutex_`.
void PostgresEventLog::assign(AppendBatch& batch, const Owned& owned) {
    batch.stretches.clear();
    for (auto& row : batch.rows) {
        auto [entry, is_new] = batch.stretches.try_emplace(row.partition);
        auto& stretch = entry->second;
        if (is_new) {
            auto& position = positions_[row.partition];
            const auto& partition = owned.at(row.partition);
            if (position.epoch != partition.epoch) { // Taken over since.
                position = {partition.epoch, partition.last_offset};
                committed_[row.partition] = partition.last_offset;
            }
            stretch = {position.epoch, position.assigned + 1, position.assigned};
        }
        row.offset = ++stretch.last;
    }
    for (const auto& [partition, stretch] : batch.stretches)
        positions_[partition].assigned = stretch.last;
}

/// Whether a batch before this one has failed, so that its offsets would leave a gap.
bool PostgresEventLog::is_stale(const AppendBatch& batch) {
    const std::lock_guard lock{mutex_};
    return std::ranges::any_of(batch.stretches, [&](const auto& entry) {
        return committed_[entry.first] + 1 != entry.second.first;
    });
}

void PostgresEventLog::process(LogLane& lane, AppendBatch& batch) {
    // Before its turn a batch is only copied; whatever goes wrong is seen to when its turn comes.
    (void)copy(lane, batch);
    {
        std::unique_lock lock{mutex_};
        turn_.wait(lock, [&] { return commit_turn_ == batch.number; });
    }
    const auto result = commit_in_turn(lane, batch);
    if (!result) {
        health_.commit_given_up();
        lane.roll_back();
    }
    {
        const std::lock_guard lock{mutex_};
        settle_positions(batch, result.has_value());
        ++commit_turn_;
    }
    turn_.notify_all();
    work_.notify_one();
    deliver(batch, result);
}

Result<void> PostgresEventLog::copy(LogLane& lane, AppendBatch& batch) {
    auto connected = lane.connection();
    if (!connected) return connected.error();
    auto segment = segment_for(**connected, batch.accepted_at);
    if (!segment) return segment.error();
    batch.segment = std::move(*segment);
    return lane.copy(batch);
}

/// After its turn: what is committed counts, and offsets that were given in vain are given again.
void PostgresEventLog::settle_positions(const AppendBatch& batch, bool committed) {
    if (committed) committed_at_ = std::max(committed_at_, batch.accepted_at);
    for (const auto& [partition, stretch] : batch.stretches) {
        auto& position = positions_[partition];
        if (position.epoch != stretch.epoch) continue; // Taken over anew meanwhile.
        if (committed)
            committed_[partition] = stretch.last;
        else if (batch.number == taken_)
            position.assigned = committed_[partition];
    }
}

/// Tries until the batch is committed, or its time is up while it certainly is not.
Result<void> PostgresEventLog::commit_in_turn(LogLane& lane, AppendBatch& batch) {
    auto wait = 20ms;
    const auto deadline = batch.appends.front().deadline;
    while (true) {
        if (is_stale(batch)) {
            lane.roll_back(); // May wait for PostgreSQL, so not while the door waits for the lock.
            const std::lock_guard lock{mutex_};
            for (const auto& [partition, stretch] : batch.stretches)
                positions_[partition].assigned = committed_[partition];
            assign(batch, ownership_.all());
        }
        Error problem{ErrorCode::storage_unavailable, "the log's storage refuses the append"};
        Result<void> copied;
        if (!lane.has_copied(batch)) copied = copy(lane, batch);
        if (copied) {
            const auto fate = commit_surely(lane, batch);
            if (!fate) return fate.error();
            if (*fate == LogLane::Fate::committed) {
                committed_segment_ = batch.segment;
                health_.committed();
                return {};
            }
        } else if (copied.error().code == ErrorCode::fenced) {
            for (const auto partition : lane.fenced())
                ownership_.lose(partition, batch.stretches.at(partition).epoch);
            drop_fenced(batch);
            if (batch.appends.empty()) return copied;
            continue;
        } else {
            problem = copied.error();
        }
        health_.commit_failed();
        if (Clock::now() >= deadline || !pause(wait)) return problem;
        wait = std::min(2 * wait, std::chrono::milliseconds{1000});
    }
}

/// Commits; where the reply is lost finds out, for as long as that takes. An error: only when
/// stopping.
Result<LogLane::Fate> PostgresEventLog::commit_surely(LogLane& lane, AppendBatch& batch) {
    auto fate = lane.commit(batch, batch.segment != committed_segment_);
    auto wait = 20ms;
    while (fate == LogLane::Fate::lost_reply) {
        health_.commit_failed();
        auto found = lane.look_up(batch);
        if (found) return found;
        if (!pause(wait)) return found.error();
        wait = std::min(2 * wait, std::chrono::milliseconds{1000});
    }
    return fate;
}

/// Refuses them all where a partition is another process's; where we have taken it over again
/// meanwhile they are numbered anew.
void PostgresEventLog::drop_fenced(AppendBatch& batch) {
    std::vector<std::pair<Done, Error>> refused;
    {
        const std::lock_guard lock{mutex_};
        const auto owned = ownership_.all();
        if (const auto refusal = refusal_of(owned, settings_.partitions)) {
            for (auto& append : batch.appends)
                refused.emplace_back(std::move(append.done), *refusal);
            batch.appends.clear();
        }
        for (const auto& [partition, stretch] : batch.stretches)
            positions_[partition].assigned = committed_[partition];
        build_rows(batch, settings_.partitions);
        assign(batch, owned);
    }
    for (auto& [done, error] : refused) done(std::move(error));
}

void PostgresEventLog::deliver(AppendBatch& batch, const Result<void>& result) {
    std::map<Partition, std::vector<RecordPtr>> records;
    if (result) records = records_of(batch, settings_.codec);
    {
        std::unique_lock lock{mutex_};
        turn_.wait(lock, [&] { return delivery_turn_ == batch.number; });
    }
    (void)actors::failpoint("commit_reply.after");
    for (auto& append : batch.appends) append.done(result);
    for (auto& [partition, of_partition] : records)
        if (!of_partition.empty())
            readers_.deliver(partition, std::move(of_partition), just_before(batch.accepted_at));
    {
        const std::lock_guard lock{mutex_};
        under_way_.erase(batch.number);
        ++delivery_turn_;
    }
    turn_.notify_all();
}

bool PostgresEventLog::pause(std::chrono::milliseconds span) {
    std::unique_lock lock{mutex_};
    return !stopped_.wait_for(lock, span, [&] { return stopping_; });
}

Result<std::string> PostgresEventLog::segment_for(Connection& connection, Timestamp at) {
    const std::lock_guard lock{segment_mutex_};
    for (const auto& segment : segments_)
        if (segment.from <= at && at < segment.until) return segment.name;
    SqlParams params;
    params.add(at).add(std::int64_t{settings_.segment_span.count()});
    auto row =
        connection.run("SELECT * FROM log_segment_for($1, $2 * interval '1 millisecond')", params);
    if (!row) return row.error();
    segments_.push_back({std::string{row->bytes(0, 0)}, row->time(0, 1), row->time(0, 2)});
    if (segments_.size() > 4) segments_.pop_front();
    return segments_.back().name;
}

void PostgresEventLog::tick_loop() {
    name_thread("log tick");
    Timestamp closed = just_before(settings_.clock()), before;
    for (int ticks = 1, since_all = 0; pause_for_ticks(ticks);) {
        since_all += ticks;
        expire_pending();
        before = closed;
        {
            const std::lock_guard lock{mutex_};
            if (under_way_.empty()) accepted_at_ = std::max(accepted_at_, settings_.clock());
            closed = just_before(under_way_.empty() ? accepted_at_ : under_way_.begin()->second);
        }
        const bool is_for_all = since_all >= ticks_between_those_for_all;
        if (is_for_all) since_all = 0;
        readers_.tick(closed, [&](Partition partition) {
            return is_for_all || wanted_[partition].load() <= closed;
        });
        ticks = ticks_to_sleep(closed, (closed - before) / ticks);
    }
}

/// On a quiet machine each wake-up costs it a tenth of a millisecond. `pace`: of the clock, a tick.
int PostgresEventLog::ticks_to_sleep(Timestamp closed, journeys::Duration pace) {
    const auto until = closed + pace * (ticks_between_those_for_all + 1);
    asleep_until_ = until; // Whoever wants to hear earlier from here on wakes us.
    bool is_wanted = false;
    for (Partition i = 0; i < settings_.partitions; ++i)
        is_wanted = is_wanted || wanted_[i].load() <= until;
    const std::lock_guard lock{mutex_};
    if (!is_wanted && pending_.empty() && under_way_.empty()) return ticks_between_those_for_all;
    asleep_until_ = journeys::timestamp_min;
    return 1;
}

/// False when stopping; less than the ticks where somebody wants to hear of the clock earlier.
bool PostgresEventLog::pause_for_ticks(int ticks) {
    std::unique_lock lock{mutex_};
    stopped_.wait_for(lock, settings_.tick * ticks, [&] { return stopping_ || is_tick_wanted_; });
    is_tick_wanted_ = false;
    asleep_until_ = journeys::timestamp_min;
    return !stopping_;
}

void PostgresEventLog::expire_pending() {
    std::vector<LogAppend> expired;
    {
        const std::lock_guard lock{mutex_};
        const auto now = Clock::now();
        while (!pending_.empty() && pending_.front().deadline <= now) {
            pending_bytes_ -= pending_.front().bytes;
            pending_rows_ -= pending_.front().rows;
            expired.push_back(std::move(pending_.front()));
            pending_.pop_front();
        }
    }
    if (!expired.empty()) health_.append_expired();
    for (auto& append : expired)
        append.done(Error{ErrorCode::storage_unavailable, "the log's storage does not answer"});
}

void PostgresEventLog::watch_loop() {
    std::optional<Connection> connection;
    Mark marked;
    while (pause(settings_.upkeep)) {
        const auto asked = health_.ask();
        if (!connection || connection->is_lost()) {
            connection.reset();
            if (auto opened = Connection::open(settings_.connection, "watch"))
                connection.emplace(std::move(*opened));
        }
        // A read-only server refuses even a write of nothing.
        const bool takes_writes =
            connection &&
            connection->run("UPDATE log_positions SET last_offset = 0 WHERE false").has_value();
        health_.answered(asked, takes_writes);
        if (!takes_writes) continue;
        if (auto noted = mark(*connection, marked); !noted)
            spdlog::warn("log: mark: {}", noted.error().detail);
    }
}

/// The log belongs to whoever owns all of it: one that stands by knows no position.
bool PostgresEventLog::owns_all() const {
    return !refusal_of(ownership_.all(), settings_.partitions);
}

/// Notes where the log stands, where that is not what was `marked` last.
Result<void> PostgresEventLog::mark(Connection& connection, Mark& marked) {
    if (!owns_all()) return {};
    const auto owned = ownership_.all();
    Mark mark{.positions = std::vector<std::uint64_t>(settings_.partitions)};
    {
        const std::lock_guard lock{mutex_};
        // Only what is committed binds the clock of whoever writes the log after us.
        mark.at = committed_at_;
        for (const auto& [partition, of_take_over] : owned) {
            mark.at = std::max(mark.at, of_take_over.accepted_at);
            mark.positions[partition] = of_take_over.last_offset;
        }
        for (const auto& [partition, position] : positions_)
            mark.positions[partition] = std::max(mark.positions[partition], position.assigned);
    }
    // The time counts, too: positions under way had been noted at the time before theirs.
    if (mark == marked) return {};
    if (auto noted = add_log_mark(connection, mark.at, mark.positions); !noted) return noted;
    marked = std::move(mark);
    return {};
}

std::uint64_t PostgresEventLog::taken() const {
    const std::lock_guard lock{mutex_};
    return taken_;
}

/// Apart from `watch_loop`, for the index of a busy hour may take minutes.
void PostgresEventLog::upkeep_loop() {
    name_thread("log upkeep");
    std::optional<Connection> connection;
    const auto goes_on = [this] { return pause(0ms); };
    std::optional<std::uint64_t> seen; ///< Batches when all was kept up last.
    for (int since = 0; pause(settings_.upkeep); ++since) {
        const auto batches = taken();
        if (!owns_all() || (seen == batches && since < upkeeps_left_out_max)) continue;
        if (!connection || connection->is_lost()) {
            connection.reset();
            auto opened = Connection::open(settings_.connection, "upkeep");
            if (!opened) continue;
            connection.emplace(std::move(*opened));
        }
        const LogBounds bounds{.now = settings_.clock(),
                               .retention = settings_.retention,
                               .bytes_max = settings_.bytes_max};
        auto done = keep_up_log(*connection, bounds, goes_on);
        if (done) seen = batches;
        since = 0;
        if (!done && goes_on()) spdlog::warn("log: upkeep: {}", done.error().detail);
    }
    if (!connection || !connection->is_lost()) return;
    // What it was busy with must not go on behind us.
    if (auto fresh = Connection::open(settings_.connection, "upkeep"))
        (void)end_backend(*fresh, connection->name());
}

void PostgresEventLog::subscribe(Partition partition, std::uint64_t position, caf::actor reader) {
    wanted_[partition] = journeys::timestamp_min; // Of another reader.
    readers_.subscribe(partition, position, std::move(reader));
}

void PostgresEventLog::want_closed(Partition partition, Timestamp at) {
    wanted_[partition] = at;
    if (at > asleep_until_.load()) return;
    const std::lock_guard lock{mutex_};
    is_tick_wanted_ = true;
    stopped_.notify_all();
}

void PostgresEventLog::advance_watermark(Partition partition, std::uint64_t watermark) {
    ownership_.advance_watermark(partition, watermark);
}

std::uint64_t PostgresEventLog::last_offset(Partition partition) const {
    const auto owned = ownership_.find(partition);
    return std::max(committed_[partition].load(), owned ? owned->last_offset : 0);
}

void PostgresEventLog::find_duplicates(Partition partition, const journeys::CustomerId& customer,
                                       std::vector<std::uint64_t> hashes, std::uint64_t tag,
                                       caf::actor asker) {
    duplicates_.ask(
        {journeys::hash(customer), partition, std::move(hashes), tag, std::move(asker)});
}

} // namespace runtime
