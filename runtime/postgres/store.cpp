#include "runtime/postgres/store.hpp"

#include "actors/failpoint.hpp"
#include "actors/messages.hpp"
#include "runtime/postgres/former_owners.hpp"
#include "runtime/postgres/keyed_lookups.hpp"
#include "runtime/thread_name.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <unordered_map>

namespace runtime {

using actors::Partition;
using journeys::CustomerId;
using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;
using journeys::Timestamp;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

CustomerId customer_in(std::string_view text) {
    return journeys::parse_customer_id(text).value_or(CustomerId{});
}

Error stopped() { return Error{ErrorCode::storage_unavailable, "the store is being closed"}; }

/// The new epoch. Waits for what the owner before has under way, but not for ever: it may be stuck
/// again.
Result<std::uint64_t> raise_epoch(Connection& connection, Partition partition,
                                  const std::string& instance) {
    SqlParams params;
    params.add(static_cast<std::int16_t>(partition)).add_text(instance);
    auto transaction = Transaction::begin(connection);
    if (!transaction) return transaction.error();
    if (auto set = connection.run("SET LOCAL lock_timeout = '5s'"); !set) return set.error();
    auto raised = connection.run("UPDATE partitions SET epoch = epoch + 1, owner = $2 "
                                 "WHERE partition = $1 RETURNING epoch",
                                 params);
    if (!raised) return raised.error();
    if (auto committed = transaction->commit(); !committed) return committed.error();
    return raised->uint8(0, 0);
}

Result<actors::TakenOver> take_over_now(Connection& connection, Partition partition,
                                        const std::string& instance, Ownership& ownership) {
    SqlParams which;
    which.add(static_cast<std::int16_t>(partition));
    for (const char* sql :
         {"INSERT INTO partitions (partition) VALUES ($1) ON CONFLICT DO NOTHING",
          "INSERT INTO progress (partition) VALUES ($1) ON CONFLICT DO NOTHING",
          "INSERT INTO log_positions (partition) VALUES ($1) ON CONFLICT DO NOTHING"})
        if (auto made = connection.run(sql, which); !made) return made.error();

    auto owner = connection.run("SELECT owner FROM partitions WHERE partition = $1", which);
    if (!owner) return owner.error();
    if (const std::string before{owner->bytes(0, 0)}; !before.empty() && before != instance)
        if (auto ended = end_instance(connection, before); !ended) return ended.error();

    const auto epoch = raise_epoch(connection, partition, instance);
    if (!epoch) return epoch.error();
    // Only now: whatever the owner before has written is committed or never will be.
    // The log's clock goes on behind whatever timers have fired by, should ours have been set back.
    auto row = connection.run("SELECT watermark, flush_sequence, publication, last_offset, "
                              "greatest(accepted_at, flushed_at, closed + interval '1 ms'), "
                              "swept "
                              "FROM progress JOIN log_positions USING (partition) "
                              "WHERE partition = $1",
                              which);
    if (!row) return row.error();
    auto eras = connection.run("SELECT publication, until FROM publication_eras "
                               "WHERE partition = $1 ORDER BY n",
                               which);
    if (!eras) return eras.error();
    std::vector<actors::PublishedEra> before;
    for (int i = 0; i < eras->size(); ++i) before.push_back({eras->uint8(i, 0), eras->time(i, 1)});
    auto released = connection.run(
        "SELECT DISTINCT customer FROM parked WHERE partition = $1 AND released", which);
    if (!released) return released.error();
    std::vector<CustomerId> to_release;
    for (int i = 0; i < released->size(); ++i)
        to_release.push_back(customer_in(released->bytes(i, 0)));
    const actors::TakenOver taken{
        .partition = partition,
        .epoch = *epoch,
        .watermark = row->uint8(0, 0),
        .last_offset = row->uint8(0, 3),
        .flush_sequence = row->uint8(0, 1),
        .publication = row->uint8(0, 2),
        .eras = std::make_shared<const std::vector<actors::PublishedEra>>(std::move(before)),
        .swept = row->uint8(0, 5),
        .to_release = std::move(to_release)};
    ownership.take(partition, {.epoch = taken.epoch,
                               .last_offset = taken.last_offset,
                               .watermark = taken.watermark,
                               .accepted_at = row->time(0, 4)});
    return taken;
}

Result<actors::Loaded> load_now(Connection& connection, Partition partition,
                                const std::vector<CustomerId>& customers) {
    SqlArray ids{SqlArray::Type::bytea};
    for (const auto& customer : customers) ids.add(journeys::to_text(customer));
    SqlParams params;
    params.add(ids);
    // As one statement: those who come are few at a time, and what they wait for is its round trip.
    auto rows = connection.run(
        "SELECT customer, block, NULL::text, 0::bigint FROM snapshots WHERE customer = ANY($1) "
        "UNION ALL SELECT customer, NULL, (array_agg(reason ORDER BY id))[1], count(*) "
        "FROM parked WHERE customer = ANY($1) GROUP BY customer",
        params);
    if (!rows) return rows.error();

    std::unordered_map<std::string_view, int> row_of, parked_of;
    for (int row = 0; row < rows->size(); ++row)
        (rows->is_null(row, 1) ? parked_of : row_of).emplace(rows->bytes(row, 0), row);

    actors::Loaded loaded{.partition = partition};
    for (const auto& customer : customers) {
        auto& entry = loaded.entries.emplace_back();
        entry.customer = customer;
        const auto text = journeys::to_text(customer);
        if (const auto found = row_of.find(text); found != row_of.end())
            entry.block = actors::Block{rows->bytes(found->second, 1)};
        if (const auto found = parked_of.find(text); found != parked_of.end()) {
            entry.quarantined = rows->bytes(found->second, 2);
            entry.parked = static_cast<std::uint32_t>(rows->int8(found->second, 3));
        }
    }
    return loaded;
}

Result<actors::LoadedParked> load_parked_now(Connection& connection, const CustomerId& customer,
                                             const LogCodec& codec) {
    SqlParams params;
    params.add_bytes(journeys::to_text(customer));
    auto snapshot = connection.run("SELECT block FROM snapshots WHERE customer = $1", params);
    if (!snapshot) return snapshot.error();
    auto rows = connection.run("SELECT \"offset\", accepted_at, kind, body FROM parked "
                               "WHERE customer = $1 AND body IS NOT NULL ORDER BY \"offset\"",
                               params);
    if (!rows) return rows.error();
    actors::LoadedParked loaded{.customer = customer};
    if (!snapshot->empty()) loaded.block = actors::Block{snapshot->bytes(0, 0)};
    for (int row = 0; row < rows->size(); ++row) {
        loaded.records.push_back(std::make_shared<const journeys::Record>(decode_or_keep(
            codec, static_cast<journeys::RecordKind>(rows->int2(row, 2)), rows->bytes(row, 3),
            rows->uint8(row, 0), rows->time(row, 1), customer)));
    }
    return loaded;
}

Result<actors::Due> due_now(Connection& connection, Partition partition, Timestamp before,
                            std::size_t limit) {
    SqlParams params;
    params.add(static_cast<std::int16_t>(partition)).add(static_cast<std::int64_t>(limit) + 1);
    auto rows = connection.run("SELECT customer, wake_at FROM snapshots WHERE partition = $1 "
                               "AND wake_at IS NOT NULL ORDER BY wake_at LIMIT $2",
                               params);
    if (!rows) return rows.error();
    actors::Due due{.partition = partition};
    for (int row = 0; row < rows->size(); ++row) {
        const auto wake_at = rows->time(row, 1);
        if (wake_at > before || due.entries.size() == limit) {
            due.next = wake_at;
            break;
        }
        due.entries.push_back({customer_in(rows->bytes(row, 0)), wake_at});
    }
    return due;
}

Result<actors::Waiting> waiting_now(Connection& connection, Partition partition,
                                    const actors::WaitingCursor& cursor, std::size_t limit) {
    SqlParams params;
    params.add(static_cast<std::int16_t>(partition)).add(cursor.wake_at);
    params.add_bytes(journeys::to_text(cursor.customer)).add(static_cast<std::int64_t>(limit));
    // The first condition is what the index serves; of equal instants there are few.
    auto rows = connection.run(
        "SELECT wake_at, customer FROM snapshots WHERE partition = $1 AND wake_at >= $2 "
        "AND (wake_at, customer) > ($2, $3) ORDER BY wake_at, customer LIMIT $4",
        params);
    if (!rows) return rows.error();
    actors::Waiting waiting{.partition = partition};
    for (int row = 0; row < rows->size(); ++row)
        waiting.entries.push_back({rows->time(row, 0), customer_in(rows->bytes(row, 1))});
    return waiting;
}

constexpr const char* outbox_columns =
    "SELECT intent, customer, journey, version, key, step, channel, template, topic, priority, "
    "delivery, state = 'claimed', address, payload, epoch, opened_at, expires_at, attempts, failed "
    "FROM outbox ";

std::vector<actors::OutboxRow> outbox_rows(const SqlRows& answer) {
    std::vector<actors::OutboxRow> read;
    read.reserve(static_cast<std::size_t>(answer.size()));
    const auto* const rows = &answer;
    for (int row = 0; row < rows->size(); ++row) {
        const auto text = [&](int column) { return std::string{rows->bytes(row, column)}; };
        auto& entry = read.emplace_back();
        entry.intent = {.id = rows->intent(row, 0),
                        .journey = text(2),
                        .key = text(4),
                        .step = text(5),
                        .channel = text(6),
                        .template_name = text(7),
                        .topic = text(8),
                        .version = rows->uint8(row, 3),
                        .priority = rows->int4(row, 9),
                        .delivery = static_cast<journeys::Delivery>(rows->int2(row, 10)),
                        .at = rows->time(row, 15),
                        .expires_at = rows->time(row, 16)};
        entry.customer = customer_in(rows->bytes(row, 1));
        entry.state = rows->boolean(row, 11) ? journeys::IntentState::claimed
                                             : journeys::IntentState::pending;
        entry.address = text(12);
        entry.payload = text(13);
        entry.epoch = rows->uint8(row, 14);
        entry.attempts = rows->int4(row, 17);
        entry.failed = rows->boolean(row, 18);
    }
    return read;
}

Result<actors::OpenIntents> open_now(Connection& connection, Partition partition) {
    SqlParams params;
    params.add(static_cast<std::int16_t>(partition));
    static const std::string sql =
        std::string{outbox_columns} +
        "WHERE partition = $1 AND state = 'claimed' ORDER BY opened_at, intent";
    auto rows = connection.run(sql.c_str(), params);
    if (!rows) return rows.error();
    return actors::OpenIntents{.partition = partition, .rows = outbox_rows(*rows)};
}

Result<actors::PendingIntents> pending_now(Connection& connection, Partition partition,
                                           const std::string& channel, std::size_t limit) {
    SqlParams params;
    params.add(static_cast<std::int16_t>(partition)).add_text(channel);
    params.add(static_cast<std::int64_t>(limit));
    static const std::string sql = std::string{outbox_columns} +
                                   "WHERE partition = $1 AND channel = $2 AND state = 'pending' "
                                   "ORDER BY opened_at, intent LIMIT $3";
    auto rows = connection.run(sql.c_str(), params);
    if (!rows) return rows.error();
    return actors::PendingIntents{.partition = partition,
                                  .channel = channel,
                                  .rows = outbox_rows(*rows),
                                  .is_more = static_cast<std::size_t>(rows->size()) == limit};
}

} // namespace

