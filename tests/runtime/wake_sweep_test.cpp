// Who sleeps meets what was published without an event: by the time at which they are to be woken.

#include "runtime/postgres/flush_transaction.hpp"
#include "runtime/postgres/wake_sweep.hpp"
#include "tests/runtime/log_fixture.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace runtime::test {
namespace {

constexpr int customers = 25;
constexpr std::uint64_t models = 11, other_models = 12;

/// Customers who sleep for ever, but for the first, who was to be woken later, and the second, who
/// is late already.
struct Sleepers {
    Sleepers() {
        Process process{database, clock, 1};
        const auto epoch = process.take_over(0).epoch;
        std::vector<actors::CustomerWrite> writes;
        for (int i = 0; i < customers; ++i)
            writes.push_back({.customer = {journeys::IdNamespace::user, "u" + std::to_string(i)},
                              .revision = 1,
                              .wake_at = i == 0   ? clock.now() + 1h
                                         : i == 1 ? clock.now() - 1h
                                                  : journeys::no_time,
                              .block = actors::Block{"\1state"}});
        must(process.flush(
            {.partition = 0, .epoch = epoch, .sequence = 1, .customers = std::move(writes)}));
    }
    WakeSweepSettings settings() {
        return {.connection = database.settings(),
                .clock = [this] { return clock.now(); },
                .batch = 4,
                .pause = 1ms};
    }
    std::int64_t count(const std::string& of) {
        auto connection = database.connect();
        const auto rows = must(connection.run_script("SELECT count(*)::text FROM " + of));
        return std::stoll(std::string{rows.bytes(0, 0)});
    }
    /// Those who are to be woken by now.
    std::int64_t due() {
        return count("snapshots WHERE wake_at <= to_timestamp(" +
                     std::to_string(clock.millis / 1000) + ")");
    }
    /// Until the sweep for `reason` is on record as done; false where it never is.
    bool is_done(std::uint64_t reason) {
        for (int i = 0; i < 5'000; ++i) {
            if (count("wake_sweep WHERE done AND reason = " + std::to_string(reason)) == 1)
                return true;
            std::this_thread::sleep_for(2ms);
        }
        return false;
    }
    /// Another one whenever somebody has looked whether there is anything to do.
    std::string mark() {
        auto connection = database.connect();
        return std::string{
            must(connection.run_script("SELECT xmin::text FROM wake_sweep")).bytes(0, 0)};
    }
    void sleep_again() {
        auto connection = database.connect();
        must(connection.run_script("UPDATE snapshots SET wake_at = NULL"));
    }

    Database database;
    TestClock clock;
};

} // namespace

TEST_CASE("a sweep has everybody woken now, and nobody later than they were to be", "[.postgres]") {
    Sleepers sleepers;
    WakeSweep sweep{sleepers.settings()};
    CHECK(sleepers.due() == 1);
    sweep.begin(models);
    REQUIRE(sleepers.is_done(models));
    CHECK(sleepers.due() == customers);
    CHECK(sleepers.count("snapshots WHERE wake_at < to_timestamp(" +
                         std::to_string(sleepers.clock.millis / 1000) + ")") == 1);

    SECTION("once for the same reason, also in another process") {
        sleepers.sleep_again();
        const auto before = sleepers.mark();
        WakeSweep successor{sleepers.settings()};
        successor.begin(models);
        for (int i = 0; i < 5'000 && sleepers.mark() == before; ++i)
            std::this_thread::sleep_for(2ms);
        REQUIRE(sleepers.mark() != before); // It has looked.
        CHECK(sleepers.due() == 0);
        successor.begin(other_models);
        REQUIRE(sleepers.is_done(other_models));
        CHECK(sleepers.due() == customers);
    }
    SECTION("again where what was taken away comes back") {
        sleepers.sleep_again();
        sweep.begin(0);
        REQUIRE(sleepers.is_done(0));
        CHECK(sleepers.due() == 0);
        sweep.begin(models);
        REQUIRE(sleepers.is_done(models));
        CHECK(sleepers.due() == customers);
    }
}

TEST_CASE("a sweep that is cut off goes on where it was", "[.postgres]") {
    Sleepers sleepers;
    auto slow = sleepers.settings();
    slow.pause = 1h; // One batch, and then it is ended.
    {
        WakeSweep sweep{slow};
        sweep.begin(models);
        for (int i = 0; i < 5'000 && sleepers.count("wake_sweep") == 0; ++i)
            std::this_thread::sleep_for(2ms);
    }
    CHECK(sleepers.due() == slow.batch); // The one who was late is among them.
    CHECK(sleepers.count("wake_sweep WHERE NOT done") == 1);
    sleepers.sleep_again();
    WakeSweep successor{sleepers.settings()};
    successor.begin(models);
    REQUIRE(sleepers.is_done(models));
    CHECK(sleepers.due() == customers - slow.batch); // Those of the first batch sleep on.
}

} // namespace runtime::test
