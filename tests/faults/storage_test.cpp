/// PostgreSQL, and the way to it, at their worst.
#include "tests/faults/require_none.hpp"
#include "tests/faults/sizes.hpp"

#include <catch2/catch.hpp>

#include <sys/mount.h>
#include <unistd.h>

#include <thread>

namespace faults {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

/// Acked by now; for "it goes on".
std::uint64_t acked(const Producers& producers) { return producers.totals().acked; }

bool goes_on(const Producers& producers, std::chrono::milliseconds patience) {
    const auto before = acked(producers);
    for (const auto until = Clock::now() + patience; Clock::now() < until;) {
        if (acked(producers) > before + 50) return true;
        std::this_thread::sleep_for(20ms);
    }
    return false;
}

} // namespace

TEST_CASE("the reply to a commit is lost, of the log and of the flushes") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 300});
    for (const char* role : {"journal", "flush", "journal", "flush"}) {
        std::this_thread::sleep_for(300ms);
        const auto before = world.storage->lost_commit_replies();
        world.storage->lose_commit_replies(4, role);
        for (const auto until = Clock::now() + 20s;
             Clock::now() < until && world.storage->lost_commit_replies() < before + 4;)
            std::this_thread::sleep_for(10ms);
        CHECK(world.storage->lost_commit_replies() == before + 4);
    }
    CHECK(goes_on(*producers, 20s));
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

TEST_CASE("PostgreSQL is killed and started again every five seconds") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 300});
    auto next = Clock::now();
    for (int cycle = 0; cycle < count_of(sizes::storage_kills); ++cycle) {
        next += 5s;
        std::this_thread::sleep_until(next);
        world.kill_storage();
        std::this_thread::sleep_for(500ms);
        world.restart_storage();
        CHECK(goes_on(*producers, 30s));
    }
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

TEST_CASE("PostgreSQL is slow by half a second and then behind a narrow way") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 100});
    world.storage->set({.delay = 500ms});
    std::this_thread::sleep_for(span_of(sizes::storage_slow));
    CHECK(acked(*producers) > 0);
    // Of each connection: wide enough for the log, while a large flush takes its time.
    world.storage->set({.bytes_per_second = 200'000});
    std::this_thread::sleep_for(span_of(sizes::storage_slow));
    CHECK(goes_on(*producers, 30s));
    world.storage->set({});
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

TEST_CASE("PostgreSQL is half open: connections stay, and nothing goes through") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 200});
    REQUIRE(goes_on(*producers, 20s));
    world.storage->set({.way = Weather::Way::black_hole});
    std::this_thread::sleep_for(span_of(sizes::storage_half_open));
    CHECK(world.get("/readyz").status == 503);
    CHECK(world.get("/healthz").status == 200);
    world.storage->set({});
    CHECK(goes_on(*producers, 60s));
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

TEST_CASE("the way to PostgreSQL is cut again and again") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 300});
    for (int cycle = 0; cycle < count_of(sizes::storage_cuts); ++cycle) {
        std::this_thread::sleep_for(200ms);
        world.storage->reset_all();
    }
    world.storage->set({.way = Weather::Way::refuse});
    world.storage->reset_all();
    std::this_thread::sleep_for(3s);
    world.storage->set({});
    CHECK(goes_on(*producers, 20s));
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

TEST_CASE("PostgreSQL has no connection left") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 200});
    REQUIRE(goes_on(*producers, 20s));
    const auto slots = std::stoul(world.sql("SHOW max_connections"));
    std::vector<runtime::Connection> taken;
    const auto take_all = [&] {
        while (true) {
            auto one = runtime::Connection::open(
                {.conninfo = world.conninfo(), .instance = "greedy"}, "greedy");
            if (!one) return;
            taken.push_back(std::move(*one));
        }
    };
    // What the service had is free once it is cut off, and whoever is first has it: in the end we
    // have all of them.
    for (const auto until = Clock::now() + 30s; taken.size() < slots && Clock::now() < until;) {
        world.storage->reset_all();
        for (const auto next = Clock::now() + 100ms; Clock::now() < next;) take_all();
    }
    CHECK(taken.size() == slots);
    std::this_thread::sleep_for(span_of(sizes::storage_full_up));
    CHECK(world.get("/readyz").status == 503);
    CHECK(world.get("/healthz").status == 200);
    taken.clear();
    CHECK(goes_on(*producers, 20s));
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

