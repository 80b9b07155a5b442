#include "runtime/archive.hpp"
#include "runtime/audit.hpp"
#include "runtime/postgres/flush_transaction.hpp"
#include "runtime/postgres/former_owners.hpp"
#include "tests/runtime/log_fixture.hpp"

#include <catch2/catch.hpp>

namespace runtime::test {

namespace {

const journeys::CustomerId ada{journeys::IdNamespace::user, "ada"};
const journeys::CustomerId bob{journeys::IdNamespace::user, "bob"};
const journeys::IntentId reminder{1, 2};

actors::Block block(std::string_view text) { return actors::Block{text}; }

/// One partition, taken over; every flush carries the next sequence.
struct Owner {
    Owner() : process{database, clock, 1} { epoch = process.take_over(0).epoch; }

    Result<void> flush(std::vector<actors::CustomerWrite> customers) {
        return process.flush({.partition = 0,
                              .epoch = epoch,
                              .sequence = ++sequence,
                              .customers = std::move(customers)});
    }
    Result<void> effects(std::vector<journeys::Effect> effects) {
        return flush({{.customer = ada, .revision = ++revision, .effects = std::move(effects)}});
    }
    Result<void> note(const actors::AttemptNote& note, std::uint64_t by) {
        return process.flush(
            {.partition = 0, .epoch = by, .sequence = ++sequence, .attempts = {note}});
    }
    void take_over() { epoch = process.take_over(0).epoch; }
    std::vector<actors::Loaded::Entry> load(std::vector<journeys::CustomerId> customers) {
        Listener listener;
        process.store->load(0, std::move(customers), listener.actor());
        return listener.next<actors::Loaded>().entries;
    }
    actors::Due due(Timestamp before, std::size_t limit) {
        Listener listener;
        process.store->find_due(0, before, limit, listener.actor());
        return listener.next<actors::Due>();
    }
    std::vector<actors::OutboxRow> open_intents() {
        Listener listener;
        process.store->open_intents(0, listener.actor());
        auto rows = listener.next<actors::OpenIntents>().rows;
        process.store->pending_intents(0, "email", 10, listener.actor());
        auto pending = listener.next<actors::PendingIntents>();
        CHECK_FALSE(pending.is_more);
        std::ranges::move(pending.rows, std::back_inserter(rows));
        return rows;
    }
    actors::LoadedParked load_parked() { return load_parked(process); }
    static actors::LoadedParked load_parked(Process& by) {
        Listener listener;
        by.store->load_parked(0, ada, listener.actor());
        return listener.next<actors::LoadedParked>();
    }
    std::string state() {
        auto connection = database.connect();
        return std::string{must(connection.run("SELECT state FROM outbox")).bytes(0, 0)};
    }

