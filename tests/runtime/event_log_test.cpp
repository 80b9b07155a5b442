#include "runtime/failpoint.hpp"
#include "tests/runtime/log_fixture.hpp"

#include <catch2/catch.hpp>

#include <signal.h>

#include <thread>

namespace runtime::test {

namespace {

/// Ends every journal connection, as if the network between us and PostgreSQL had gone.
void cut_journal(const Database& database) {
    auto connection = database.connect();
    must(connection.run("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity "
                        "WHERE application_name LIKE 'sojourn/%/journal/%'"));
}

/// Until so many lanes of the log are in a transaction.
void wait_for_lanes(const Database& database, int lanes) {
    const std::string sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE "
                            "'%/journal/%' AND xact_start IS NOT NULL";
    wait_until([&] { return count(database, sql) == lanes; });
}

} // namespace

TEST_CASE("what is acknowledged stands in the log, densely numbered", "[.postgres]") {
    const Database database;
    TestClock clock;
    Process process{database, clock, 3};
    process.take_over_all();

    std::vector<std::future<Result<void>>> answers;
    for (int frame = 0; frame < 200; ++frame) {
        std::vector<actors::Draft> drafts;
        for (int i = 0; i < 20; ++i)
            drafts.push_back(draft("customer" + std::to_string((frame + i) % 37), "word"));
        clock.millis += frame % 3 == 0 ? -5 : 7; // The machine's clock may go back.
        answers.push_back(process.append_async(std::move(drafts)));
    }
    for (auto& answer : answers) must(answer.get());

    CHECK(count(database, "SELECT count(*) FROM log") == 4000);
    CHECK(count(database, "SELECT count(*) FROM (SELECT partition FROM log GROUP BY partition "
                          "HAVING max(\"offset\") <> count(*) OR count(DISTINCT \"offset\") <> "
                          "count(*) OR min(\"offset\") <> 1) AS gaps") == 0);
    CHECK(count(database, "SELECT count(*) FROM (SELECT accepted_at < lag(accepted_at) OVER "
                          "(PARTITION BY partition ORDER BY \"offset\") AS back FROM log) AS o "
                          "WHERE back") == 0);
    CHECK(count(database, "SELECT sum(last_offset) FROM log_positions") == 4000);
    CHECK(process.log->healthy());
}

TEST_CASE("a reader gets what is stored and then what is new, without a gap", "[.postgres]") {
    const Database database;
    TestClock clock;
    Process process{database, clock, 1};
    process.take_over_all();
    for (int i = 0; i < 30; ++i) {
        std::vector<actors::Draft> drafts;
        for (int j = 0; j < 100; ++j) drafts.push_back(draft("ada", std::to_string(i * 100 + j)));
        must(process.append(std::move(drafts)));
    }

    Listener listener;
    process.log->subscribe(0, 1000, listener.actor());
    std::vector<std::future<Result<void>>> answers; // While the replay runs.
    for (int i = 3000; i < 4000; ++i)
        answers.push_back(process.append_async({draft("ada", std::to_string(i))}));
    const auto records = listener.records(3000);
    REQUIRE(records.size() == 3000);
    for (std::size_t i = 0; i < records.size(); ++i) {
        if (records[i]->offset != 1001 + i) FAIL("offset " << records[i]->offset << " at " << i);
        if (word_of(*records[i]) != std::to_string(1000 + i)) FAIL(word_of(*records[i]));
    }
    for (auto& answer : answers) must(answer.get());

    SECTION("time goes on where nothing happens") {
        clock.millis += 60'000;
        listener.wait_closed(clock.now() - 1ms);
        must(process.append({draft("ada", "later")}));
        CHECK(listener.records(1).front()->accepted_at > listener.closed - 1ms);
    }
    SECTION("a later reader replaces the first") {
        Listener second;
        process.log->subscribe(0, 3999, second.actor());
        CHECK(second.records(1).front()->offset == 4000);
    }
    SECTION("another process begins at its snapshot") {
        Process successor{database, clock, 1};
        CHECK(successor.take_over(0).last_offset == 4000);
        Listener reader;
        successor.log->subscribe(0, 3500, reader.actor());
        CHECK(reader.records(500).back()->offset == 4000);
        must(successor.append({draft("ada", "new")}));
        CHECK(reader.records(1).front()->offset == 4001);
    }
}

TEST_CASE("a record that cannot be read comes in its place, with its bytes", "[.postgres]") {
    const Database database;
    TestClock clock;
    Process process{database, clock, 1,
                    [](EventLogSettings& settings) { settings.codec = older_codec(); }};
    process.take_over_all();
    auto moved = draft("ada", "newer two"); // As a transfer's mover appends it: only its bytes.
    moved.record = nullptr;
    const auto is_kept = [](const journeys::Record& record) {
        const auto& kept = std::get<journeys::Unreadable>(record.body);
        CHECK(record.offset == 2);
        CHECK(record.customer == journeys::CustomerId{journeys::IdNamespace::user, "ada"});
        CHECK(record.kind() == journeys::RecordKind::settled);
        CHECK(kept.body == "newer two");
        CHECK(kept.why == "of a newer\\u001b program"); // It goes to terminals and logs.
    };

    Listener live;
    process.log->subscribe(0, 0, live.actor());
    live.wait_closed(clock.now() - 1ms); // It has joined.
    must(process.append({draft("ada", "one"), moved, draft("ada", "three")}));
    const auto delivered = live.records(3);
    CHECK(word_of(*delivered[0]) == "one");
    is_kept(*delivered[1]);
    CHECK(word_of(*delivered[2]) == "three");

    Listener late;
    process.log->subscribe(0, 0, late.actor());
    const auto replayed = late.records(3);
    CHECK(word_of(*replayed[0]) == "one");
    is_kept(*replayed[1]);
    CHECK(word_of(*replayed[2]) == "three");
}

TEST_CASE("a publication stands in every partition", "[.postgres]") {
    const Database database;
    TestClock clock;
    Process process{database, clock, 3};
    process.take_over_all();
    auto publication = draft("", "");
    publication.kind = journeys::RecordKind::publish;
    must(process.append({draft("ada", "x"), publication, draft("ada", "y")}));
    CHECK(count(database, "SELECT count(DISTINCT partition) FROM log WHERE kind = 2") == 3);
}

TEST_CASE("what comes while a batch commits shares the next commit", "[.postgres]") {
    const Database database;
    TestClock clock;
    Process process{database, clock, Partition{1},
                    [](EventLogSettings& settings) { settings.overlap_rows_min = 3; }};
    process.take_over(0);
    auto other = database.connect();
    must(other.run_script("BEGIN; SELECT 1 FROM log_positions FOR UPDATE"));
    std::vector<std::future<Result<void>>> answers;
    answers.push_back(process.append_async({draft("ada", "1")}));
    wait_for_lanes(database, 1); // It cannot commit.
    const auto commits = [&] {
        must(other.run_script("COMMIT"));
        for (auto& answer : answers) must(answer.get());
        return count(database, "SELECT count(DISTINCT xmin::text) FROM log");
    };

    SECTION("a few wait for it") {
        for (const auto* word : {"2", "3"})
            answers.push_back(process.append_async({draft("ada", word)}));
        CHECK(commits() == 2);
    }
    SECTION("so many as are worth it are copied meanwhile, and who comes then waits") {
        answers.push_back(
            process.append_async({draft("ada", "2"), draft("ada", "3"), draft("ada", "4")}));
        wait_for_lanes(database, 2);
        for (const auto* word : {"5", "6"})
            answers.push_back(process.append_async({draft("ada", word)}));
        CHECK(commits() == 3);
    }
}

TEST_CASE("while customers are behind a few wait for others to share their commit", "[.postgres]") {
    const Database database;
    TestClock clock;
    std::atomic<bool> is_behind{true};
    Process process{database, clock, Partition{1}, [](EventLogSettings& settings) {
                        settings.overlap_rows_min = 4;
                        settings.gather_max = 1h;
                        settings.append_timeout = 2h;
                    }};
    process.take_over(0);
    process.log->gather_while([&] { return is_behind.load(); });
    const auto commits = [&] {
        return count(database, "SELECT count(DISTINCT xmin::text) FROM log");
    };
    auto first = process.append_async({draft("ada", "1")});
    auto second = process.append_async({draft("ada", "2")});

    SECTION("as many as are worth it") {
        must(process.append({draft("ada", "3"), draft("ada", "4")}));
        must(first.get());
        must(second.get());
        CHECK(commits() == 1);
    }
    SECTION("nobody any more once they are not") {
        is_behind = false;
        must(process.append({draft("ada", "3")}));
        must(first.get());
        must(second.get());
    }
}

TEST_CASE("who waits for others is committed alone once that was long enough", "[.postgres]") {
    const Database database;
    TestClock clock;
    Process process{database, clock, Partition{1},
                    [](EventLogSettings& settings) { settings.gather_max = 1ms; }};
    process.take_over(0);
    process.log->gather_while([] { return true; });
    must(process.append({draft("ada", "1")}));
    CHECK(count(database, "SELECT count(*) FROM log") == 1);
}

TEST_CASE("an owner of yesterday appends nothing", "[.postgres]") {
    const Database database;
    TestClock clock;
    Process old{database, clock};
    CHECK(old.append({draft("ada", "too early")}).error().code ==
          journeys::ErrorCode::storage_unavailable);
    old.take_over_all();
    must(old.append({draft("ada", "one"), draft("bob", "two"), draft("cy", "three")}));
    Process successor{database, clock};
    const auto taken = successor.take_over_all();
    CHECK(taken[0].epoch == 2);
    CHECK(taken[0].last_offset + taken[1].last_offset == 3);

    CHECK(old.append({draft("ada", "late")}).error().code == journeys::ErrorCode::fenced);
    CHECK(old.append({draft("ada", "late")}).error().code == journeys::ErrorCode::fenced);
    must(successor.append({draft("ada", "four")}));
    CHECK(count(database, "SELECT count(*) FROM log") == 4);
}

#ifdef SOJOURN_FAILPOINTS
TEST_CASE("what a successor has written is not taken for one's own, whose commit was cut off",
          "[.postgres]") {
    struct Failpoints {
        explicit Failpoints(const char* text) { must(arm_failpoints(text)); }
        ~Failpoints() { (void)arm_failpoints(""); }
    };
    const Failpoints armed{"commit_sent.before:delay:1500@1"};
    const Database database;
    TestClock clock;
    Process old{database, clock};
    old.take_over_all();
    auto answer = old.append_async({draft("ada", "one")});
    while (count(database, "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE "
                           "'sojourn/%/journal/%' AND state = 'idle in transaction'") == 0)
        std::this_thread::yield();
    cut_journal(database);
    Process successor{database, clock};
    successor.take_over_all();
    must(successor.append({draft("ada", "two"), draft("ada", "three")}));
    CHECK(answer.get().error().code == journeys::ErrorCode::fenced);
    CHECK(count(database, "SELECT count(*) FROM log") == 2);
}
#endif

TEST_CASE("a clock that was ahead leaves no mark that hides what comes after it", "[.postgres]") {
    const Database database;
    TestClock clock;
    {
        Process first{database, clock, 1};
        first.take_over_all();
        must(first.append({draft("ada", "one")}));
        clock.millis += 3'600'000; // Time goes on, and nothing happens.
        wait_until([&] { return count(database, "SELECT count(*) FROM log_marks") > 0; });
    }
    clock.millis -= 3'500'000;
    {
        Process second{database, clock, 1};
        wait_until([&] { return second.log->healthy(); }); // It stands by, and marks nothing.
        second.take_over_all();
        must(second.append({draft("ada", "two")}));
    }
    Process third{database, clock, 1};
    third.take_over_all();
    Listener reader;
    third.log->subscribe(0, 1, reader.actor());
    CHECK(reader.records(1).front()->offset == 2);
}

TEST_CASE("what is marked while it is under way is marked again once it is stored", "[.postgres]") {
    const Database database;
    TestClock clock;
    Process process{database, clock, 1};
    process.take_over_all();
    must(process.append({draft("ada", "one")}));
    const auto marked = [&](int position) {
        wait_until([&] {
            return count(database, "SELECT count(*) FROM log_marks JOIN log USING (accepted_at) "
                                   "WHERE \"offset\" = " +
                                       std::to_string(position)) == 1;
        });
    };
    marked(1);

    clock.millis += 1;
    auto other = database.connect();
    must(other.run_script("BEGIN; SELECT 1 FROM log_positions FOR UPDATE"));
    auto answer = process.append_async({draft("ada", "two")});
    wait_for_lanes(database, 1);
    // Whoever marks has seen it under way, with the time of the first.
    wait_until([&] {
        return count(database, "SELECT count(*) FROM pg_stat_activity w, pg_stat_activity j "
                               "WHERE w.application_name LIKE '%/watch/%' "
                               "AND j.application_name LIKE '%/journal/%' "
                               "AND w.query_start > j.xact_start + interval '200 ms'") > 0;
    });
    must(other.run_script("COMMIT"));
    must(answer.get());
    marked(2);
}

TEST_CASE("a reader that asks for a later time is told then, and now and then before",
          "[.postgres]") {
    const Database database;
    TestClock clock;
    Process process{database, clock, 1};
    process.take_over_all();
    Listener reader;
    process.log->subscribe(0, 0, reader.actor());
    reader.wait_closed(clock.now() - 1ms);
    const auto asked = clock.now() + 1h;
    process.log->want_closed(0, asked);
    clock.millis += 60'000; // Not asked for, and yet it is not left without the time.
    reader.wait_closed(clock.now() - 1ms);
    CHECK(reader.closed < asked);
    clock.millis += 3'600'000;
    reader.wait_closed(asked);
}

TEST_CASE("the log's clock goes on behind the last flush", "[.postgres]") {
    const Database database;
    TestClock clock;
    {
        Process first{database, clock, 1};
        const auto epoch = first.take_over_all().front().epoch;
        must(first.append({draft("ada", "one")}));
        clock.millis += 3'600'000; // A timer fires, and is stored.
        must(first.flush({.partition = 0, .epoch = epoch, .sequence = 1, .watermark = 1}));
    }
    const auto flushed_at = clock.now();
    clock.millis -= 3'500'000;
    Process second{database, clock, 1};
    second.take_over_all();
    must(second.append({draft("ada", "two")}));
    Listener reader;
    second.log->subscribe(0, 1, reader.actor());
    CHECK(reader.records(1).front()->accepted_at >= flushed_at);
}

TEST_CASE("what is moved stands behind what it comes from, whatever the clock", "[.postgres]") {
    const Database database;
    TestClock clock;
    const Partition partitions = 2;
    const auto partition_of = [&](const std::string& name) {
        return static_cast<Partition>(journeys::hash(draft(name, "").customer) % partitions);
    };
    std::string winner = "bob";
    for (int i = 0; partition_of(winner) == partition_of("ada"); ++i)
        winner = "bob" + std::to_string(i);
    {
        Process first{database, clock, partitions};
        first.take_over_all();
        must(first.append({draft("ada", "causes it")}));
    }
    clock.millis -= 3'600'000; // Of another machine.
    Process second{database, clock, partitions};
    const auto move = [&] {
        std::promise<Result<void>> done;
        second.log->append_transfers({draft(winner, "moved")}, {1}, [&](Result<void> result) {
            done.set_value(std::move(result));
        });
        return done.get_future().get();
    };
    second.take_over(partition_of(winner));
    // Who worked before us may still write, by another clock.
    for (const auto& refused : {move(), second.append({draft(winner, "early")})}) {
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().code == journeys::ErrorCode::storage_unavailable);
    }
    second.take_over(partition_of("ada"));
    must(move());
    must(second.append({draft(winner, "own")}));

