#include "runtime/postgres/log_readers.hpp"

#include "actors/messages.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>

namespace runtime {

using actors::Partition;
using journeys::Error;
using journeys::ErrorCode;
using journeys::Record;
using journeys::RecordPtr;
using journeys::Result;
using journeys::Timestamp;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t page_records = 1000;
constexpr std::size_t pages_out_max = 64;
/// A lag that is small enough to keep what is committed meanwhile in memory.
constexpr std::uint64_t join_records_max = 20'000;
constexpr int passes_max = 5;

Timestamp just_before(Timestamp at) { return at - journeys::Duration{1}; }

} // namespace

/// Pages of replayed records that someone still holds.
class LogReaders::Credit {
public:
    /// Waits for a free page, but not for ever: one that a reader keeps must not stop the others.
    void take() {
        std::unique_lock lock{mutex_};
        freed_.wait_for(lock, 1s, [&] { return out_ < pages_out_max || stopping_; });
        ++out_;
    }
    void give() {
        const std::lock_guard lock{mutex_};
        --out_;
        freed_.notify_one();
    }
    void stop() {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
        freed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable freed_;
    std::size_t out_ = 0;
    bool stopping_ = false;
};

/// Takes rows as they lie in the tables, where those of appends that ran at the same time are
/// mixed, and sends them on in the order of their offsets.
class LogReaders::Pass {
public:
    Pass(Stretches& stretches, const LogCodec& codec, std::shared_ptr<Credit> credit)
        : stretches_(stretches), codec_(codec), credit_(std::move(credit)) {}

    void take(const SqlRows& row) {
        const auto partition = static_cast<Partition>(row.int2(0, 0));
        auto& stretch = stretches_.at(partition);
        const auto offset = row.uint8(0, 1);
        if (offset <= stretch.position || offset > stretch.goal) return;
        Stored stored{.accepted_at = row.time(0, 2),
                      .kind = static_cast<journeys::RecordKind>(row.int2(0, 3)),
                      .customer = std::string{row.bytes(0, 4)},
                      .body = std::string{row.bytes(0, 5)}};
        auto& early = early_[partition];
        if (offset != stretch.position + 1) {
            early.emplace(offset, std::move(stored));
            return;
        }
        add(partition, stretch, offset, stored);
        while (!early.empty() && early.begin()->first == stretch.position + 1) {
            auto next = early.extract(early.begin());
            add(partition, stretch, next.key(), next.mapped());
        }
    }

    void send_rest() {
        for (auto& [partition, page] : pages_) send(partition, page);
    }

private:
    struct Stored {
        Timestamp accepted_at{};
        journeys::RecordKind kind{};
        std::string customer, body;
    };
    struct Page {
        explicit Page(std::shared_ptr<Credit> from) : credit(std::move(from)) { credit->take(); }
        ~Page() { credit->give(); }
        Page(const Page&) = delete;
        std::shared_ptr<Credit> credit;
        std::deque<Record> records; // Its items stay where they are.
    };

    void add(Partition partition, Stretch& stretch, std::uint64_t offset, const Stored& stored) {
        stretch.position = offset;
        const auto customer = journeys::parse_customer_id(stored.customer);
        auto& page = pages_[partition];
        if (!page) page = std::make_shared<Page>(credit_);
        page->records.push_back(decode_or_keep(codec_, stored.kind, stored.body, offset,
                                               stored.accepted_at,
                                               customer.value_or(journeys::CustomerId{})));
        if (page->records.size() >= page_records) send(partition, page);
    }

    void send(Partition partition, std::shared_ptr<Page>& page) {
        if (!page) return;
        std::vector<RecordPtr> records;
        records.reserve(page->records.size());
        for (const auto& record : page->records) records.emplace_back(page, &record);
        const auto closed = just_before(records.back()->accepted_at);
        page.reset();
        caf::anon_send(stretches_.at(partition).actor,
                       actors::LogBatch{partition, std::move(records), closed, false});
    }

