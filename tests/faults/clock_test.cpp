/// Time that jumps, and timers that were all missed.
#include "tests/faults/require_none.hpp"
#include "tests/faults/sizes.hpp"
#include "tests/support/raw_client.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <thread>

namespace faults {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

Environment shifted(std::chrono::seconds by) {
    return {{"SOJOURN_CLOCK_OFFSET", std::to_string(by.count())}};
}

/// How many of `rows`, a table and a condition, have their `instant` between half past one and half
/// past three in Vienna, by PostgreSQL's own calendar.
std::string within_quiet_hours(const World& world, const std::string& rows,
                               const std::string& instant) {
    return world.sql("SELECT count(*) FROM (SELECT (" + instant +
                     " AT TIME ZONE 'Europe/Vienna')::time AS told FROM " + rows +
                     ") AS clocks WHERE told >= '01:30' AND told < '03:30'");
}

} // namespace

TEST_CASE("the wall clock goes forward and back by an hour between two starts") {
    World world{{.clock_speed = 200}};
    const auto producers = start_traffic(world, {}, {.rate = 200});
    const auto offsets = {0h, 1h, 0h, -1h, 0h};
    for (const auto offset : offsets) {
        world.start(shifted(offset));
        std::this_thread::sleep_for(1500ms);
        CHECK(world.stop() == 0);
    }
    world.start();
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

TEST_CASE("both nights on which the clocks change") {
    // Vienna changes its clocks at 01:00 UTC; the service starts two hours earlier.
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    for (const auto night : {std::chrono::sys_days{std::chrono::year{2027} / 3 / 28},
                             std::chrono::sys_days{std::chrono::year{2027} / 10 / 31}}) {
        World world{{.clock_speed = 1800}};
        std::string text;
        {
            std::ifstream in{world.config()};
            text.assign(std::istreambuf_iterator<char>{in}, {});
        }
        std::ofstream{world.config()} << "timezone: Europe/Vienna\n"
                                         "quiet_hours: [{ from: \"01:30\", to: \"03:30\" }]\n"
                                      << text;
        std::ofstream{world.folder() / "journeys" / "morning.yaml"} << R"(
id: morning
status: live
enter: { on: [Signed Up], key: event.properties.number, reentry: always }
steps:
  - name: wait
    wait: { until: { time: "02:30" } }
  - name: touch
    send: { channel: crm, template: welcome, topic: shop, expires: 30d }
)";
        world.start(shifted(night - 1h - now));
        const auto producers = start_traffic(world, {.customers = 50}, {.rate = 100});
        std::this_thread::sleep_for(8s); // Four hours.
        CHECK(producers->finish(20s));
        CHECK(world.stop() == 0);
        world.start(shifted(night + 48h - now)); // The next morning has come for everybody.
        require_none(settle_and_prove(world, *producers, nothing_lost));

        // What a person would have expected, whatever the core makes of it.
        const auto count = [&](const std::string& rows) {
            return world.sql("SELECT count(*) FROM " + rows);
        };
        const auto runs = count("timeline WHERE kind = 'enter' AND journey = 'morning'");
        CHECK(runs != "0");
        CHECK(count("outbox WHERE journey = 'morning'") == runs);
        CHECK(count("(SELECT 1 FROM timeline t LEFT JOIN outbox o ON o.journey = t.journey AND "
                    "o.customer = t.customer AND o.key = t.key WHERE t.kind = 'enter' AND "
                    "t.journey = 'morning' GROUP BY t.customer, t.key "
                    "HAVING count(o.intent) <> 1) AS not_one") == "0");
        CHECK(count("timeline WHERE kind = 'defer' AND reason = 'quiet_hours' AND "
                    "journey = 'morning'") != "0");
        CHECK(within_quiet_hours(world, "outbox", "outbox.opened_at") == "0");
        CHECK(within_quiet_hours(world, "timeline WHERE kind = 'send'", "timeline.at") == "0");
    }
}

TEST_CASE("timers that were all due while nothing ran do not keep new events waiting") {
    const int customers = count_of(sizes::overdue_timers);
    World world{{.clock_speed = 1}};
    world.start();
    {
        int next = 0;
        Producers producers{world.loop,
                            {.port = world.port(),
                             .connections = 1,
                             .rate = 0,
                             .messages_per_frame = 50,
                             .frames_in_flight = 100},
                            [&](int) {
                                const auto number = std::to_string(next++);
                                return Message{
                                    "m" + number,
                                    R"({"type":"track","messageId":"m)" + number +
                                        R"(","userId":"u)" + number +
                                        R"(","event":"Product Added","properties":{"cart_id":"c)" +
                                        number + R"(","product_id":"p","price":10}})"};
                            }};
        while (producers.totals().sent < static_cast<std::uint64_t>(customers))
            std::this_thread::sleep_for(1ms);
        REQUIRE(producers.finish(600s));
    }
    REQUIRE(world.stop(120s) == 0);
    const auto due =
        std::stol(world.sql("SELECT count(*) FROM snapshots WHERE wake_at IS NOT NULL"));
    CHECK(due >= customers);

    const auto begin = Clock::now();
    world.start(shifted(3h));
    const auto ready = Clock::now();
    // A new event, whose message leaves at once.
    std::atomic<Clock::rep> called{0};
    world.provider->set([&](const Call& call) {
        if (call.path == "/sms") called = Clock::now().time_since_epoch().count();
        return Answer{};
    });
    RawClient client{world.port()};
    REQUIRE(client.open_stream("/v1/stream?write_key=test-key").status == 101);
    const auto sent = Clock::now();
    client.send_text(R"({"type":"track","messageId":"new","userId":"new","event":"Signed Up",)"
                     R"("properties":{"number":"n1"}})");
    CHECK(client.read_text().find(R"("accepted":1)") != std::string::npos);
    const auto acked = Clock::now();
    while (called == 0 && Clock::now() - sent < 30s) std::this_thread::sleep_for(1ms);
    const auto reached = Clock::time_point{Clock::duration{called.load()}};
    const auto in_ms = [](Clock::duration span) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
    };
    WARN(due << " timers overdue: ready after " << in_ms(ready - begin) << " ms; a new event acked "
             << in_ms(acked - sent) << " ms, at the provider " << in_ms(reached - sent)
             << " ms after it was sent");
    CHECK(called != 0);
    CHECK(reached - sent < 1s);
    // All of them fire in the end.
    for (const auto until = Clock::now() + 600s; Clock::now() < until;) {
        if (world.sql("SELECT count(*) FROM outbox WHERE channel = 'crm' AND state = 'accepted' "
                      "AND journey = 'cart'") == std::to_string(due))
            break;
        std::this_thread::sleep_for(200ms);
    }
    WARN("all fired after " << in_ms(Clock::now() - begin) << " ms");
    CHECK(world.wait_for_calm(600s) == "");
    CHECK(world.stop(120s) == 0);
    CHECK(world.sql("SELECT count(*) FROM outbox WHERE channel = 'crm' AND state = 'accepted' "
                    "AND journey = 'cart'") == std::to_string(due));
    for (const auto& [id, call] : world.provider->seen()) REQUIRE(call.requests == 1);
    if (is_full(sizes::overdue_timers)) return; // The proof holds every customer in memory.
    require_none(broken(world, {}, nothing_lost));
}

} // namespace faults
