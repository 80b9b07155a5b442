/// Two processes on one database: one works, the other waits, and never do both.
#include "tests/faults/require_none.hpp"
#include "tests/faults/says.hpp"
#include "tests/faults/sizes.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <thread>

namespace faults {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr Expectations replaced{.answers_may_be_lost = true, .every_intent_is_accepted = true};

/// How long until `/readyz` of `port` says yes.
std::optional<std::chrono::milliseconds> ready_after(World& world, std::uint16_t port,
                                                     std::chrono::milliseconds patience) {
    const auto begin = Clock::now();
    while (Clock::now() - begin < patience) {
        if (world.get("/readyz", port).status == 200)
            return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
        std::this_thread::sleep_for(10ms);
    }
    return std::nullopt;
}

/// Whether what `path` of `port` answers comes to hold `part`.
bool answers(const World& world, std::uint16_t port, const std::string& path,
             const std::string& part) {
    for (const auto until = Clock::now() + 30s; Clock::now() < until;) {
        if (world.get(path, port).body.find(part) != std::string::npos) return true;
        std::this_thread::sleep_for(20ms);
    }
    return false;
}

} // namespace

TEST_CASE("a stopped process is replaced, and what it commits afterwards is refused") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 200});
    std::this_thread::sleep_for(1500ms);
    world.service().signal(SIGSTOP);
    auto second = world.launch_second();
    const auto took = ready_after(world, world.second_port(), 60s);
    REQUIRE(took);
    CHECK(*took > 3s); // It gave the other one time.
    const auto others = start_traffic(world, {}, {.port = world.second_port(), .rate = 200}, 10);
    std::this_thread::sleep_for(span_of(sizes::stands_still));
    world.service().signal(SIGCONT);
    // The producers of the stopped process are still connected to it, and send.
    CHECK(world.service().wait(20s) == 3);
    REQUIRE(others->finish(60s));

    // Now the other way round: the first waits, and the second is killed.
    world.launch();
    CHECK(answers(world, world.port(), "/readyz", "standby"));
    second->kill();
    const auto took_back = ready_after(world, world.port(), 60s);
    REQUIRE(took_back);
    WARN("taken over " << took->count()
                       << " ms after the start of the standby of a stopped process, "
                       << took_back->count() << " ms after kill -9");
    require_none(settle_and_prove(world, *producers, replaced));
    require_none(broken(world, {producers.get(), others.get()}, replaced));
}

TEST_CASE("a stopped process leaves no lock that its successor waits for") {
    World world;
    // Flushes give out codes, whose rows are locked until they commit: one always has some.
    world.start({{"SOJOURN_FAILPOINT", "flush_commit.before:delay:700"}});
    const auto producers = start_traffic(world, {}, {.rate = 200});
    std::this_thread::sleep_for(3s);
    world.service().signal(SIGSTOP);
    auto second = world.launch_second();
    REQUIRE(ready_after(world, world.second_port(), 60s));
    world.service().signal(SIGCONT);
    CHECK(world.service().wait(20s) == 3);
    second->kill();
    world.start();
    require_none(settle_and_prove(world, *producers, replaced));
}

TEST_CASE("a stopped process goes on until its successor has begun, by a clock that is ahead") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 200});
    std::this_thread::sleep_for(1500ms);
    world.service().signal(SIGSTOP);
    // It knows how far the log's clock is, and does not own a partition yet.
    auto second = world.launch_second({{"SOJOURN_FAILPOINT", "take_over.before:delay:300"}});
    REQUIRE(says(world.second_log(), "standby: taking over"));
    world.service().signal(SIGCONT);
    REQUIRE(ready_after(world, world.second_port(), 60s));
    const auto others = start_traffic(world, {}, {.port = world.second_port(), .rate = 200}, 10);
    CHECK(world.service().wait(20s) == 3);
    std::this_thread::sleep_for(span_of(sizes::stands_still));
    REQUIRE(others->finish(60s));
    second->kill();
    world.start();
    require_none(settle_and_prove(world, *producers, replaced, {}, {others.get()}));
}

TEST_CASE("an orderly end lets the standby go on, and an asked standby just ends") {
    World world;
    world.start();
    auto second = world.launch_second();
    const auto producers = start_traffic(world, {}, {.rate = 200});
    std::this_thread::sleep_for(1500ms);
    producers->stop();
    REQUIRE(producers->finish(30s));
    CHECK(world.get("/readyz", world.second_port()).status == 503);
    CHECK(world.get("/healthz", world.second_port()).status == 200);
    CHECK(world.get("/v1/customers/u0-1?write_key=test-key", world.second_port()).status >= 400);
    CHECK(world.stop() == 0);
    REQUIRE(ready_after(world, world.second_port(), 30s));

    world.launch();
    CHECK(answers(world, world.port(), "/readyz", "standby"));
    CHECK(world.stop() == 0);
    world.look_at(world.second_port());
    CHECK(world.wait_for_calm() == "");
    second->signal(SIGTERM);
    CHECK(second->wait(40s) == 0);
    require_none(broken(world, {producers.get()}, nothing_lost));
}

TEST_CASE("a channel that was paused stays so with whoever takes over, until it is resumed") {
    World world;
    world.start();
    auto second = world.launch_second(); // Before the order: nobody tells it later.
    const std::string sms = "/admin/channels/sms?write_key=test-key";
    const auto calls = [&](const std::string& path) {
        int count = 0;
        for (const auto& [id, seen] : world.provider->seen())
            if (seen.path == path) count += seen.requests;
        return count;
    };
    const auto others_go_on = [&] {
        const int before = calls("/crm");
        for (const auto until = Clock::now() + 30s;
             Clock::now() < until && calls("/crm") <= before + 20;)
            std::this_thread::sleep_for(20ms);
        return calls("/crm") > before + 20;
    };
    REQUIRE(answers(world, world.second_port(), "/readyz", "standby"));
    REQUIRE(world.post("/admin/channels/sms/pause").status == 200);

    const auto producers = start_traffic(world, {}, {.rate = 200});
    CHECK(others_go_on());
    world.service().kill();
    REQUIRE(ready_after(world, world.second_port(), 60s));
    const auto others = start_traffic(world, {}, {.port = world.second_port(), .rate = 200}, 10);
    CHECK(answers(world, world.second_port(), sms, "paused"));
    CHECK(others_go_on());
    REQUIRE(others->finish(60s));
    CHECK(calls("/sms") == 0);

    world.launch();
    REQUIRE(answers(world, world.port(), "/readyz", "standby"));
    second->kill();
    REQUIRE(ready_after(world, world.port(), 60s));
    CHECK(answers(world, world.port(), sms, "paused"));
    CHECK(others_go_on());
    CHECK(calls("/sms") == 0);
    CHECK(world.post("/admin/channels/sms/resume").status == 200);
    require_none(settle_and_prove(world, *producers, replaced));
    require_none(broken(world, {producers.get(), others.get()}, replaced));
    CHECK(calls("/sms") > 0);
}

} // namespace faults
