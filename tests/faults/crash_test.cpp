/// The process ends where it likes.
#include "journeys/customer.hpp"
#include "tests/faults/options.hpp"
#include "tests/faults/require_none.hpp"
#include "tests/faults/sizes.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace faults {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr Expectations crashed{.answers_may_be_lost = true, .every_intent_is_accepted = true};

/// Thirty restarts leave a backlog behind, and with the sanitizers it is worked off slowly.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr Patience after_restarts{.lag = 30s, .calm = 120s};
#else
constexpr Patience after_restarts{};
#endif

std::chrono::milliseconds between(std::mt19937_64& random, int least, int most) {
    return std::chrono::milliseconds{
        least + static_cast<int>(random() % static_cast<unsigned>(most - least))};
}

} // namespace

TEST_CASE("kill -9 at random instants loses nothing and doubles nothing") {
    World world;
    std::mt19937_64 random{options().seed};
    const auto producers = start_traffic(world, {.customers = 500}, {.rate = 300});
    for (int cycle = 0; cycle < count_of(sizes::random_kills); ++cycle) {
        world.launch();
        if (random() % 4 != 0) REQUIRE(world.wait_until_ready(60s)); // Else maybe while it starts.
        std::this_thread::sleep_for(between(random, 0, 1500));
        world.service().kill();
    }
    world.start();
    std::this_thread::sleep_for(500ms);
    require_none(settle_and_prove(world, *producers, crashed));
    CHECK(producers->totals().acked > 100);
}

TEST_CASE("kill -9 at each failpoint loses nothing and doubles nothing") {
    World world;
    std::mt19937_64 random{options().seed};
    // Who lives that briefly sends little, so runs pile up at their messages. Of so many customers
    // and so few events none comes to the 64 runs that one has at most: there the reference run,
    // where each message is accepted at once, would enter what live refuses.
    const auto producers = start_traffic(world, {.customers = 500, .links = true}, {.rate = 100});
    for (const char* name : {"append", "commit_sent", "commit_reply", "apply", "flush_begin",
                             "flush_commit", "grant", "claim", "provider_request", "provider_reply",
                             "settle", "transfer", "fire", "take_over", "publish"})
        for (const char* side : {".before", ".after"}) {
            const auto point = std::string{name} + side;
            INFO(point);
            // Some are passed once by each partition at a start, the others with every event.
            const bool is_rare = point.starts_with("take_over") || point.starts_with("publish");
            // Other journeys than before, or there is nothing to publish.
            if (point.starts_with("publish"))
                world.add_journey("another", "id: another\nstatus: live\n"
                                             "enter: { on: [Order Refunded], reentry: never }\n"
                                             "steps:\n  - wait: { for: " +
                                                 std::to_string(point.size()) + "m }\n");
            const auto passage = 1 + random() % (is_rare ? 3 : 40);
            world.launch({{"SOJOURN_FAILPOINT", point + ":kill@" + std::to_string(passage)}});
            CHECK(world.service().wait(30s) == -SIGKILL);
            world.service().kill();
        }
    const auto most_open = std::stoul(
        world.sql("SELECT COALESCE(max(open), 0) FROM (SELECT count(*) AS open FROM outbox "
                  "WHERE state IN ('pending', 'claimed') GROUP BY customer) AS of_each"));
    INFO("messages that waited for one customer: " << most_open);
    CHECK(most_open < journeys::bounds::runs * 3 / 4);
    world.start();
    std::this_thread::sleep_for(500ms);
    require_none(settle_and_prove(world, *producers, crashed, after_restarts));
}

TEST_CASE("operations of events and messages that can fail at a failpoint are tried again") {
    World world;
    const auto producers = start_traffic(world, {.links = true}, {.rate = 300});
    std::string points;
    const std::vector<std::string> fallible{
        "append.before",           "append.after",       "commit_sent.before",  "commit_sent.after",
        "commit_reply.before",     "flush_begin.before", "flush_commit.before", "claim.before",
        "provider_request.before", "settle.before",      "take_over.before",    "transfer.before"};
    for (const auto& point : fallible)
        for (const int passage : {2, 5, 40})
            points += (points.empty() ? "" : ",") + point + ":error@" + std::to_string(passage);
    world.start({{"SOJOURN_FAILPOINT", points}});
    std::this_thread::sleep_for(4s);
    require_none(settle_and_prove(world, *producers, {.every_intent_is_accepted = true}));
    std::ifstream log{world.log()};
    const std::string said{std::istreambuf_iterator<char>{log}, {}};
    for (const auto& point : fallible) {
        INFO(point);
        CHECK(said.find("failpoint " + point + " fails") != said.npos);
    }
}