    auto connection = database.connect();
    const auto rows =
        must(connection.run("SELECT customer, body FROM log ORDER BY accepted_at, partition DESC"));
    REQUIRE(rows.size() == 3);
    CHECK(rows.bytes(0, 1) == "causes it");
    CHECK(count(database, "SELECT count(*) FROM log WHERE accepted_at > (SELECT accepted_at FROM "
                          "log WHERE body = 'causes it')") == 2);
}

TEST_CASE("appends outlive their connections", "[.postgres]") {
    const Database database;
    TestClock clock;
    Process process{database, clock};
    process.take_over_all();
    std::vector<std::future<Result<void>>> answers;
    for (int i = 0; i < 300; ++i) {
        answers.push_back(process.append_async(
            {draft("ada", std::to_string(i)), draft("bob", std::to_string(i))}));
        if (i % 60 == 30) cut_journal(database);
    }
    for (auto& answer : answers) must(answer.get());
    CHECK(count(database, "SELECT count(*) FROM log") == 600);
    CHECK(count(database, "SELECT count(DISTINCT (customer, body)) FROM log") == 600);
    CHECK(count(database, "SELECT sum(last_offset) FROM log_positions") == 600);
}

TEST_CASE("a segment is closed, searched for duplicates, and dropped", "[.postgres]") {
    const Database database;
    TestClock clock;
    Process process{database, clock, 1,
                    [](EventLogSettings& settings) { settings.retention = std::chrono::hours{5}; }};
    const auto epoch = process.take_over(0).epoch;
    must(process.append({draft("ada", "one", 111), draft("ada", "again", 111)}));
    clock.millis += 3'600'000;
    must(process.append({draft("ada", "two", 222)}));
    wait_until(
        [&] { return count(database, "SELECT count(*) FROM log_segments WHERE indexed") == 1; });

    Listener listener;
    process.log->find_duplicates(0, {journeys::IdNamespace::user, "ada"}, {111, 222, 333}, 7,
                                 listener.actor());
    const auto seen = listener.next<actors::SeenBefore>();
    CHECK(seen.tag == 7);
    CHECK(seen.hashes == std::vector<std::uint64_t>{111});
    CHECK(seen.offsets == std::vector<std::uint64_t>{1});

    Listener reader; // Over both segments.
    process.log->subscribe(0, 0, reader.actor());
    CHECK(reader.records(3).back()->offset == 3);

    clock.millis += 6 * 3'600'000; // Old enough, but a replay would need it.
    must(process.append({draft("ada", "three", 333)}));
    wait_until(
        [&] { return count(database, "SELECT count(*) FROM log_segments WHERE indexed") == 2; });
    CHECK(count(database, "SELECT count(*) FROM log") == 4);
    must(process.flush({.partition = 0, .epoch = epoch, .sequence = 1, .watermark = 2}));
    wait_until([&] { return count(database, "SELECT count(*) FROM log_segments") == 2; });
    CHECK(count(database, "SELECT min(\"offset\") FROM log") == 3);
}

