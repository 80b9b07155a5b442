/// A provider that answers late, wrongly, or not at all.
#include "tests/faults/options.hpp"
#include "tests/faults/require_none.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <ctime>
#include <random>
#include <thread>

namespace faults {

using namespace std::chrono_literals;

namespace {

constexpr Expectations unanswered{.answers_may_be_lost = true, .every_intent_is_accepted = true};

std::string count_in_outbox(const World& world, const std::string& channel,
                            const std::string& state) {
    return world.sql("SELECT count(*) FROM outbox WHERE channel = '" + channel + "' AND state = '" +
                     state + "'");
}

} // namespace

TEST_CASE("the provider is down for two virtual hours and comes back") {
    World world{{.clock_speed = 900}};
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 200});
    std::this_thread::sleep_for(1s);
    world.calls->set({.way = Weather::Way::refuse});
    world.calls->reset_all();
    std::this_thread::sleep_for(8s);
    const auto answered_before = world.provider->requests();
    std::this_thread::sleep_for(500ms);
    CHECK(world.provider->requests() == answered_before);
    world.calls->set({});
    require_none(settle_and_prove(world, *producers,
                                  {.answers_may_be_lost = true, .every_intent_is_accepted = true}));
    // A connection that was never made is no unknown outcome; one that was cut is: as many as may
    // be under way at once.
    CHECK(std::stoi(count_in_outbox(world, "sms", "unknown")) <= 8);
    CHECK(count_in_outbox(world, "sms", "rejected") == "0");
}

TEST_CASE("a provider that asks for patience gets it, in seconds and as a date") {
    // What a provider asks for is meant in real time. One call at a time: the others wait for it.
    World world{{.clock_speed = 1, .channel = ", concurrency: 1"}};
    world.start();
    using Clock = std::chrono::steady_clock;
    constexpr auto asked = 8s;
    bool as_date = false;
    SECTION("in seconds") {}
    SECTION("as a date") { as_date = true; }
    std::atomic<Clock::rep> refused_at{0}, next_at{0};
    world.provider->set([&](const Call& call) {
        if (call.path != "/crm") return Answer{};
        const auto now = Clock::now().time_since_epoch().count();
        if (refused_at != 0) {
            if (next_at == 0) next_at = now;
            return Answer{};
        }
        refused_at = now;
        std::string patience = std::to_string(asked.count());
        if (as_date) {
            const auto at = std::time(nullptr) + asked.count();
            char text[64];
            std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&at));
            patience = text;
        }
        return Answer{.status = 429, .headers = {{"Retry-After", patience}}, .accepts = false};
    });
    const auto producers = start_traffic(world, {}, {.rate = 200});
    for (const auto until = Clock::now() + 40s; Clock::now() < until && next_at == 0;)
        std::this_thread::sleep_for(20ms);
    REQUIRE(next_at != 0);
    const Clock::duration waited{next_at - refused_at};
    // One refusal opens no breaker, and the first back-off is half a second at the most. A date is
    // in whole seconds.
    CHECK(waited >= asked - (as_date ? 1100ms : 100ms));
    CHECK(waited < asked + 10s);
    CHECK(producers->finish(20s));
    CHECK(world.stop() == 0);
    world.start({{"SOJOURN_CLOCK_OFFSET", "86400"}}); // All waits are over.
    require_none(settle_and_prove(world, *producers, {.every_intent_is_accepted = true}));
}