    Database database;
    TestClock clock;
    Process process;
    std::uint64_t epoch = 0, sequence = 0, revision = 0;
};

journeys::IntentOpened opened() {
    return {.id = reminder,
            .journey = "cart",
            .key = "k\0y",
            .step = "remind",
            .channel = "email",
            .template_name = "t",
            .topic = "cart",
            .version = 3,
            .at = Timestamp{1h},
            .expires_at = Timestamp{2h}};
}

} // namespace

TEST_CASE("a snapshot is replaced only by a newer revision", "[.postgres]") {
    Owner owner;
    must(owner.flush({{.customer = ada, .revision = 5, .block = block("\1five")},
                      {.customer = bob, .revision = 1, .block = block("\1bob")}}));
    must(owner.flush({{.customer = ada, .revision = 4, .block = block("\1four")}}));
    const auto loaded = owner.load({bob, {journeys::IdNamespace::email, "nobody@x"}, ada});
    REQUIRE(loaded.size() == 3);
    CHECK(*loaded[0].block == "\1bob");
    CHECK_FALSE(loaded[1].block);
    CHECK(*loaded[2].block == "\1five");
    must(owner.flush({{.customer = ada, .revision = 6, .block = block("\1six")},
                      {.customer = ada, .revision = 7, .block = block("\1seven")}}));
    CHECK(*owner.load({ada})[0].block == "\1seven");
}

TEST_CASE("a line of a timeline that stands already holds up no flush", "[.postgres]") {
    Owner owner;
    must(owner.flush({{.customer = ada,
                       .revision = 1,
                       .block = block("\1one"),
                       .effects = {journeys::TimelineEntry{.journey = "first"},
                                   journeys::TimelineEntry{.journey = "second"}}},
                      {.customer = bob, .revision = 1, .block = block("\1a")}}));
    // Nobody writes a line twice; what is beside those that stand is written all the same.
    must(owner.flush({{.customer = ada,
                       .revision = 1,
                       .effects = {journeys::TimelineEntry{.journey = "other"},
                                   journeys::TimelineEntry{}, journeys::TimelineEntry{}}},
                      {.customer = bob, .revision = 2, .block = block("\1b")}}));
    CHECK(count(owner.database, "SELECT count(*) FROM timeline") == 3);
    CHECK(count(owner.database, "SELECT count(*) FROM timeline WHERE journey = 'first'") == 1);
    CHECK(count(owner.database, "SELECT flush_sequence FROM progress") == 2);
    CHECK(*owner.load({bob})[0].block == "\1b");
}

TEST_CASE("a flush that comes again is written once", "[.postgres]") {
    Owner owner;
    const actors::FlushRequest request{
        .partition = 0,
        .epoch = owner.epoch,
        .sequence = 1,
        .watermark = 9,
        .publication = 4,
        .customers = {{.customer = ada,
                       .revision = 1,
                       .block = block("\1one"),
                       .effects = {journeys::TimelineEntry{.kind = journeys::EntryKind::enter}}}}};
    must(owner.process.flush(request));
    auto again = request;
    again.customers.front().block = block("\1other");
    again.customers.front().revision = 2;
    must(owner.process.flush(again));
    CHECK(*owner.load({ada})[0].block == "\1one");
    CHECK(count(owner.database, "SELECT count(*) FROM timeline") == 1);

    Process successor{owner.database, owner.clock, 1};
    const auto taken = successor.take_over(0);
    CHECK(taken.flush_sequence == 1);
    CHECK(taken.watermark == 9);
    CHECK(taken.publication == 4);
    CHECK(owner.process.flush({.partition = 0, .epoch = owner.epoch, .sequence = 2}).error().code ==
          journeys::ErrorCode::fenced);
}

TEST_CASE("a customer is woken too early rather than too late", "[.postgres]") {
    Owner owner;
    const auto start = owner.clock.now();
    const auto write = [&](Timestamp wake_at) {
        must(owner.flush({{.customer = ada,
                           .revision = ++owner.revision,
                           .wake_at = wake_at,
                           .block = block("\1")}}));
    };
    write(start + 10min);
    write(start + 20min); // The earlier stays.
    CHECK(owner.due(start + 10min, 10).entries.size() == 1);
    write(start + 5min);
    CHECK(owner.due(start + 5min, 10).entries.size() == 1);
    owner.clock.millis += 6 * 60'000; // It has passed.
    write(start + 30min);
    const auto due = owner.due(start + 29min, 10);
    CHECK(due.entries.empty());
    CHECK(due.next == start + 30min);

    must(owner.flush(
        {{.customer = bob, .revision = 1, .wake_at = start + 40min, .block = block("\1")}}));
    const auto first = owner.due(start + 1h, 1);
    REQUIRE(first.entries.size() == 1);
    CHECK(first.entries[0].customer == ada);
    CHECK(first.next == start + 40min);
    CHECK(owner.due(start + 1h, 2).next == journeys::no_time);
}

TEST_CASE("an intent goes its way through the outbox", "[.postgres]") {
    Owner owner;
    const auto settle = [](journeys::IntentState state) {
        return journeys::IntentSettled{.id = reminder, .state = state};
    };
    must(owner.effects({opened()}));
    const auto rows = owner.open_intents();
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].customer == ada);
    CHECK(rows[0].intent.version == 3);
    CHECK(rows[0].intent.expires_at == Timestamp{2h});
    CHECK(rows[0].state == journeys::IntentState::pending);

    SECTION("granted, unknown, accepted after all, and nothing else then") {
        must(owner.effects({journeys::IntentGranted{
            .id = reminder, .address = "a@x", .payload = std::string("{\0}", 3)}}));
        const auto claimed = owner.open_intents();
        REQUIRE(claimed.size() == 1);
        CHECK(claimed[0].state == journeys::IntentState::claimed);
        CHECK(claimed[0].payload == std::string("{\0}", 3));
        CHECK(claimed[0].epoch == owner.epoch);
        must(owner.effects({settle(journeys::IntentState::unknown)}));
        CHECK(owner.state() == "unknown");
        must(owner.effects({settle(journeys::IntentState::accepted)}));
        must(owner.effects({settle(journeys::IntentState::unknown)}));
        must(owner.effects({journeys::IntentRecalled{reminder, "exited"}}));
        must(owner.effects({opened()}));
        CHECK(owner.state() == "accepted");
        CHECK(owner.open_intents().empty());
    }
    SECTION("a call that came to nothing is noted while it is claimed, by its owner alone") {
        const auto note = [&](int attempts, bool failed, std::uint64_t epoch) {
            return owner.note({reminder, attempts, failed}, epoch);
        };
        must(note(1, true, owner.epoch));
        CHECK_FALSE(owner.open_intents()[0].failed); // It is pending: nobody has called.
        must(owner.effects({journeys::IntentGranted{.id = reminder, .payload = "p"}}));
        CHECK_FALSE(owner.open_intents()[0].failed);
        must(note(1, true, owner.epoch));
        const auto noted = owner.open_intents();
        CHECK(noted[0].failed);
        CHECK(noted[0].attempts == 1);
        must(note(1, false, owner.epoch));
        CHECK_FALSE(owner.open_intents()[0].failed);
        const auto before = owner.epoch;
        owner.take_over();
        const auto late = note(2, true, before);
        REQUIRE_FALSE(late.has_value());
        CHECK(late.error().code == journeys::ErrorCode::fenced);
        CHECK_FALSE(owner.open_intents()[0].failed);
        must(note(2, true, owner.epoch));
        must(owner.effects({settle(journeys::IntentState::accepted)}));
        must(note(3, true, owner.epoch));
        CHECK(count(owner.database, "SELECT attempts FROM outbox") == 2);
    }
    SECTION("recalled, and open again after a deferral") {
        must(owner.effects({journeys::IntentRecalled{reminder, "quiet_hours"}}));
        CHECK(owner.state() == "recalled");
        must(owner.effects({opened(), journeys::IntentGranted{.id = reminder, .payload = "p"}}));
        CHECK(owner.state() == "claimed");
        CHECK(owner.open_intents()[0].payload == "p");
    }
    SECTION("erased with its customer") {
        must(owner.flush({{.customer = ada, .revision = 9, .block = block("\1")}}));
        must(owner.effects({journeys::Erased{ada}}));
        CHECK(owner.open_intents().empty());
        CHECK_FALSE(owner.load({ada})[0].block);
    }
}