PostgresStore::PostgresStore(StoreSettings settings, Ownership& ownership)
    : settings_(std::move(settings)), ownership_(ownership) {
    for (int i = 0; i < settings_.load_workers; ++i) threads_.emplace_back([this] { task_loop(); });
    for (int i = 0; i < settings_.flush_workers; ++i)
        threads_.emplace_back([this, only_urgent = i == 0 && settings_.flush_workers > 1] {
            flush_loop(only_urgent);
        });
}

PostgresStore::~PostgresStore() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    asked_.notify_all();
    flush_asked_.notify_all();
    stopped_.notify_all();
    for (auto& thread : threads_) thread.join();
}

void PostgresStore::ask(Task task) {
    const std::lock_guard lock{mutex_};
    tasks_.push_back(std::move(task));
    asked_.notify_one();
}

bool PostgresStore::pause(std::chrono::milliseconds span) {
    std::unique_lock lock{mutex_};
    return !stopped_.wait_for(lock, span, [&] { return stopping_; });
}

Result<Connection*> PostgresStore::connected(std::optional<Connection>& connection,
                                             std::string_view role) {
    const auto deadline = Clock::now() + settings_.patience;
    for (auto wait = 20ms;; wait = std::min(2 * wait, 500ms)) {
        if (connection && !connection->is_lost()) return &*connection;
        connection.reset();
        auto opened = Connection::open(settings_.connection, role);
        if (opened) {
            if (auto set = opened->run_script(looks_up_by_key); set)
                connection.emplace(std::move(*opened));
            else
                opened = set.error();
        }
        if (opened) continue;
        if (Clock::now() + wait >= deadline) return opened.error();
        if (!pause(wait)) return stopped();
    }
}