TEST_CASE("an index that takes long holds up nothing else, and no stop", "[.postgres]") {
    const Database database;
    TestClock clock;
    constexpr auto patience = 1s;
    std::optional<Process> process;
    process.emplace(database, clock, Partition{1}, [&](EventLogSettings& settings) {
        settings.connection.reply_timeout = patience;
    });
    process->take_over(0);
    must(process->append({draft("ada", "one")}));
    auto other = database.connect();
    const std::string segment{must(other.run("SELECT segment FROM log_segments")).bytes(0, 0)};
    must(other.run_script("BEGIN; LOCK TABLE " + segment + " IN ROW EXCLUSIVE MODE"));
    clock.millis += 3'600'000;
    must(process->append({draft("ada", "two")})); // Closes the first segment.

    const std::string building = "FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%' "
                                 "AND datname = current_database() AND state = 'active'";
    wait_until([&] { return count(database, "SELECT count(*) " + building) == 1; });
    const auto pid = count(database, "SELECT pid " + building);
    const auto marks = count(database, "SELECT count(*) FROM log_marks");
    clock.millis += 1;
    must(process->append({draft("ada", "three")}));
    wait_until([&] { return count(database, "SELECT count(*) FROM log_marks") > marks; });
    const auto longer = std::to_string(2 * patience.count());
    wait_until([&] {
        return count(database, "SELECT count(*) " + building +
                                   " AND clock_timestamp() - query_start > interval '" + longer +
                                   " s'") == 1;
    });
    CHECK(count(database, "SELECT pid " + building) == pid); // Still the same.
    CHECK(process->log->healthy());
    must(process->append({draft("ada", "four")}));

    SECTION("in the end it is there") {
        must(other.run_script("COMMIT"));
        wait_until([&] {
            return count(database, "SELECT count(*) FROM log_segments WHERE indexed") == 1;
        });
    }
    SECTION("a stop ends it") {
        process.reset();
        CHECK(count(database, "SELECT count(*) " + building) == 0);
        must(other.run_script("COMMIT"));
        CHECK(count(database, "SELECT count(*) FROM log_segments WHERE indexed") == 0);
    }
}