TEST_CASE("a code is given by the flush of its hand-over, and only by who leases it",
          "[.postgres]") {
    Owner owner;
    auto connection = owner.database.connect();
    must(connection.run_script("INSERT INTO coupons (pool, code, lease) VALUES "
                               "('spring', 'A', 7), ('spring', 'B', 8), ('spring', 'C', NULL)"));
    const auto taken = [](const char* code) {
        return journeys::CouponTaken{.pool = "spring",
                                     .code = code,
                                     .run = {3, 4},
                                     .intent = reminder,
                                     .lease = 7,
                                     .at = Timestamp{1h}};
    };
    must(owner.effects(
        {opened(), taken("A"), journeys::IntentGranted{.id = reminder, .payload = "A"}}));
    CHECK(count(owner.database, "SELECT count(*) FROM coupons WHERE code = 'A' AND lease IS NULL "
                                "AND run = '00000000-0000-0003-0000-000000000004' AND intent = "
                                "'00000000-0000-0001-0000-000000000002'") == 1);
    for (const char* code : {"A", "B", "C", "D"}) { // Given, another's, nobody's, unknown.
        INFO(code);
        const auto refused = owner.effects({taken(code)});
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == journeys::ErrorCode::fenced);
    }
    CHECK(count(owner.database, "SELECT count(*) FROM coupons WHERE run IS NOT NULL") == 1);
}

