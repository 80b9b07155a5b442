#include "runtime/postgres/event_log.hpp"

#include "actors/failpoint.hpp"
#include "actors/messages.hpp"
#include "journeys/mutant.hpp"
#include "runtime/postgres/binary.hpp"
#include "runtime/postgres/log_upkeep.hpp"
#include "runtime/postgres/walk_sql.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace runtime {

using actors::Draft;
using actors::Partition;
using journeys::Error;
using journeys::ErrorCode;
using journeys::Record;
using journeys::RecordKind;
using journeys::RecordPtr;
using journeys::Result;
using journeys::Timestamp;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t chunk_bytes = 256 << 10;

Timestamp just_before(Timestamp at) { return at - journeys::Duration{1}; }

Error stopped() { return Error{ErrorCode::storage_unavailable, "the log is being closed"}; }

bool goes_to_all(RecordKind kind) {
    return kind == RecordKind::publish || kind == RecordKind::pause;
}

/// `{1,2,3}`, as a literal of an array.
template <class Map, class Project> std::string array_text(const Map& map, Project project) {
    std::string text = "'{";
    for (const auto& entry : map) {
        if (text.size() > 2) text += ',';
        text += std::to_string(project(entry));
    }
    return text + "}'";
}

std::uint64_t number_in(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

} // namespace

/// One journal connection, and what it does with one batch: copy, then commit.
class PostgresEventLog::Lane {
public:
    explicit Lane(const ConnectionSettings& settings) : settings_(settings) {}

    Result<Connection*> connection() {
        if (connection_ && !connection_->is_lost()) return &*connection_;
        open_batch_ = 0;
        connection_.reset();
        auto opened = Connection::open(settings_, "journal");
        if (!opened) return opened.error();
        // Without retries of ours in between, what is planned once serves every batch.
        auto prepared = opened->run_script(
            "PREPARE fence (smallint[]) AS SELECT partition, epoch FROM partitions "
            "WHERE partition = ANY($1) ORDER BY partition FOR SHARE;"
            "PREPARE move (smallint[], bigint[], bigint) AS UPDATE log_positions p "
            "SET last_offset = m.last, accepted_at = 'epoch'::timestamptz + $3 * interval '1 ms' "
            "FROM unnest($1, $2) AS m (partition, last) WHERE p.partition = m.partition;"
            "PREPARE note_ends (bigint) AS INSERT INTO log_ends "
            "SELECT s.segment, p.partition, p.last_offset FROM log_segments s, log_positions p "
            "WHERE NOT s.closed AND s.until_at <= 'epoch'::timestamptz + $1 * interval '1 ms';"
            "PREPARE close_segments (bigint) AS UPDATE log_segments SET closed = true "
            "WHERE NOT closed AND until_at <= 'epoch'::timestamptz + $1 * interval '1 ms'");
        if (!prepared) return prepared.error();
        connection_.emplace(std::move(*opened));
        return &*connection_;
    }

    /// Whether the batch stands in an open transaction, copied and not committed.
    bool has_copied(const Batch& batch) const {
        return open_batch_ == batch.number && connection_ && !connection_->is_lost();
    }

    /// `fenced` where a partition has another owner; `fenced()` then names such partitions.
    Result<void> copy(const Batch& batch) {
        auto connected = connection();
        if (!connected) return connected.error();
        auto& to = **connected;
        const auto partitions =
            array_text(batch.stretches, [](const auto& entry) { return entry.first; });
        auto fence = to.begin_copy("BEGIN; EXECUTE fence(" + partitions + "); COPY " +
                                   batch.segment + " FROM STDIN (FORMAT binary)");
        if (!fence) {
            roll_back();
            return fence.error();
        }
        if (fenced_ = fenced_partitions(*fence, batch); !fenced_.empty()) {
            to.abort_copy();
            roll_back();
            return Error{ErrorCode::fenced, "another process has taken over"};
        }
        auto copied = send_rows(to, batch);
        if (copied) copied = to.end_copy();
        if (!copied) {
            roll_back();
            return copied;
        }
        if (actors::failpoint("append.after")) {
            roll_back();
            return Error{ErrorCode::storage_unavailable, "failpoint"};
        }
        open_batch_ = batch.number;
        return {};
    }

