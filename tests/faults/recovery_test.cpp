/// How soon a service that was killed is as far as it had promised to be.
#include "tests/faults/require_none.hpp"
#include "tests/faults/sizes.hpp"
#include "tests/support/raw_client.hpp"

#include <catch2/catch.hpp>

#include <thread>

namespace faults {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

long in_ms(Clock::duration span) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
}

/// One event of each of so many customers, as fast as the service takes them.
std::unique_ptr<Producers> one_event_each(World& world, int customers, bool resends = true) {
    auto producers = std::make_unique<Producers>(
        world.loop,
        Producers::Options{.port = world.port(),
                           .connections = 1,
                           .rate = 0,
                           .messages_per_frame = 100,
                           .frames_in_flight = 100,
                           .resends = resends},
        [next = std::make_shared<int>(0), customers](int) {
            const auto number = std::to_string((*next)++ % customers);
            const auto id = std::to_string(*next);
            return Message{id, R"({"type":"track","messageId":")" + id + R"(","userId":"u)" +
                                   number +
                                   R"(","event":"Product Added","properties":{"cart_id":"c)" +
                                   number + R"(","product_id":"p","price":10}})"};
        });
    while (producers->totals().sent < static_cast<std::uint64_t>(customers))
        std::this_thread::sleep_for(1ms);
    return producers;
}

/// Started once more when all waits are over: everybody's message leaves, a few thousand a second.
void prove_a_day_later(World& world, Producers& producers, int customers, Expectations expectations,
                       const std::vector<const Senders*>& others = {}) {
    if (customers > 200'000) return; // The proof holds every customer in memory.
    world.start({{"SOJOURN_CLOCK_OFFSET", "86400"}});
    const Patience patience{.calm = customers > 10'000 ? 600s : 60s};
    require_none(settle_and_prove(world, producers, expectations, patience, others));
}

} // namespace

TEST_CASE("after kill -9 at full rate all acked work is there again in time") {
    // A million of them by hand, with --cycles 1000000.
    const int customers = count_of(sizes::active_at_kill);
    World world{{.clock_speed = 1,
                 .limits = "active_customers: 2000000, passivate_after: 1h, "
                           "shutdown_timeout: 100s"}}; // A million are written at the end.
    world.start();
    const auto producers = one_event_each(world, customers, false);
    while (producers->totals().acked < static_cast<std::uint64_t>(customers) / 2)
        std::this_thread::sleep_for(1ms);
    producers->stop();
    const auto before = producers->totals();
    world.service().kill();
    // Publications, which are in every partition, are not counted as applied.
    const auto tail =
        std::stod(world.sql("SELECT count(*) FROM log l JOIN progress p USING "
                            "(partition) WHERE l.\"offset\" > p.watermark AND "
                            "l.kind <> " +
                            std::to_string(static_cast<int>(journeys::RecordKind::publish))));
    REQUIRE(tail > 0);
    const auto begin = Clock::now();
    world.launch();
    REQUIRE(world.wait_until_ready(120s));
    const auto ready = Clock::now();
    while (Clock::now() - begin < 300s) {
        double applied = 0;
        for (const char* result : {"applied", "duplicate", "late", "parked", "forwarded"})
            applied += world.metric("sojourn_applied_total{result=\"" + std::string{result} + "\"}")
                           .value_or(0);
        if (applied >= tail) break; // Nothing else comes: no producer sends again.
        std::this_thread::sleep_for(5ms);
    }
    const auto visible = Clock::now();
    WARN(customers << " customers, " << before.acked << " events acked, a tail of " << tail
                   << ": ready after " << in_ms(ready - begin) << " ms, all applied after "
                   << in_ms(visible - begin) << " ms");
    CHECK(visible - begin < (customers > 200'000 ? 30s : 5s));
    REQUIRE(producers->finish(120s));
    CHECK(world.stop(120s) == 0);
    prove_a_day_later(world, *producers, customers, {.answers_may_be_lost = true});
}

TEST_CASE("the first event is answered within a second of the start") {
    const int customers = count_of(sizes::stored_at_start);
    World world{{.clock_speed = 1}};
    world.start();
    const auto producers = one_event_each(world, customers);
    REQUIRE(producers->finish(600s));
    REQUIRE(world.stop(120s) == 0);
    const auto begin = Clock::now();
    world.launch();
    REQUIRE(world.wait_until_ready(60s));
    ByHand sent;
    Clock::time_point answered;
    {
        RawClient client{world.port()};
        REQUIRE(client.open_stream("/v1/stream?write_key=test-key").status == 101);
        client.send_text(R"({"type":"track","messageId":"new","userId":"u1","event":"Signed Up",)"
                         R"("properties":{"number":"n1"}})");
        CHECK(client.read_text().find(R"("accepted":1)") != std::string::npos);
        answered = Clock::now();
        sent.note("new");
    }
    WARN(world.sql("SELECT count(*) FROM snapshots")
         << " customers stored: the first event was answered " << in_ms(answered - begin)
         << " ms after the start");
    CHECK(answered - begin <
          (is_full(sizes::stored_at_start) ? 1s : 3s)); // Sanitizers take their time.
    REQUIRE(world.stop(120s) == 0);
    prove_a_day_later(world, *producers, customers, nothing_lost, {&sent});
}

} // namespace faults