    Stretches& stretches_;
    const LogCodec& codec_;
    std::shared_ptr<Credit> credit_;
    std::map<Partition, std::map<std::uint64_t, Stored>> early_;
    std::map<Partition, std::shared_ptr<Page>> pages_;
};

LogReaders::LogReaders(ConnectionSettings settings, LogCodec codec, const Ownership& ownership)
    : settings_(std::move(settings)), codec_(std::move(codec)), ownership_(ownership),
      credit_(std::make_shared<Credit>()), thread_([this] { replay_loop(); }) {}

LogReaders::~LogReaders() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    credit_->stop();
    wake_.notify_all();
    thread_.join();
}

void LogReaders::subscribe(Partition partition, std::uint64_t position, caf::actor reader) {
    const std::lock_guard lock{mutex_};
    auto& state = states_[partition];
    if (const auto owned = ownership_.find(partition))
        state.delivered = std::max(state.delivered, owned->last_offset);
    state.reader = Reader{.actor = std::move(reader),
                          .position = position,
                          .generation = ++generations_,
                          .phase = Phase::waiting};
    waiting_.insert(partition);
    wake_.notify_all();
}

void LogReaders::send_batch(Reader& reader, Partition partition, std::vector<RecordPtr> records,
                            Timestamp closed) {
    reader.position = records.back()->offset;
    reader.closed = std::max(reader.closed, closed);
    caf::anon_send(reader.actor,
                   actors::LogBatch{partition, std::move(records), reader.closed, true});
}

void LogReaders::deliver(Partition partition, std::vector<RecordPtr> records, Timestamp closed) {
    const std::lock_guard lock{mutex_};
    auto& state = states_[partition];
    state.delivered = records.back()->offset;
    if (!state.reader) return;
    auto& reader = *state.reader;
    if (reader.phase == Phase::live)
        send_batch(reader, partition, std::move(records), closed);
    else if (reader.phase == Phase::joining)
        reader.held.insert(reader.held.end(), std::make_move_iterator(records.begin()),
                           std::make_move_iterator(records.end()));
}

void LogReaders::tick(Timestamp closed, const std::function<bool(Partition)>& is_told) {
    const std::lock_guard lock{mutex_};
    for (auto& [partition, state] : states_) {
        if (!state.reader || state.reader->phase != Phase::live || state.reader->closed >= closed ||
            !is_told(partition))
            continue;
        state.reader->closed = closed;
        caf::anon_send(state.reader->actor, actors::LogClosed{partition, closed});
    }
}

void LogReaders::replay_loop() {
    auto pause = 50ms;
    while (true) {
        std::set<Partition> partitions;
        {
            std::unique_lock lock{mutex_};
            wake_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
            if (stopping_) return;
            partitions = waiting_;
        }
        if (replay(partitions)) {
            pause = 50ms;
            continue;
        }
        std::unique_lock lock{mutex_};
        wake_.wait_for(lock, pause, [&] { return stopping_; });
        pause = std::min(2 * pause, 1000ms);
    }
}

LogReaders::Stretches LogReaders::plan(const std::set<Partition>& partitions, bool join) {
    const std::lock_guard lock{mutex_};
    Stretches stretches;
    for (const auto partition : partitions) {
        auto& state = states_.at(partition);
        auto& reader = *state.reader;
        if (reader.phase == Phase::live) continue;
        if (reader.phase != Phase::joining) reader.phase = join ? Phase::joining : Phase::replaying;
        // What is held begins behind the goal of the pass at which holding began.
        const auto goal = reader.held.empty() ? state.delivered : reader.held.front()->offset - 1;
        stretches[partition] = {reader.actor, reader.generation, reader.position, goal};
    }
    return stretches;
}

