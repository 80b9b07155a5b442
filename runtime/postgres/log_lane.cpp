#include "runtime/postgres/log_lane.hpp"

#include "actors/failpoint.hpp"
#include "journeys/mutant.hpp"
#include "runtime/postgres/binary.hpp"
#include "runtime/postgres/keyed_lookups.hpp"
#include "runtime/postgres/walk_sql.hpp"

#include <spdlog/spdlog.h>

#include <charconv>
#include <map>
#include <string_view>
#include <utility>

namespace runtime {

using actors::Partition;
using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

namespace {

constexpr std::size_t chunk_bytes = 256 << 10;

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

std::vector<Partition> fenced_partitions(const SqlRows& fence, const AppendBatch& batch) {
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

} // namespace

Result<Connection*> LogLane::connection() {
    if (connection_ && !connection_->is_lost()) return &*connection_;
    open_batch_ = 0;
    connection_.reset();
    auto opened = Connection::open(settings_, "journal");
    if (!opened) return opened.error();
    // Without retries of ours in between, what is planned once serves every batch.
    auto prepared = opened->run_script(
        std::string{looks_up_by_key} +
        "; PREPARE fence (smallint[]) AS SELECT partition, epoch FROM partitions "
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

bool LogLane::has_copied(const AppendBatch& batch) const {
    return open_batch_ == batch.number && connection_ && !connection_->is_lost();
}

Result<void> LogLane::copy(const AppendBatch& batch) {
    auto connected = connection();
    if (!connected) return connected.error();
    auto& to = **connected;
    const auto partitions =
        array_text(batch.stretches, [](const auto& entry) { return entry.first; });
    auto fence = to.begin_copy("BEGIN; EXECUTE fence(" + partitions + "); COPY " + batch.segment +
                               " FROM STDIN (FORMAT binary)");
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

LogLane::Fate LogLane::commit(const AppendBatch& batch, bool closes_segments) {
    const auto at = std::to_string(journeys::to_millis(batch.accepted_at));
    std::string sql;
    if (closes_segments)
        sql += "EXECUTE note_ends(" + at + "); EXECUTE close_segments(" + at + "); ";
    sql += "EXECUTE move(" +
           array_text(batch.stretches, [](const auto& entry) { return entry.first; }) + ", " +
           array_text(batch.stretches, [](const auto& entry) { return entry.second.last; }) + ", " +
           at + "); ";
    std::vector<std::int64_t> transfers;
    for (const auto& append : batch.appends)
        transfers.insert(transfers.end(), append.transfers.begin(), append.transfers.end());
    if (!transfers.empty())
        sql += "DELETE FROM transfers WHERE sequence = ANY(" +
               array_text(transfers, [](auto transfer) { return transfer; }) + "::bigint[]); ";
    const bool walks_later = journeys::is_mutant(journeys::Mutant::walk_outside_transaction);
    for (const auto& append : batch.appends)
        if (append.progress && !walks_later) sql += move_walk_sql(*append.progress) + "; ";
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

Result<LogLane::Fate> LogLane::look_up(const AppendBatch& batch) {
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

void LogLane::roll_back() {
    open_batch_ = 0;
    if (connection_ && !connection_->is_lost()) (void)connection_->run_script("ROLLBACK");
}

Result<void> LogLane::send_rows(Connection& to, const AppendBatch& batch) {
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

} // namespace runtime