void PostgresStore::task_loop() {
    name_thread("store load");
    std::optional<Connection> connection;
    while (true) {
        Task task;
        {
            std::unique_lock lock{mutex_};
            asked_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
            if (stopping_) return;
            task = std::move(tasks_.front());
            tasks_.pop_front();
        }
        Result<void> done;
        for (int attempt = 0; attempt < 2; ++attempt) { // The first may find a lost connection.
            const auto ready = connected(connection, "load");
            done = ready ? task.run(**ready) : Result<void>{ready.error()};
            if (done || !connection || !connection->is_lost()) break;
        }
        if (done) continue;
        spdlog::warn("store: {}", done.error().detail);
        if (!pause(20ms)) return; // The asker asks again at once.
        task.fail(done.error());
    }
}

void PostgresStore::take_over(Partition partition, caf::actor asker) {
    ask({.run = [this, partition, asker](Connection& connection) -> Result<void> {
             if (actors::failpoint("take_over.before"))
                 return Error{ErrorCode::storage_unavailable, "failpoint"};
             auto taken =
                 take_over_now(connection, partition, settings_.connection.instance, ownership_);
             if (!taken) return taken.error();
             (void)actors::failpoint("take_over.after");
             caf::anon_send(asker, *taken);
             return {};
         },
         .fail =
             [partition, asker](const Error& error) {
                 caf::anon_send(asker, actors::TakeOverFailed{partition, error});
             }});
}