TEST_CASE("a change of consent waits beside its flush for the audit log, and enters it once",
          "[.postgres]") {
    Owner owner;
    journeys::TimelineEntry line;
    line.kind = journeys::EntryKind::consent;
    line.at = Timestamp{1h};
    line.channel = "email";
    line.topic = std::string{"a\0b", 3};
    line.reason = "unsubscribed";
    must(owner.effects({line}));
    line.kind = journeys::EntryKind::goal;
    must(owner.effects({line}));
    Audit audit{owner.database.settings().conninfo};
    const auto make_entry = [](const Audit::ConsentChange& change) {
        return AuditEntry{.at = change.at,
                          .actor = "customer",
                          .action = "consent.changed",
                          .subject = change.customer,
                          .detail = change.channel + '/' + change.topic + ' ' + change.state};
    };
    // The process that flushed has ended; whoever comes next finds it.
    CHECK(must(audit.take_consent_changes(10, make_entry)) == 1);
    CHECK(must(audit.take_consent_changes(10, make_entry)) == 0);
    const auto entries = must(audit.newest(10));
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].at == line.at);
    CHECK(entries[0].subject == journeys::to_text(ada));
    CHECK(entries[0].detail.starts_with("email/a"));
    CHECK(entries[0].detail.ends_with("b unsubscribed"));
    CHECK_FALSE(must(audit.verify()).broken_at);
}

TEST_CASE("what former owners have under way is ended, and nobody else's", "[.postgres]") {
    const Database database;
    const auto open = [&](const std::string& instance) {
        auto settings = database.settings();
        settings.instance = instance;
        return must(Connection::open(settings, "flush"));
    };
    auto ours = open("ours"), others = open("standby"), former = open("former");
    must(ours.run("INSERT INTO partitions (partition, owner) VALUES (0, 'former'), (1, 'ours')"));
    must(former.run_script("BEGIN; LOCK TABLE coupons"));
    must(end_former_owners(ours, "ours"));
    must(ours.run_script("BEGIN; LOCK TABLE coupons NOWAIT; COMMIT"));
    CHECK_FALSE(former.run("SELECT 1").has_value());
    CHECK(others.run("SELECT 1").has_value());
}

TEST_CASE("a transfer is moved to the winner's log once", "[.postgres]") {
    Owner owner;
    Listener reader;
    owner.process.log->subscribe(0, 0, reader.actor());
    must(
        owner.effects({journeys::TransferOut{.to = bob, .transfer = {.id = 7, .state = "state"}}}));
    const auto record = reader.records(1).front();
    CHECK(record->customer == bob);
    CHECK(std::get<journeys::Transfer>(record->body).state == "state");
    CHECK(count(owner.database, "SELECT count(*) FROM transfers") == 0);
    CHECK(count(owner.database, "SELECT count(*) FROM log WHERE kind = 4") == 1);
}

