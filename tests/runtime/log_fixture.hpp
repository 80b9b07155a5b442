/// A process with a log and a store on a database of its own, and an actor that hears what they
/// say.
#pragma once

#include "tests/runtime/postgres_fixture.hpp"

#include "actors/messages.hpp"
#include "runtime/postgres/event_log.hpp"
#include "runtime/postgres/store.hpp"
#include "runtime/postgres/transfer_mover.hpp"

#include <caf/all.hpp>

#include <future>

namespace runtime::test {

using namespace std::chrono_literals;
using actors::Partition;
using journeys::Result;
using journeys::Timestamp;

/// Records in their simplest form: an answer of a provider, whose word is the whole body.
inline LogCodec plain_codec() {
    using journeys::Record;
    using journeys::RecordKind;
    return {.decode = [](RecordKind kind, std::string_view body, std::uint64_t offset,
                         Timestamp accepted_at,
                         const journeys::CustomerId& customer) -> Result<Record> {
                Record record{.offset = offset, .accepted_at = accepted_at, .customer = customer};
                if (kind == RecordKind::transfer)
                    record.body =
                        journeys::Transfer{.id = 0, .loser = {}, .state = std::string{body}};
                else
                    record.body = journeys::Settled{.detail = std::string{body}};
                return record;
            },
            .encode =
                [](const Record& record) {
                    if (const auto* unreadable = std::get_if<journeys::Unreadable>(&record.body))
                        return unreadable->body;
                    if (const auto* transfer = std::get_if<journeys::Transfer>(&record.body))
                        return transfer->state;
                    return std::get<journeys::Settled>(record.body).detail;
                },
            .kind = [](const Record& record) { return record.kind(); },
            .message_hash = [](const Record&) { return std::uint64_t{0}; }};
}

/// The same of an older program, which does not know the words of a newer one.
inline LogCodec older_codec() {
    auto codec = plain_codec();
    codec.decode = [decode = codec.decode](journeys::RecordKind kind, std::string_view body,
                                           std::uint64_t offset, Timestamp accepted_at,
                                           const journeys::CustomerId& customer) {
        if (body.starts_with("newer"))
            return Result<journeys::Record>{
                journeys::Error{journeys::ErrorCode::invalid_state, "of a newer\x1b program"}};
        return decode(kind, body, offset, accepted_at, customer);
    };
    return codec;
}

inline const std::string& word_of(const journeys::Record& record) {
    return std::get<journeys::Settled>(record.body).detail;
}

/// A clock that stands still until it is told otherwise.
struct TestClock {
    std::atomic<std::int64_t> millis{1'800'000'000'000};
    Timestamp now() const { return journeys::from_millis(millis); }
};

/// One process: its instance, log, store and mover. A second one on the same database is its
/// successor.
struct Process {
    Process(
        const Database& database, TestClock& test_clock, Partition partitions = 2,
        std::function<void(EventLogSettings&)> change = [](EventLogSettings&) {},
        std::string conninfo = {})
        : clock(test_clock) {
        log_settings.connection = database.settings();
        if (!conninfo.empty()) log_settings.connection.conninfo = conninfo;
        log_settings.partitions = partitions;
        log_settings.clock = [&test_clock] { return test_clock.now(); };
        log_settings.codec = plain_codec();
        log_settings.tick = 5ms;
        log_settings.upkeep = 20ms;
        change(log_settings);
        log.emplace(log_settings, ownership);
        mover.emplace(log_settings, *log);
        store.emplace(StoreSettings{.connection = log_settings.connection,
                                    .clock = log_settings.clock,
                                    .codec = log_settings.codec,
                                    .on_moves = [this] { mover->wake(); }},
                      ownership);
    }
    ~Process() {
        store.reset(); // It wakes the mover, which uses the log.
        mover.reset();
        log.reset();
    }