    /// Commits what `copy` has sent.
    Fate commit(const Batch& batch, bool closes_segments) {
        const auto at = std::to_string(journeys::to_millis(batch.accepted_at));
        std::string sql;
        if (closes_segments)
            sql += "EXECUTE note_ends(" + at + "); EXECUTE close_segments(" + at + "); ";
        sql += "EXECUTE move(" +
               array_text(batch.stretches, [](const auto& entry) { return entry.first; }) + ", " +
               array_text(batch.stretches, [](const auto& entry) { return entry.second.last; }) +
               ", " + at + "); ";
        std::vector<std::int64_t> transfers;
        for (const auto& append : batch.appends)
            transfers.insert(transfers.end(), append.transfers.begin(), append.transfers.end());
        if (!transfers.empty())
            sql += "DELETE FROM transfers WHERE sequence = ANY(" +
                   array_text(transfers, [](auto transfer) { return transfer; }) + "::bigint[]); ";
        for (const auto& append : batch.appends)
            if (append.progress) sql += move_walk_sql(*append.progress) + "; ";
        if (actors::failpoint("commit_sent.before")) {
            roll_back();
            return Fate::failed;
        }
        auto sent = connection_->send_script(sql + "COMMIT");
        if (actors::failpoint("commit_sent.after")) connection_->give_up();
        auto committed = sent ? connection_->answer_to_script() : sent.error();
        if (actors::failpoint("commit_reply.before")) {
            connection_->give_up();
            return Fate::lost_reply;
        }
        if (committed) {
            open_batch_ = 0;
            return Fate::committed;
        }
        if (connection_->is_lost()) return Fate::lost_reply;
        spdlog::error("log: an append was refused: {}", committed.error().detail);
        roll_back();
        return Fate::failed;
    }

    /// After a lost reply: ends the server's side, then reads whether the batch is in the log.
    Result<Fate> look_up(const Batch& batch) {
        const auto old_name = connection_ ? connection_->name() : std::string{};
        auto fresh = Connection::open(settings_, "look-up");
        if (!fresh) return fresh.error();
        if (auto ended = end_backend(*fresh, old_name); !ended) return ended.error();
        SqlArray partitions{SqlArray::Type::int2};
        for (const auto& [partition, stretch] : batch.stretches)
            partitions.add(static_cast<std::int16_t>(partition));
        SqlParams params;
        params.add(partitions);
        auto rows = fresh->run("SELECT partition, epoch, last_offset FROM partitions "
                               "JOIN log_positions USING (partition) WHERE partition = ANY($1)",
                               params);
        if (!rows) return rows.error();
        open_batch_ = 0;
        for (int row = 0; row < rows->size(); ++row) {
            const auto& stretch = batch.stretches.at(static_cast<Partition>(rows->int2(row, 0)));
            // Where another process has taken over, the offsets may be of its records.
            if (rows->uint8(row, 1) != stretch.epoch) continue;
            return rows->uint8(row, 2) >= stretch.last ? Fate::committed : Fate::failed;
        }
        return Fate::failed; // Of nothing here are we the owner: refused in either case.
    }

    const std::vector<Partition>& fenced() const { return fenced_; }

    void roll_back() {
        open_batch_ = 0;
        if (connection_ && !connection_->is_lost()) (void)connection_->run_script("ROLLBACK");
    }

private:
    static std::vector<Partition> fenced_partitions(const SqlRows& fence, const Batch& batch) {
        std::map<Partition, std::uint64_t> epochs;
        for (int row = 0; row < fence.size(); ++row)
            epochs[static_cast<Partition>(number_in(fence.bytes(row, 0)))] =
                number_in(fence.bytes(row, 1));
        std::vector<Partition> fenced;
        if (journeys::is_mutant(journeys::Mutant::append_without_epoch)) return fenced;
        for (const auto& [partition, stretch] : batch.stretches)
            if (epochs[partition] != stretch.epoch) fenced.push_back(partition);
        return fenced;
    }