TEST_CASE("a provider that fails in every way, before and after it has accepted") {
    World world{{.channel = ", timeout: 2s"}};
    world.start();
    std::mt19937_64 random{options().seed};
    std::map<std::string, bool> taken; // The script runs on one thread.
    world.provider->set([&](const Call& call) {
        // One that de-duplicates takes a message once, and says so each time.
        const bool deduplicates = call.path == "/crm";
        Answer answer;
        switch (random() % 9) {
        case 0: answer = {.status = 503, .accepts = false}; break;
        case 1: answer = {.status = 500, .accepts = false}; break;
        case 2: answer = {.accepts = false, .way = Answer::Way::reset}; break;
        case 3: answer = {.accepts = true, .way = Answer::Way::reset}; break;
        case 4: answer = {.accepts = false, .way = Answer::Way::silence}; break;
        case 5: answer = {.accepts = true, .way = Answer::Way::silence}; break;
        case 6: answer = {.accepts = true, .way = Answer::Way::dribble}; break;
        default: break;
        }
        if (deduplicates && taken[call.id]) answer.accepts = false;
        if (answer.accepts) taken[call.id] = true;
        return answer;
    });
    const auto producers = start_traffic(world, {.customers = 50}, {.rate = 20});
    std::this_thread::sleep_for(8s);
    producers->stop();
    std::this_thread::sleep_for(4s);
    world.provider->set([&](const Call& call) {
        const bool again = call.path == "/crm" && std::exchange(taken[call.id], true);
        return Answer{.accepts = !again};
    });
    require_none(settle_and_prove(world, *producers,
                                  {.answers_may_be_lost = true, .every_intent_is_accepted = true}));
}

TEST_CASE("the way to the provider is slow and then narrow and then swallows everything") {
    World world{{.channel = ", timeout: 2s"}};
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 50});
    // Both leave a call the time that it needs.
    for (const auto& weather : {Weather{.delay = 300ms}, Weather{.bytes_per_second = 10'000}}) {
        world.calls->set(weather);
        const int before = world.provider->requests();
        std::this_thread::sleep_for(4s);
        CHECK(world.provider->requests() > before);
    }
    world.calls->set({.way = Weather::Way::black_hole});
    std::this_thread::sleep_for(1s); // What was on its way has come.
    const int swallowed = world.provider->requests();
    std::this_thread::sleep_for(5s);
    CHECK(world.provider->requests() == swallowed);
    CHECK(world.get("/readyz").status == 200); // Who sends events need not know.
    // What the way still holds may arrive now, after its caller has given up.
    world.calls->set({});
    require_none(settle_and_prove(world, *producers, unanswered));
    CHECK(count_in_outbox(world, "sms", "unknown") != "0");
}

TEST_CASE("a time-out after the provider has accepted is repeated only where it can tell") {
    World world{{.channel = ", timeout: 2s"}};
    world.start();
    // A quarter: one that answers nothing at all is soon hardly called.
    const auto is_silent = [](const std::string& id) { return id.back() % 4 == 0; };
    world.provider->set([is_silent](const Call& call) {
        Answer answer{.accepts = call.attempt == 1}; // Behind it the provider has it already.
        if (call.attempt == 1 && is_silent(call.id)) answer.way = Answer::Way::silence;
        return answer;
    });
    const auto producers = start_traffic(world, {}, {.rate = 50});
    std::this_thread::sleep_for(5s);
    require_none(settle_and_prove(world, *producers, unanswered));
    int repeated = 0, unknown = 0;
    for (const auto& [id, call] : world.provider->seen()) {
        INFO(id << " of " << call.path);
        CHECK(call.accepted == 1);
        if (call.path == "/crm") {
            if (call.requests > 1) ++repeated;
            continue;
        }
        CHECK(call.requests == 1);
        if (!is_silent(id)) continue;
        ++unknown;
        CHECK(world.sql("SELECT state FROM outbox WHERE intent = '" + id + "'") == "unknown");
    }
    CHECK(repeated > 0);
    CHECK(unknown > 0);
}

TEST_CASE("what the provider refuses for good is not tried again") {
    World world;
    world.start();
    world.provider->set([](const Call& call) {
        return Answer{.status = call.path == "/crm" ? 400 : 202, .accepts = call.path != "/crm"};
    });
    const auto producers = start_traffic(world, {}, {.rate = 100});
    std::this_thread::sleep_for(2s);
    require_none(settle_and_prove(world, *producers));
    CHECK(count_in_outbox(world, "crm", "accepted") == "0");
    CHECK(count_in_outbox(world, "crm", "rejected") != "0");
    for (const auto& [id, call] : world.provider->seen()) CHECK(call.requests == 1);
}

} // namespace faults