void PostgresStore::load(Partition partition, std::vector<CustomerId> customers, caf::actor asker) {
    ask({.run = [partition, customers = std::move(customers),
                 asker](Connection& connection) -> Result<void> {
             auto loaded = load_now(connection, partition, customers);
             if (!loaded) return loaded.error();
             caf::anon_send(asker, std::move(*loaded));
             return {};
         },
         .fail =
             [partition, asker](const Error&) {
                 caf::anon_send(asker, actors::Loaded{.partition = partition, .failed = true});
             }});
}

void PostgresStore::load_parked(Partition, CustomerId customer, caf::actor asker) {
    ask({.run = [this, customer, asker](Connection& connection) -> Result<void> {
             auto loaded = load_parked_now(connection, customer, settings_.codec);
             if (!loaded) return loaded.error();
             caf::anon_send(asker, std::move(*loaded));
             return {};
         },
         .fail =
             [customer, asker](const Error&) {
                 caf::anon_send(asker, actors::LoadedParked{.customer = customer, .failed = true});
             }});
}

void PostgresStore::find_due(Partition partition, Timestamp before, std::size_t limit,
                             caf::actor asker) {
    ask({.run = [=](Connection& connection) -> Result<void> {
             auto due = due_now(connection, partition, before, limit);
             if (!due) return due.error();
             caf::anon_send(asker, std::move(*due));
             return {};
         },
         .fail =
             [partition, asker](const Error&) {
                 caf::anon_send(asker, actors::Due{.partition = partition, .failed = true});
             }});
}