TEST_CASE("a flush whose answer was lost still tells that something waits to be moved",
          "[.postgres]") {
    Owner owner;
    auto connection = owner.database.connect();
    const auto request = std::make_shared<actors::FlushRequest>(actors::FlushRequest{
        .partition = 0,
        .epoch = owner.epoch,
        .sequence = 1,
        .customers = {{.customer = ada,
                       .revision = 1,
                       .effects = {journeys::TransferOut{
                           .to = bob, .transfer = {.id = 7, .state = "state"}}}}}});
    const auto write = [&] {
        return must(write_flush(connection, {request}, plain_codec(), owner.clock.now()));
    };
    CHECK(write().moves);
    CHECK(write().moves); // The attempt after it finds all written.
    CHECK(count(owner.database, "SELECT count(*) FROM transfers") == 1);
}

TEST_CASE("a parked record puts its customer into quarantine", "[.postgres]") {
    Owner owner;
    must(owner.process.flush(
        {.partition = 0,
         .epoch = owner.epoch,
         .sequence = 1,
         .parked = {{ada, 3, "it broke", nullptr}, {ada, 4, "another", nullptr}}}));
    CHECK(owner.load({ada})[0].quarantined == "it broke");
    CHECK(owner.load({ada})[0].parked == 2);
    CHECK(owner.load({bob})[0].quarantined.empty());
}

TEST_CASE("parked records are kept whole, and go when their customer is released", "[.postgres]") {
    Owner owner;
    auto record = std::make_shared<journeys::Record>();
    record->offset = 4;
    record->accepted_at = Timestamp{1h};
    record->customer = ada;
    record->body = journeys::Settled{.detail = "kept"};
    const auto wakes = [&] { return owner.due(owner.clock.now() + 1h, 10).entries.size(); };
    must(owner.flush(
        {{.customer = ada, .revision = 1, .wake_at = owner.clock.now(), .block = block("\1ada")}}));
    CHECK(wakes() == 1);
    const actors::FlushRequest parks{
        .partition = 0,
        .epoch = owner.epoch,
        .sequence = ++owner.sequence,
        .parked = {{ada, 0, "a timer", nullptr}, {ada, 4, "it broke", record}}};
    must(owner.process.flush(parks));
    CHECK(wakes() == 0); // No timer finds them.
    auto parked = owner.load_parked();
    CHECK(*parked.block == "\1ada");
    REQUIRE(parked.records.size() == 1);
    CHECK(parked.records[0]->offset == 4);
    CHECK(parked.records[0]->accepted_at == Timestamp{1h});
    CHECK(std::get<journeys::Settled>(parked.records[0]->body).detail == "kept");

    Archive archive{owner.database.settings().conninfo};
    const auto listed = must(archive.parked(10));
    REQUIRE(listed.size() == 1);
    CHECK(listed[0].customer == "user:ada");
    CHECK(listed[0].reason == "a timer");
    CHECK(listed[0].records == 1);
    CHECK(must(archive.release_at_start({"user:nobody", "user:ada"})) == 1);
    Process successor{owner.database, owner.clock, 1};
    const auto taken = successor.take_over(0);
    CHECK(taken.to_release == std::vector{ada});
    must(successor.flush({.partition = 0,
                          .epoch = taken.epoch,
                          .sequence = taken.flush_sequence + 1,
                          .released = {{ada, 4}},
                          .parked = {{ada, 5, "anew", nullptr}}}));
    CHECK(must(archive.parked(10))[0].reason == "anew");
    CHECK(count(owner.database, "SELECT count(*) FROM parked") == 1);
}