TEST_CASE("an event and its message are held up everywhere on their way") {
    World world;
    std::string points;
    const auto hold_up = [&](const std::string& point, const std::string& passage) {
        points += (points.empty() ? "" : ",") + point + ":delay:50" + passage;
    };
    // Every batch of the log: the longer one lasts, the more events are in the next.
    for (const char* point : {"append.after", "commit_sent.before", "commit_sent.after",
                              "commit_reply.before", "commit_reply.after"})
        hold_up(point, "");
    // Elsewhere each holds up a thread that many share, so not all: twenty seconds together.
    for (const char* name : {"append", "apply", "flush_begin", "flush_commit", "grant", "claim",
                             "provider_request", "provider_reply", "settle", "fire", "transfer"})
        for (const char* side : {".before", ".after"}) {
            const auto point = std::string{name} + side;
            if (point == "append.after") continue;
            for (int passage = 3; passage <= 60; passage += 3)
                hold_up(point, "@" + std::to_string(passage));
        }
    world.start({{"SOJOURN_FAILPOINT", points}});
    const auto producers = start_traffic(world, {.links = true}, {.rate = 200});
    std::this_thread::sleep_for(6s);
    // Those that were not passed by then come meanwhile.
    require_none(settle_and_prove(world, *producers, nothing_lost, {.lag = 40s, .calm = 120s}));
    CHECK(producers->totals().slowest_ack >= 250ms);
}

TEST_CASE("kill -9 five times during recovery") {
    World world;
    std::mt19937_64 random{options().seed};
    const auto producers = start_traffic(world, {}, {.rate = 400});
    world.start();
    std::this_thread::sleep_for(2s);
    world.service().kill();
    for (int cycle = 0; cycle < count_of(sizes::kills_in_recovery); ++cycle) {
        world.launch();
        std::this_thread::sleep_for(between(random, 100, 1900));
        world.service().kill();
    }
    world.start();
    require_none(settle_and_prove(world, *producers, crashed));
}

TEST_CASE("SIGTERM under load drains, loses nothing and ends in time") {
    World world;
    const auto producers = start_traffic(world, {}, {.rate = 500});
    for (int cycle = 0; cycle < count_of(sizes::orderly_ends); ++cycle) {
        world.start();
        std::this_thread::sleep_for(700ms);
        const auto begin = Clock::now();
        CHECK(world.stop(35s) == 0);
        INFO("took " << std::chrono::duration<double>(Clock::now() - begin).count() << " s");
        CHECK(Clock::now() - begin < 30s);
        world.service().kill();
        // An orderly end leaves nothing to replay but outcomes that came with it.
        CHECK(std::stoi(world.sql("SELECT sum(l.last_offset - p.watermark) FROM log_positions l "
                                  "JOIN progress p USING (partition)")) < 50);
    }
    world.start();
    require_none(settle_and_prove(world, *producers, {.every_intent_is_accepted = true}));
}

TEST_CASE("SIGTERM ends the process in time although PostgreSQL answers nothing") {
    World world{{.limits = "shutdown_timeout: 2s"}};
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 200});
    std::this_thread::sleep_for(1s);
    world.storage->set({.way = Weather::Way::black_hole});
    // Somebody asks meanwhile, so that the desks beside the log wait for it as well.
    world.get("/v1/customers/u0-1/timeline?write_key=test-key");
    std::this_thread::sleep_for(2s);
    const auto begin = Clock::now();
    CHECK(world.stop(30s) == 3);
    CHECK(Clock::now() - begin < 20s);
    world.service().kill();
    world.storage->set({});
    world.storage->reset_all();
    world.start();
    require_none(settle_and_prove(world, *producers, crashed));
}

} // namespace faults