TEST_CASE("PostgreSQL becomes read-only for a while") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 200});
    REQUIRE(goes_on(*producers, 20s));
    world.set_storage("default_transaction_read_only", "on");
    std::this_thread::sleep_for(span_of(sizes::storage_read_only));
    CHECK(world.get("/readyz").status == 503);
    {
        auto connection = world.connect();
        auto done = connection.run_script("SET default_transaction_read_only = off");
        done = connection.run_script("ALTER SYSTEM SET default_transaction_read_only = off");
        done = connection.run_script("SELECT pg_reload_conf()");
        REQUIRE(done.has_value());
    }
    CHECK(goes_on(*producers, 20s));
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

TEST_CASE("a transaction that idles for long stops nobody") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 200});
    REQUIRE(goes_on(*producers, 20s));
    auto idle = world.connect();
    REQUIRE(idle.run_script("BEGIN; SELECT count(*) FROM snapshots; SELECT count(*) FROM outbox; "
                            "SELECT count(*) FROM log")
                .has_value());
    for (const auto until = Clock::now() + span_of(sizes::idle_transaction); Clock::now() < until;)
        CHECK(goes_on(*producers, 10s));
    REQUIRE(idle.run_script("ROLLBACK").has_value());
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

TEST_CASE(
    "a snapshot that is held for long stops nobody, whatever may not be cleaned up meanwhile") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 200});
    REQUIRE(goes_on(*producers, 20s));
    const std::string customers = "SELECT count(*) FROM snapshots";
    const auto sizes_now = [&] {
        return world.sql("SELECT string_agg(t || ' ' || pg_total_relation_size(t::regclass) / 1024 "
                         "|| ' KB', ', ') FROM unnest(ARRAY['progress', 'log_positions', "
                         "'snapshots', 'outbox']) AS t");
    };
    const auto before = sizes_now();
    auto reader = world.connect();
    const auto first = reader.run_script("BEGIN ISOLATION LEVEL REPEATABLE READ; " + customers);
    REQUIRE(first.has_value());
    const std::string seen{first->bytes(0, 0)};
    for (const auto until = Clock::now() + span_of(sizes::held_snapshot); Clock::now() < until;)
        CHECK(goes_on(*producers, 10s));
    // None of the versions that it might still look at is gone, and those are all since it began.
    CHECK(world.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND "
                    "application_name = '" +
                    reader.name() + "'") == "1");
    const auto again = reader.run_script(customers);
    REQUIRE(again.has_value());
    CHECK(again->bytes(0, 0) == seen);
    CHECK(std::stoul(world.sql(customers)) > std::stoul(seen));
    WARN("before: " << before << "; at the end: " << sizes_now() << "; the slowest ack "
                    << producers->totals().slowest_ack.count() << " ms");
    // Rows that change with every flush have a version for each by now; nobody waits for that.
    CHECK(producers->totals().slowest_ack < 3s);
    REQUIRE(reader.run_script("ROLLBACK").has_value());
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

TEST_CASE("the disk of PostgreSQL is full") {
    if (::geteuid() != 0) {
        WARN("needs root, for a small file system of its own: skipped");
        return;
    }
    const auto folder =
        std::filesystem::temp_directory_path() / ("sojourn-small-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=160m,mode=0755") != 0) {
        std::filesystem::remove(folder);
        WARN("may not mount a small file system: skipped");
        return;
    }
    {
        World world{{.storage_folder = folder / "pg"}};
        world.start();
        const auto producers = start_traffic(world, {}, {.rate = 200});
        REQUIRE(goes_on(*producers, 20s));
        // Whatever is free goes, to the last block.
        const auto ballast = folder / "ballast";
        const auto fill = "dd if=/dev/zero of=" + ballast.string() + " bs=64k 2>/dev/null; true";
        CHECK(std::system(fill.c_str()) == 0);
        // It says so while the append is tried again; in between a question may be answered.
        bool has_refused = false;
        for (const auto until = Clock::now() + span_of(sizes::disk_full); Clock::now() < until;) {
            has_refused = has_refused || world.get("/readyz").status == 503;
            std::this_thread::sleep_for(20ms);
        }
        CHECK(has_refused);
        std::filesystem::remove(ballast);
        world.restart_storage(); // Where the full disk has ended it.
        CHECK(goes_on(*producers, 30s));
        require_none(settle_and_prove(world, *producers, nothing_lost));
    }
    ::umount(folder.c_str());
    std::filesystem::remove_all(folder);
}

} // namespace faults