void PostgresStore::find_waiting(Partition partition, actors::WaitingCursor cursor,
                                 std::size_t limit, std::uint64_t tag, caf::actor asker) {
    ask({.run = [=](Connection& connection) -> Result<void> {
             auto waiting = waiting_now(connection, partition, cursor, limit);
             if (!waiting) return waiting.error();
             waiting->tag = tag;
             caf::anon_send(asker, std::move(*waiting));
             return {};
         },
         .fail =
             [partition, tag, asker](const Error&) {
                 caf::anon_send(
                     asker, actors::Waiting{.partition = partition, .tag = tag, .failed = true});
             }});
}

void PostgresStore::open_intents(Partition partition, caf::actor asker) {
    ask({.run = [=](Connection& connection) -> Result<void> {
             auto open = open_now(connection, partition);
             if (!open) return open.error();
             caf::anon_send(asker, std::move(*open));
             return {};
         },
         .fail =
             [partition, asker](const Error&) {
                 caf::anon_send(asker, actors::OpenIntents{.partition = partition, .failed = true});
             }});
}

void PostgresStore::pending_intents(Partition partition, std::string channel, std::size_t limit,
                                    caf::actor asker) {
    ask({.run = [=](Connection& connection) -> Result<void> {
             auto pending = pending_now(connection, partition, channel, limit);
             if (!pending) return pending.error();
             caf::anon_send(asker, std::move(*pending));
             return {};
         },
         .fail =
             [=](const Error&) {
                 caf::anon_send(asker, actors::PendingIntents{.partition = partition,
                                                              .channel = channel,
                                                              .failed = true});
             }});
}

void PostgresStore::flush(std::shared_ptr<const actors::FlushRequest> request, caf::actor asker) {
    const std::lock_guard lock{mutex_};
    flushes_.push_back({std::move(request), std::move(asker), Clock::now()});
    flush_asked_.notify_all();
}

void PostgresStore::gather_while(std::function<bool()> is_behind) {
    const std::lock_guard lock{mutex_};
    is_behind_ = std::move(is_behind);
}

/// What can be written together now, once it has been gathered for long enough; empty when
/// stopping.
PostgresStore::Flushes PostgresStore::take_flushes(bool only_urgent) {
    std::unique_lock lock{mutex_};
    Candidates next;
    while (true) {
        if (stopping_) return {};
        next = next_flushes(only_urgent);
        if (next.places.empty()) {
            flush_asked_.wait(lock);
            continue;
        }
        const auto until = gathered_at(next);
        if (next.customers >= settings_.gather_customers || Clock::now() >= until) break;
        flush_asked_.wait_until(lock, until);
    }
    Flushes taken;
    for (const auto place : next.places) taken.push_back(std::move(flushes_[place]));
    std::erase_if(flushes_, [](const Flush& flush) { return !flush.request; });
    for (const auto& flush : taken) flushing_.insert(flush.request->partition);
    return taken;
}