    Result<void> send_rows(Connection& to, const Batch& batch) {
        buffer_.clear();
        buffer_.append("PGCOPY\n\377\r\n\0", 11);
        put_number(buffer_, std::int32_t{0}); // Flags.
        put_number(buffer_, std::int32_t{0}); // Header extension.
        const auto accepted_at = to_pg_micros(batch.accepted_at);
        for (const auto& row : batch.rows) {
            const auto& draft = *row.draft;
            put_number(buffer_, std::int16_t{8});
            put_sized_number(buffer_, static_cast<std::int16_t>(row.partition));
            put_sized_number(buffer_, row.offset);
            put_sized_number(buffer_, accepted_at);
            put_sized_number(buffer_, static_cast<std::int16_t>(draft.kind));
            put_sized_number(buffer_, row.customer_hash);
            put_sized_number(buffer_, draft.message_hash);
            const auto space = journeys::to_text(draft.customer.space);
            put_number(buffer_,
                       static_cast<std::int32_t>(space.size() + 1 + draft.customer.value.size()));
            buffer_.append(space).append(1, ':').append(draft.customer.value);
            put_sized(buffer_, draft.bytes);
            if (buffer_.size() < chunk_bytes) continue;
            if (auto sent = to.copy(buffer_); !sent) return sent;
            buffer_.clear();
        }
        put_number(buffer_, std::int16_t{-1});
        return to.copy(buffer_);
    }

    const ConnectionSettings& settings_;
    std::optional<Connection> connection_;
    std::string buffer_;
    std::uint64_t open_batch_ = 0;
    std::vector<Partition> fenced_;
};

PostgresEventLog::PostgresEventLog(EventLogSettings settings, Ownership& ownership)
    : settings_(std::move(settings)), ownership_(ownership),
      readers_(settings_.connection, settings_.codec, ownership),
      committed_(std::make_unique<std::atomic<std::uint64_t>[]>(settings_.partitions)) {
    for (int lane = 0; lane < settings_.lanes; ++lane)
        threads_.emplace_back([this] { lane_loop(); });
    threads_.emplace_back([this] { tick_loop(); });
    threads_.emplace_back([this] { upkeep_loop(); });
    threads_.emplace_back([this] { answer_loop(); });
}

PostgresEventLog::~PostgresEventLog() {
    std::deque<Append> refused;
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        refused.swap(pending_);
    }
    for (auto& append : refused) append.done(stopped());
    work_.notify_all();
    turn_.notify_all();
    asked_.notify_all();
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

void PostgresEventLog::take(Append append) {
    if (append.drafts.empty()) return append.done({});
    append.customer_hashes.reserve(append.drafts.size());
    for (const auto& draft : append.drafts) {
        append.customer_hashes.push_back(journeys::hash(draft.customer));
        append.rows += goes_to_all(draft.kind) ? settings_.partitions : 1;
        append.bytes += draft.bytes.size() + draft.customer.value.size() + 100;
    }
    enqueue(std::move(append));
}

void PostgresEventLog::enqueue(Append append) {
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
            pending_.push_back(std::move(append));
        }
    }
    if (refusal)
        append.done(std::move(*refusal));
    else
        work_.notify_one();
}

void PostgresEventLog::lane_loop() {
    Lane lane{settings_.connection};
    while (const auto batch = take_batch()) process(lane, *batch);
}