void LogReaders::reached(const Stretches& stretches, bool join) {
    const std::lock_guard lock{mutex_};
    for (const auto& [partition, stretch] : stretches) {
        auto& reader = *states_.at(partition).reader;
        if (reader.generation != stretch.generation) continue; // Another one has subscribed.
        reader.position = stretch.position;
        if (!join || stretch.position < stretch.goal) continue;
        reader.phase = Phase::live;
        waiting_.erase(partition);
        if (auto held = std::exchange(reader.held, {}); !held.empty()) {
            const auto closed = just_before(held.back()->accepted_at);
            send_batch(reader, partition, std::move(held), closed);
        }
    }
}

/// Brings the partitions up to the live end; false where it has to be tried again.
bool LogReaders::replay(const std::set<Partition>& partitions) {
    std::optional<Connection> connection;
    for (int pass = 1;; ++pass) {
        auto stretches = plan(partitions, false);
        const auto is_near = [](const auto& entry) {
            return entry.second.goal <= entry.second.position + join_records_max;
        };
        const bool join = pass >= passes_max || std::ranges::all_of(stretches, is_near);
        if (join) stretches = plan(partitions, true);
        const auto is_behind = [](const auto& entry) {
            return entry.second.position < entry.second.goal;
        };
        if (std::ranges::any_of(stretches, is_behind)) {
            if (!connection) {
                auto settings = settings_;
                settings.reply_timeout = 10min; // A scan may pass over much before its first row.
                auto opened = Connection::open(settings, "replay");
                if (!opened) return false;
                connection.emplace(std::move(*opened));
            }
            const auto scanned = scan(*connection, stretches);
            reached(stretches, join);
            if (!scanned) {
                spdlog::warn("log: replay: {}", scanned.error().detail);
                return false;
            }
            if (std::ranges::any_of(stretches, is_behind)) {
                for (const auto& [partition, stretch] : stretches)
                    if (stretch.position < stretch.goal)
                        spdlog::critical("log: partition {} has no record {}, and ends at {}",
                                         partition, stretch.position + 1, stretch.goal);
                return false;
            }
        } else
            reached(stretches, join);
        if (join) return true;
    }
}

Result<void> LogReaders::scan(Connection& connection, Stretches& stretches) {
    if (auto set = connection.run_script("SET synchronize_seqscans = off; "
                                         "SET max_parallel_workers_per_gather = 0");
        !set)
        return set.error();
    SqlArray partitions{SqlArray::Type::int2};
    SqlArray positions{SqlArray::Type::int8};
    for (const auto& [partition, stretch] : stretches) {
        partitions.add(static_cast<std::int16_t>(partition));
        positions.add(stretch.position);
    }
    SqlParams wanted;
    wanted.add(partitions).add(positions);
    auto segments =
        connection.run("SELECT segment, begin.at FROM log_segments, "
                       "(SELECT min(coalesce((SELECT max(accepted_at) FROM log_marks "
                       "WHERE positions[w.partition + 1] <= w.position), 'epoch')) AS at "
                       "FROM unnest($1, $2) AS w (partition, position)) AS begin "
                       "WHERE until_at > begin.at ORDER BY from_at",
                       wanted);
    if (!segments) return segments.error();

    Pass pass{stretches, codec_, credit_};
    std::deque<std::string> statements; // The connection keeps their addresses.
    const auto is_stopping = [&] {
        const std::lock_guard lock{mutex_};
        return stopping_;
    };
    for (int i = 0; i < segments->size() && !is_stopping(); ++i) {
        SqlParams params;
        params.add(segments->time(i, 1)).add(partitions);
        statements.push_back(
            "SELECT partition, \"offset\", accepted_at, kind, customer, body FROM " +
            std::string{segments->bytes(i, 0)} +
            " WHERE accepted_at >= $1 AND partition = ANY($2)");
        auto streamed = connection.stream(statements.back().c_str(), params,
                                          [&](const SqlRows& row) { pass.take(row); });
        // What came before a lost connection was in order: it counts.
        if (!streamed || i + 1 == segments->size()) pass.send_rest();
        if (!streamed) return streamed;
    }
    return {};
}

} // namespace runtime