TEST_CASE("a parked record that could not be read is read by a program that can", "[.postgres]") {
    Owner owner;
    auto record = std::make_shared<journeys::Record>();
    record->offset = 4;
    record->accepted_at = Timestamp{1h};
    record->customer = ada;
    record->body = journeys::Unreadable{journeys::RecordKind::transfer, "newer state", "too new"};
    must(owner.process.flush({.partition = 0,
                              .epoch = owner.epoch,
                              .sequence = ++owner.sequence,
                              .parked = {{ada, 4, "too new", record}}}));

    Process newer{owner.database, owner.clock, 1};
    const auto read = Owner::load_parked(newer);
    REQUIRE(read.records.size() == 1);
    CHECK(read.records[0]->offset == 4);
    CHECK(std::get<journeys::Transfer>(read.records[0]->body).state == "newer state");

    SECTION("and by one that cannot it is kept as it is") {
        Process older{owner.database, owner.clock, 1,
                      [](EventLogSettings& settings) { settings.codec = older_codec(); }};
        const auto kept = Owner::load_parked(older);
        REQUIRE(kept.records.size() == 1);
        CHECK(std::get<journeys::Unreadable>(kept.records[0]->body).body == "newer state");
        CHECK(kept.records[0]->kind() == journeys::RecordKind::transfer);
    }
}

TEST_CASE("a take-over learns up to where timers have fired, and of the publications before",
          "[.postgres]") {
    Owner owner;
    const Timestamp fired = owner.clock.now() + 1h;
    const auto eras = std::make_shared<const std::vector<actors::PublishedEra>>(
        std::vector<actors::PublishedEra>{{3, Timestamp{1h}}, {5, Timestamp{2h}}});
    actors::FlushRequest request{.partition = 0,
                                 .epoch = owner.epoch,
                                 .sequence = 1,
                                 .publication = 7,
                                 .eras = eras,
                                 .eras_changed = true,
                                 .swept = 7,
                                 .closed = fired};
    must(owner.process.flush(request));
    request.sequence = 2;
    request.closed = fired - 5min; // It never goes back.
    request.eras_changed = false;
    must(owner.process.flush(request));
    Process successor{owner.database, owner.clock, 1};
    const auto taken = successor.take_over(0);
    REQUIRE(taken.eras);
    CHECK(*taken.eras == *eras);
    CHECK(taken.swept == 7);
    // The clock is behind, and yet no record is accepted before what has fired.
    Listener reader;
    successor.log->subscribe(0, 0, reader.actor());
    must(successor.append({draft("ada", "later")}));
    CHECK(reader.records(1).front()->accepted_at > fired);
}

TEST_CASE("those who wait are walked through once, in pages", "[.postgres]") {
    Owner owner;
    std::vector<actors::CustomerWrite> writes;
    for (int i = 0; i < 7; ++i)
        writes.push_back({.customer = {journeys::IdNamespace::user, "u" + std::to_string(i)},
                          .revision = 1,
                          .wake_at = i < 5    ? Timestamp{1h}
                                     : i == 5 ? Timestamp{2h}
                                              : journeys::no_time,
                          .block = block("\1")});
    must(owner.flush(std::move(writes)));
    actors::WaitingCursor cursor;
    std::vector<std::string> seen;
    for (std::size_t pages = 0; pages < 5; ++pages) {
        Listener listener;
        owner.process.store->find_waiting(0, cursor, 2, pages, listener.actor());
        const auto waiting = listener.next<actors::Waiting>();
        CHECK(waiting.tag == pages);
        for (const auto& entry : waiting.entries) seen.push_back(entry.customer.value);
        if (waiting.entries.size() < 2) break;
        cursor = waiting.entries.back();
    }
    CHECK(seen == std::vector<std::string>{"u0", "u1", "u2", "u3", "u4", "u5"});
}