/// The pending appends, up to the limits of a batch; null when stopping. Appends that concern a
/// partition that is not ours are refused here.
std::shared_ptr<PostgresEventLog::Batch> PostgresEventLog::take_batch() {
    while (true) {
        auto batch = std::make_shared<Batch>();
        std::vector<std::pair<Done, Error>> refused;
        {
            std::unique_lock lock{mutex_};
            work_.wait(lock, [&] { return stopping_ || !pending_.empty(); });
            if (stopping_) return nullptr;
            const auto owned = ownership_.all();
            std::size_t rows = 0;
            std::size_t bytes = 0;
            while (!pending_.empty()) {
                auto& append = pending_.front();
                if (rows > 0 && (rows + append.rows > settings_.batch_rows_max ||
                                 bytes + append.bytes > settings_.batch_bytes_max))
                    break;
                pending_bytes_ -= append.bytes;
                if (auto refusal = refusal_of(append, owned)) {
                    refused.emplace_back(std::move(append.done), std::move(*refusal));
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
                build_rows(*batch);
                assign(*batch, owned);
                for (const auto& [partition, stretch] : batch->stretches)
                    accepted_at_ = std::max(accepted_at_, owned.at(partition).accepted_at);
                accepted_at_ = std::max(accepted_at_, settings_.clock());
                batch->accepted_at = accepted_at_;
                batch->number = ++taken_;
                under_way_.emplace(batch->number, batch->accepted_at);
            }
        }
        for (auto& [done, error] : refused) done(std::move(error));
        if (!batch->appends.empty()) return batch;
    }
}

std::optional<Error> PostgresEventLog::refusal_of(const Append& append, const Owned& owned) const {
    std::optional<Error> refusal;
    const auto check = [&](Partition partition) {
        const auto found = owned.find(partition);
        if (found == owned.end())
            refusal = Error{ErrorCode::storage_unavailable,
                            "partition " + std::to_string(partition) + " is not taken over yet"};
        else if (found->second.lost)
            refusal = Error{ErrorCode::fenced, "partition " + std::to_string(partition) +
                                                   " belongs to another process"};
    };
    for (std::size_t i = 0; i < append.drafts.size(); ++i) {
        if (!goes_to_all(append.drafts[i].kind)) {
            check(static_cast<Partition>(append.customer_hashes[i] % settings_.partitions));
            continue;
        }
        for (Partition partition = 0; partition < settings_.partitions; ++partition)
            check(partition);
    }
    return refusal;
}

void PostgresEventLog::build_rows(Batch& batch) {
    batch.rows.clear();
    for (const auto& append : batch.appends) {
        for (std::size_t i = 0; i < append.drafts.size(); ++i) {
            const auto& draft = append.drafts[i];
            const auto hash = append.customer_hashes[i];
            if (!goes_to_all(draft.kind)) {
                batch.rows.push_back({static_cast<Partition>(hash % settings_.partitions), hash,
                                      &draft, draft.record, 0});
                continue;
            }
            for (Partition partition = 0; partition < settings_.partitions; ++partition)
                batch.rows.push_back(
                    {partition, hash, &draft,
                     draft.record ? std::make_shared<Record>(*draft.record) : nullptr, 0});
        }
    }
}

/// Gives the rows the offsets behind the last ones given. Under `mutex_`.
void PostgresEventLog::assign(Batch& batch, const Owned& owned) {
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

/// Whether a batch before this one has failed, so that its offsets would leave a gap. Under
/// `mutex_`.
bool PostgresEventLog::is_stale(const Batch& batch) const {
    return std::ranges::any_of(batch.stretches, [&](const auto& entry) {
        return committed_[entry.first] + 1 != entry.second.first;
    });
}

void PostgresEventLog::process(Lane& lane, Batch& batch) {
    // Before its turn a batch is only copied; whatever goes wrong is seen to when its turn comes.
    (void)copy(lane, batch);
    {
        std::unique_lock lock{mutex_};
        turn_.wait(lock, [&] { return commit_turn_ == batch.number; });
    }
    const auto result = commit_in_turn(lane, batch);
    if (!result) lane.roll_back();
    {
        const std::lock_guard lock{mutex_};
        settle_positions(batch, result.has_value());
        ++commit_turn_;
    }
    turn_.notify_all();
    deliver(batch, result);
}

Result<void> PostgresEventLog::copy(Lane& lane, Batch& batch) {
    auto connected = lane.connection();
    if (!connected) return connected.error();
    auto segment = segment_for(**connected, batch.accepted_at);
    if (!segment) return segment.error();
    batch.segment = std::move(*segment);
    return lane.copy(batch);
}

/// After its turn: what is committed counts, and offsets that were given in vain are given again.
void PostgresEventLog::settle_positions(const Batch& batch, bool committed) {
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
Result<void> PostgresEventLog::commit_in_turn(Lane& lane, Batch& batch) {
    auto wait = 20ms;
    const auto deadline = batch.appends.front().deadline;
    while (true) {
        {
            const std::lock_guard lock{mutex_};
            if (is_stale(batch)) {
                lane.roll_back();
                for (const auto& [partition, stretch] : batch.stretches)
                    positions_[partition].assigned = committed_[partition];
                assign(batch, ownership_.all());
            }
        }
        Error problem{ErrorCode::storage_unavailable, "the log's storage refuses the append"};
        Result<void> copied;
        if (!lane.has_copied(batch)) copied = copy(lane, batch);
        if (copied) {
            const auto fate = commit_surely(lane, batch);
            if (!fate) return fate.error();
            if (*fate == Fate::committed) {
                committed_segment_ = batch.segment;
                healthy_ = true;
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
        healthy_ = false;
        if (Clock::now() >= deadline || !pause(wait)) return problem;
        wait = std::min(2 * wait, std::chrono::milliseconds{1000});
    }
}

/// Commits; where the reply is lost finds out, for as long as that takes. An error: only when
/// stopping.
Result<PostgresEventLog::Fate> PostgresEventLog::commit_surely(Lane& lane, Batch& batch) {
    auto fate = lane.commit(batch, batch.segment != committed_segment_);
    auto wait = 20ms;
    while (fate == Fate::lost_reply) {
        healthy_ = false;
        auto found = lane.look_up(batch);
        if (found) return found;
        if (!pause(wait)) return found.error();
        wait = std::min(2 * wait, std::chrono::milliseconds{1000});
    }
    return fate;
}

/// Refuses the appends that concern a partition of another process, and numbers the rest anew.
void PostgresEventLog::drop_fenced(Batch& batch) {
    std::vector<std::pair<Done, Error>> refused;
    {
        const std::lock_guard lock{mutex_};
        const auto owned = ownership_.all();
        std::erase_if(batch.appends, [&](Append& append) {
            auto refusal = refusal_of(append, owned);
            if (refusal) refused.emplace_back(std::move(append.done), std::move(*refusal));
            return refusal.has_value();
        });
        for (const auto& [partition, stretch] : batch.stretches)
            positions_[partition].assigned = committed_[partition];
        build_rows(batch);
        assign(batch, owned);
    }
    for (auto& [done, error] : refused) done(std::move(error));
}

void PostgresEventLog::deliver(Batch& batch, const Result<void>& result) {
    std::map<Partition, std::vector<RecordPtr>> records;
    if (result) {
        for (const auto& [partition, stretch] : batch.stretches)
            records[partition].reserve(stretch.last - stretch.first + 1);
        for (auto& row : batch.rows) {
            if (!row.record) {
                auto decoded = settings_.codec.decode(row.draft->kind, row.draft->bytes, row.offset,
                                                      batch.accepted_at, row.draft->customer);
                if (!decoded) {
                    spdlog::critical("log: record {} of partition {} cannot be read: {}",
                                     row.offset, row.partition, decoded.error().detail);
                    continue;
                }
                row.record = std::make_shared<Record>(std::move(*decoded));
            } else {
                row.record->offset = row.offset;
                row.record->accepted_at = batch.accepted_at;
                settings_.codec.stamp(*row.record);
            }
            records[row.partition].push_back(std::move(row.record));
        }
    }
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
    return !turn_.wait_for(lock, span, [&] { return stopping_; });
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
    while (pause(settings_.tick)) {
        expire_pending();
        Timestamp closed;
        {
            const std::lock_guard lock{mutex_};
            if (under_way_.empty()) accepted_at_ = std::max(accepted_at_, settings_.clock());
            closed = just_before(under_way_.empty() ? accepted_at_ : under_way_.begin()->second);
        }
        readers_.tick(closed);
    }
}

void PostgresEventLog::expire_pending() {
    std::vector<Append> expired;
    {
        const std::lock_guard lock{mutex_};
        const auto now = Clock::now();
        while (!pending_.empty() && pending_.front().deadline <= now) {
            pending_bytes_ -= pending_.front().bytes;
            expired.push_back(std::move(pending_.front()));
            pending_.pop_front();
        }
    }
    if (!expired.empty()) healthy_ = false;
    for (auto& append : expired)
        append.done(Error{ErrorCode::storage_unavailable, "the log's storage does not answer"});
}

void PostgresEventLog::upkeep_loop() {
    std::optional<Connection> connection;
    std::vector<std::uint64_t> marked;
    while (pause(settings_.upkeep)) {
        if (!connection || connection->is_lost()) {
            connection.reset();
            auto opened = Connection::open(settings_.connection, "upkeep");
            healthy_ = opened.has_value();
            if (!opened) continue;
            connection.emplace(std::move(*opened));
        }
        if (auto done = upkeep(*connection, marked); !done)
            spdlog::warn("log: upkeep: {}", done.error().detail);
        // Whether it takes writes, of which a read-only server refuses even one of nothing.
        healthy_ =
            connection->run("UPDATE log_positions SET last_offset = 0 WHERE false").has_value();
    }
}

Result<void> PostgresEventLog::upkeep(Connection& connection, std::vector<std::uint64_t>& marked) {
    // The log belongs to whoever owns all of it: one that stands by knows no position.
    const auto owned = ownership_.all();
    if (owned.size() < settings_.partitions || ownership_.has_lost()) return {};
    std::vector<std::uint64_t> positions(settings_.partitions);
    Timestamp at;
    {
        const std::lock_guard lock{mutex_};
        // Only what is committed binds the clock of whoever writes the log after us.
        at = committed_at_;
        for (const auto& [partition, of_take_over] : owned) {
            at = std::max(at, of_take_over.accepted_at);
            positions[partition] = of_take_over.last_offset;
        }
        for (const auto& [partition, position] : positions_)
            positions[partition] = std::max(positions[partition], position.assigned);
    }
    if (positions != marked) {
        if (auto noted = add_log_mark(connection, at, positions); !noted) return noted;
        marked = std::move(positions);
    }
    return keep_up_log(connection, {.now = settings_.clock(),
                                    .retention = settings_.retention,
                                    .bytes_max = settings_.bytes_max});
}

void PostgresEventLog::subscribe(Partition partition, std::uint64_t position, caf::actor reader) {
    readers_.subscribe(partition, position, std::move(reader));
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
    const std::lock_guard lock{mutex_};
    questions_.push_back(
        {journeys::hash(customer), partition, std::move(hashes), tag, std::move(asker)});
    asked_.notify_one();
}

void PostgresEventLog::answer_loop() {
    std::optional<Connection> connection;
    while (true) {
        Question question;
        {
            std::unique_lock lock{mutex_};
            asked_.wait(lock, [&] { return stopping_ || !questions_.empty(); });
            if (stopping_) return;
            question = std::move(questions_.front());
            questions_.pop_front();
        }
        Result<actors::SeenBefore> seen = Error{ErrorCode::storage_unavailable, ""};
        for (int attempt = 0; attempt < 2 && !seen;
             ++attempt) { // The first may find a lost connection.
            if (!connection || connection->is_lost()) {
                connection.reset();
                auto opened = Connection::open(settings_.connection, "duplicates");
                if (!opened) break;
                connection.emplace(std::move(*opened));
            }
            seen = answer(*connection, question);
        }
        if (!seen) {
            (void)pause(100ms); // The asker asks again at once.
            seen = actors::SeenBefore{.tag = question.tag, .failed = true};
        }
        caf::anon_send(question.asker, std::move(*seen));
    }
}

Result<actors::SeenBefore> PostgresEventLog::answer(Connection& connection,
                                                    const Question& question) {
    actors::SeenBefore seen{.tag = question.tag};
    auto segments =
        connection.run("SELECT segment FROM log_segments WHERE indexed ORDER BY from_at");
    if (!segments) return segments.error();
    SqlArray hashes{SqlArray::Type::int8};
    for (const auto hash : question.hashes) hashes.add(hash);
    SqlParams params;
    params.add(static_cast<std::int16_t>(question.partition))
        .add(question.customer_hash)
        .add(hashes);
    std::map<std::uint64_t, std::uint64_t> first; // Offset by hash.
    for (int i = 0; i < segments->size(); ++i) {
        const auto sql = "SELECT message_hash, min(\"offset\") FROM " +
                         std::string{segments->bytes(i, 0)} +
                         " WHERE partition = $1 AND customer_hash = $2 AND message_hash = ANY($3) "
                         "GROUP BY 1";
        auto rows = connection.run(sql.c_str(), params);
        if (!rows) return rows.error();
        for (int row = 0; row < rows->size(); ++row)
            first.try_emplace(rows->uint8(row, 0), rows->uint8(row, 1));
    }
    for (const auto& [hash, offset] : first) {
        seen.hashes.push_back(hash);
        seen.offsets.push_back(offset);
    }
    return seen;
}

} // namespace runtime