    actors::TakenOver take_over(Partition partition);
    std::vector<actors::TakenOver> take_over_all() {
        std::vector<actors::TakenOver> taken;
        for (Partition i = 0; i < log_settings.partitions; ++i) taken.push_back(take_over(i));
        return taken;
    }

    std::future<Result<void>> append_async(std::vector<actors::Draft> drafts) {
        auto done = std::make_shared<std::promise<Result<void>>>();
        auto answer = done->get_future();
        log->append(std::move(drafts),
                    [done](Result<void> result) { done->set_value(std::move(result)); });
        return answer;
    }
    Result<void> append(std::vector<actors::Draft> drafts) {
        return append_async(std::move(drafts)).get();
    }
    Result<void> flush(actors::FlushRequest request);

    TestClock& clock;
    Ownership ownership;
    EventLogSettings log_settings;
    std::optional<PostgresEventLog> log;
    std::optional<TransferMover> mover;
    std::optional<PostgresStore> store;
};

inline caf::actor_system& actor_system() {
    // Never destroyed: at the program's end CAF's own statics are gone before ours.
    static auto* config = new caf::actor_system_config;
    static auto* system = new caf::actor_system{*config};
    return *system;
}

/// Waits for messages of one type; the test fails where none comes.
class Listener {
public:
    caf::actor actor() { return caf::actor_cast<caf::actor>(self_->ctrl()); }
    template <class Message> Message next() {
        std::optional<Message> received;
        self_->receive([&](Message& message) { received = std::move(message); },
                       caf::after(20s) >> [] { throw std::runtime_error("no message came"); });
        return std::move(*received);
    }
    /// The next records, whatever else comes; `LogClosed` must not go back.
    std::vector<journeys::RecordPtr> records(std::size_t count) {
        std::vector<journeys::RecordPtr> all;
        while (all.size() < count) {
            self_->receive(
                [&](actors::LogBatch& batch) {
                    if (!batch.records.empty() && batch.records.front()->accepted_at <= closed)
                        throw std::runtime_error("a record came behind its own closing");
                    closed = std::max(closed, batch.closed);
                    all.insert(all.end(), batch.records.begin(), batch.records.end());
                },
                [&](actors::LogClosed& message) { closed = std::max(closed, message.closed); },
                caf::after(20s) >> [] { throw std::runtime_error("no record came"); });
        }
        return all;
    }
    void wait_closed(Timestamp at) {
        while (closed < at) {
            self_->receive([&](actors::LogBatch&) {},
                           [&](actors::LogClosed& message) { closed = message.closed; },
                           caf::after(20s) >>
                               [] { throw std::runtime_error("time stands still"); });
        }
    }
    Timestamp closed = journeys::timestamp_min;

private:
    caf::scoped_actor self_{actor_system()};
};

inline actors::TakenOver Process::take_over(Partition partition) {
    Listener listener;
    store->take_over(partition, listener.actor());
    return listener.next<actors::TakenOver>();
}

inline Result<void> Process::flush(actors::FlushRequest request) {
    Listener listener;
    store->flush(std::make_shared<const actors::FlushRequest>(std::move(request)),
                 listener.actor());
    return listener.next<actors::Flushed>().result;
}

inline actors::Draft draft(const std::string& customer, const std::string& word,
                           std::uint64_t message_hash = 0) {
    actors::Draft made;
    made.customer = {journeys::IdNamespace::user, customer};
    made.kind = journeys::RecordKind::settled;
    made.message_hash = message_hash;
    made.bytes = word;
    made.record = std::make_shared<journeys::Record>();
    made.record->customer = made.customer;
    made.record->body = journeys::Settled{.detail = word};
    return made;
}

/// Tries until it holds, while something else does its work.
template <class Condition> void wait_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline)
            throw std::runtime_error("it did not come true");
        std::this_thread::yield();
    }
}

inline std::int64_t count(const Database& database, const std::string& sql) {
    auto connection = database.connect();
    return must(connection.run(("SELECT (" + sql + ")::bigint").c_str())).int8(0, 0);
}

} // namespace runtime::test