TEST_CASE("the log goes on by itself after PostgreSQL was killed", "[.postgres]") {
    const TemporaryFolder folder;
    TestClock clock;
    auto server = must(EmbeddedPostgres::start(folder.path()));
    const Database database{server};
    Process process{database, clock, 1,
                    [](EventLogSettings& settings) { settings.append_timeout = 200ms; }};
    process.take_over_all();
    must(process.append({draft("ada", "before")}));
    Listener listener;
    process.log->subscribe(0, 0, listener.actor());
    CHECK(listener.records(1).size() == 1);

    const auto pid = server.server_pid();
    ::kill(pid, SIGKILL);
    wait_until([&] { return server.server_pid() == 0; });
    const auto refused = process.append({draft("ada", "meanwhile")});
    CHECK(refused.error().code == journeys::ErrorCode::storage_unavailable);
    CHECK_FALSE(process.log->healthy());

    server.leave_running();
    auto again = must(EmbeddedPostgres::start(folder.path()));
    wait_until([&] { return process.append({draft("ada", "after")}).has_value(); });
    wait_until([&] { return process.log->healthy(); });
    const auto record = listener.records(1).front();
    CHECK(word_of(*record) == "after");
    CHECK(record->offset == 2);
    CHECK(process.log->last_offset(0) == 2);
}

} // namespace runtime::test