TEST_CASE("while customers are behind flushes wait for others to share their transaction",
          "[.postgres]") {
    const Database database;
    TestClock clock;
    Process process{database, clock, 3};
    const auto owned = process.take_over_all();
    const auto flush_all = [&](std::chrono::milliseconds gather_max) {
        process.store.emplace(StoreSettings{.connection = process.log_settings.connection,
                                            .clock = process.log_settings.clock,
                                            .codec = plain_codec(),
                                            .gather_max = gather_max,
                                            .gather_customers = 3},
                              process.ownership);
        process.store->gather_while([] { return true; });
        Listener listener;
        for (Partition partition = 0; partition < 3; ++partition)
            process.store->flush(std::make_shared<const actors::FlushRequest>(actors::FlushRequest{
                                     .partition = partition,
                                     .epoch = owned[partition].epoch,
                                     .sequence = 1,
                                     .customers = {{.customer = {journeys::IdNamespace::user,
                                                                 std::to_string(partition)},
                                                    .revision = 1,
                                                    .block = block("\1")}}}),
                                 listener.actor());
        for (int i = 0; i < 3; ++i) must(listener.next<actors::Flushed>().result);
        return count(database, "SELECT count(DISTINCT xmin::text) FROM snapshots");
    };
    SECTION("until there are enough") { CHECK(flush_all(1h) == 1); }
    SECTION("and no longer than they may") { CHECK(flush_all(1ms) >= 1); }
}

TEST_CASE("statements in one go are all done or none is", "[.postgres]") {
    const Database database;
    auto connection = database.connect();
    must(connection.run_script("CREATE TABLE t (n bigint PRIMARY KEY)"));
    const auto insert = [](std::int64_t n) {
        SqlStatement statement{"INSERT INTO t VALUES ($1)", {}};
        statement.params.add(n);
        return statement;
    };
    const SqlStatement read{"SELECT n FROM t ORDER BY n", {}};
    CHECK(must(connection.run_all({})).empty());
    const auto rows = must(connection.run_all({insert(1), insert(2), read}));
    REQUIRE(rows.size() == 3);
    REQUIRE(rows[2].size() == 2);
    CHECK(rows[2].int8(1, 0) == 2);

    const SqlStatement behind{"SELECT count(*) FROM t", {}}; // Not prepared yet.
    for (int i = 0; i < 2; ++i) {
        const auto twice = connection.run_all({insert(3), insert(3), behind});
        REQUIRE_FALSE(twice.has_value());
        CHECK(twice.error().code == journeys::ErrorCode::invalid_state);
        CHECK_FALSE(connection.is_lost());
    }
    const SqlStatement wrong{"SELECT nothing FROM t", {}};
    CHECK_FALSE(connection.run_all({wrong, behind}).has_value());
    CHECK_FALSE(connection.run_all({wrong}).has_value());
    CHECK(must(connection.run_all({behind})).front().int8(0, 0) == 2);

    SECTION("all that is big goes through while the server answers") {
        const std::string big(4 << 20, 'x');
        SqlStatement echo{"SELECT $1::bytea", {}};
        echo.params.add_bytes(big);
        const auto all = must(connection.run_all({echo, echo, echo, echo}));
        for (const auto& one : all) CHECK(one.bytes(0, 0) == big);
    }
    SECTION("a transaction whose first statement fails is rolled back") {
        SqlRows unused;
        CHECK_FALSE(Transaction::begin(connection, wrong, unused).has_value());
        must(connection.run_script("INSERT INTO t VALUES (9)"));
        auto other = database.connect();
        CHECK(must(other.run("SELECT count(*) FROM t WHERE n = 9")).int8(0, 0) == 1);
    }
    SECTION("a connection that is gone says so") {
        auto other = database.connect();
        must(end_backend(other, connection.name()));
        CHECK_FALSE(connection.run_all({insert(5)}).has_value());
        CHECK(connection.is_lost());
    }
}

TEST_CASE("flushes outlive their connections", "[.postgres]") {
    Owner owner;
    auto connection = owner.database.connect();
    for (int i = 1; i <= 100; ++i) {
        must(owner.flush({{.customer = ada,
                           .revision = static_cast<std::uint64_t>(i),
                           .block = block("\1"),
                           .effects = {journeys::TimelineEntry{}}}}));
        if (i % 10 == 0)
            must(connection.run("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
                                "WHERE application_name LIKE 'sojourn/%/flush/%'"));
    }
    CHECK(count(owner.database, "SELECT count(*) FROM timeline") == 100);
    CHECK(count(owner.database, "SELECT flush_sequence FROM progress") == 100);
}

} // namespace runtime::test