/// Of each partition only from its oldest request on, and none of one that another worker writes.
/// Under `mutex_`.
PostgresStore::Candidates PostgresStore::next_flushes(bool only_urgent) const {
    Candidates next;
    std::set<Partition> passed_over;
    for (std::size_t place = 0; place < flushes_.size(); ++place) {
        const auto& request = *flushes_[place].request;
        const auto size = request.customers.size();
        if (flushing_.contains(request.partition) || passed_over.contains(request.partition) ||
            (only_urgent && !request.is_urgent) ||
            (!next.places.empty() && next.customers + size > settings_.flush_customers_max)) {
            passed_over.insert(request.partition);
            continue;
        }
        next.customers += size;
        next.places.push_back(place);
    }
    return next;
}

/// When the oldest of them has waited for others for long enough. Under `mutex_`.
Clock::time_point PostgresStore::gathered_at(const Candidates& candidates) const {
    if (!is_behind_ || !is_behind_()) return Clock::time_point::min();
    return flushes_[candidates.places.front()].asked_at + settings_.gather_max;
}

void PostgresStore::flush_loop(bool only_urgent) {
    name_thread(only_urgent ? "flush urgent" : "flush");
    std::optional<Connection> connection;
    while (true) {
        const auto flushes = take_flushes(only_urgent);
        if (flushes.empty()) return;
        write(connection, flushes);
    }
}

void PostgresStore::write(std::optional<Connection>& connection, const Flushes& flushes) {
    FlushRequests requests;
    for (const auto& flush : flushes) requests.push_back(flush.request);
    auto answers = try_to_write(connection, requests);
    if (!answers && answers.error().code != ErrorCode::storage_unavailable && flushes.size() > 1) {
        // One of them is at fault; the others are not to suffer.
        for (const auto& flush : flushes) {
            {
                const std::lock_guard lock{mutex_};
                flushing_.insert(flush.request->partition);
            }
            write(connection, {flush});
        }
        return;
    }
    if (!answers) spdlog::warn("store: a flush failed: {}", answers.error().detail);
    {
        const std::lock_guard lock{mutex_};
        for (const auto& flush : flushes) flushing_.erase(flush.request->partition);
    }
    flush_asked_.notify_all();
    for (const auto& flush : flushes) {
        const auto& request = *flush.request;
        Result<void> result;
        if (!answers) {
            result = answers.error();
            if (answers.error().code == ErrorCode::fenced)
                ownership_.lose(request.partition, request.epoch);
        } else if (std::ranges::count(answers->fenced, flush.request) > 0) {
            ownership_.lose(request.partition, request.epoch);
            result = Error{ErrorCode::fenced, "partition " + std::to_string(request.partition) +
                                                  " belongs to another process"};
        }
        caf::anon_send(flush.asker, actors::Flushed{request.partition, request.sequence, result});
    }
    if (answers && answers->moves) settings_.on_moves();
}

/// Until it is known to be written, or `patience` is over. What was written before a lost reply is
/// recognised by its sequence.
Result<FlushAnswers> PostgresStore::try_to_write(std::optional<Connection>& connection,
                                                 const FlushRequests& requests) {
    const auto deadline = Clock::now() + settings_.patience;
    while (true) {
        auto ready = connected(connection, "flush");
        if (!ready) return ready.error();
        if (auto ended = end_lost_backends(**ready); !ended) {
            if (Clock::now() >= deadline || !pause(20ms)) return ended.error();
            continue;
        }
        auto answers = write_flush(**ready, requests, settings_.codec, settings_.clock());
        if (answers) return answers;
        if (connection->is_lost()) {
            const std::lock_guard lock{mutex_};
            lost_backends_.insert(connection->name());
        } else if (answers.error().code != ErrorCode::storage_unavailable) {
            return answers;
        }
        if (Clock::now() >= deadline || !pause(20ms)) return answers;
    }
}

Result<void> PostgresStore::end_lost_backends(Connection& connection) {
    std::set<std::string> lost;
    {
        const std::lock_guard lock{mutex_};
        lost = lost_backends_;
    }
    for (const auto& name : lost) {
        if (auto ended = end_backend(connection, name); !ended) return ended;
        const std::lock_guard lock{mutex_};
        lost_backends_.erase(name);
    }
    return {};
}

} // namespace runtime
