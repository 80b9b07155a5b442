/// A channel's pace, its patience, and what an operator may tell it.
#include "actors/lead.hpp"
#include "tests/support/actor_fixture.hpp"

#include "journeys/local_time.hpp"
#include "journeys/packed.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace support;
using Kind = actors::ProviderOutcome::Kind;

namespace {

const CustomerId ada = user("ada");

/// Sends at once on `Signed Up`; `channel` says where.
journeys::JourneyPtr one_message(const std::string& channel, journeys::Duration expires = 24h) {
    auto journey = std::make_shared<journeys::Journey>();
    journey->id = "hello-" + channel;
    journey->version = journeys::hash(channel); // Versions are unique over all journeys.
    journey->status = journeys::Status::live;
    journey->enter.on = {"Signed Up"};
    journeys::Send send;
    send.channel = channel;
    send.template_name = "hello";
    send.topic = "news";
    send.expires = expires;
    journeys::Step step;
    step.path = "touch";
    step.named = true;
    step.next = journeys::end_of_run;
    step.action = send;
    journey->steps.push_back(std::move(step));
    journey->first = 0;
    return journey;
}

struct ChannelFixture : ActorFixture {
    ChannelFixture() : ActorFixture{1} { set_up({one_message("mail")}); }

    void set_up(std::vector<journeys::JourneyPtr> journeys, bool assume_permission = true) {
        journeys::Settings made;
        made.seed = 7;
        made.assume_permission = assume_permission;
        for (const auto* name : {"mail", "sms"})
            made.channels.push_back(
                {.name = name, .type = "sandbox", .address = "email", .needs_opt_in = false});
        disk.publications[0] =
            std::make_shared<const journeys::Catalog>(0, std::move(made), std::move(journeys));
    }
    actors::ChannelSettings& channel() { return settings.channels[0]; }

    void sign_up(int people, int from = 0) {
        for (int i = from; i < from + people; ++i)
            track(user("u" + std::to_string(i)), "Signed Up");
        settle();
    }
    int calls() const {
        int count = 0;
        for (const auto& [id, each] : provider.calls) count += each;
        return count;
    }
    actors::ChannelCounts tell(actors::ChannelCommand command) {
        actors::ChannelCounts counts;
        bool was_told = false;
        caf::anon_send(system->channel("mail"),
                       actors::ChannelControl{command, nullptr, [&](const auto& now) {
                                                  counts = now;
                                                  was_told = true;
                                              }});
        settle();
        CHECK(was_told);
        return counts;
    }
};

} // namespace

TEST_CASE("so many are granted ahead as the connections call in a moment", "[channel]") {
    actors::Lead lead;
    CHECK(lead.ahead(8) == 8); // Until calls have shown better.
    for (int i = 0; i < 1000; ++i) lead.called(10ms);
    CHECK(lead.ahead(8) == 40);
    CHECK(lead.ahead(1) == 5);
    SECTION("a fast provider's, within bounds") {
        for (int i = 0; i < 200; ++i) lead.called(0ms);
        CHECK(lead.ahead(8) == 8 * 64);
        lead.called(-1h); // Clocks go back.
        CHECK(lead.ahead(8) == 8 * 64);
    }
    SECTION("of a slow one a single one") {
        for (int i = 0; i < 200; ++i) lead.called(10s);
        CHECK(lead.ahead(8) == 1);
        for (int i = 0; i < 200; ++i) lead.called(10ms);
        CHECK(lead.ahead(8) >= 39);
    }
}

TEST_CASE_METHOD(ChannelFixture, "while calls are under way the next are granted, and no more",
                 "[channel]") {
    channel().concurrency = 2;
    provider.silent = {"mail"};
    start();
    settle();
    sign_up(20);
    pass(2s);
    CHECK(calls() == 2);
    CHECK(std::ranges::count(outbox(), IntentState::claimed) == 4);
    CHECK(std::ranges::count(outbox(), IntentState::pending) == 16);
    const auto counts = tell(actors::ChannelCommand::look);
    CHECK(counts.calling == 2);
    CHECK(counts.queued == 18);
}

TEST_CASE_METHOD(ChannelFixture,
                 "that the customer is still ours is proven before a call is repeated",
                 "[channel]") {
    channel().deduplicates = true;
    int refusals = 1;
    provider.answer = [&](const actors::ProviderRequest&) -> actors::ProviderOutcome {
        if (refusals-- > 0) return {Kind::retry, 3s, "503"};
        return {Kind::accepted, 0ms, "202"};
    };
    std::mt19937_64 dice{1};
    start();
    world().faults = &dice;
    settle();
    sign_up(1);
    REQUIRE(calls() == 1);
    world().flush_lost = 1; // Whoever cannot commit does not know whether it has been replaced.
    pass(1min);
    CHECK(calls() == 1);
    world().flush_lost = 0;
    pass(1min);
    CHECK(calls() == 2);
    CHECK(outbox() == std::vector{IntentState::accepted});
}

TEST_CASE_METHOD(ChannelFixture, "a rate by the second and one by the minute hold together",
                 "[channel]") {
    channel().rate = 2;
    channel().burst = 5;
    channel().per_minute = 20;
    channel().concurrency = 100;
    start();
    settle();
    sign_up(60);
    pass(0ms);
    CHECK(calls() == 5); // The burst.
    pass(4s, 100ms);
    CHECK(calls() == 13);
    pass(6s, 100ms);
    // 20 at once is all that the minute has; it fills again by one in three seconds.
    CHECK(calls() == 23);
    pass(30s, 100ms);
    CHECK(calls() == 33);
    pass(90s, 100ms);
    CHECK(calls() == 60);
}

TEST_CASE_METHOD(ChannelFixture, "a question that came to nothing costs no token", "[channel]") {
    channel().rate = 0.0001;
    channel().burst = 1;
    auto journey = std::make_shared<journeys::Journey>(*one_message("mail"));
    journey->exits.push_back({{"Order Completed"}, {}, "purchased", 1});
    set_up({journey});
    start();
    settle();
    track(ada, "Signed Up");
    track(ada, "Order Completed");
    settle();
    CHECK(calls() == 0);
    sign_up(1);
    pass(1s);
    CHECK(calls() == 1);
}

TEST_CASE_METHOD(ChannelFixture, "a provider that never answers slows no other", "[channel]") {
    settings.channels.push_back({.name = "sms"});
    set_up({one_message("mail"), one_message("sms")});
    provider.silent = {"mail"};
    start();
    settle();
    sign_up(300);
    pass(5s);
    // Every line to the silent one is taken; all of the other's messages have left.
    int mails = 0, texts = 0;
    for (const auto& [id, row] : disk.outbox) {
        if (row.intent.channel == "sms") texts += row.state == IntentState::accepted;
        if (row.intent.channel == "mail") mails += row.state == IntentState::accepted;
    }
    CHECK(texts == 300);
    CHECK(mails == 0);
    CHECK(disk.outbox.size() == 600);
    CHECK(static_cast<std::size_t>(calls()) == 300 + channel().concurrency);
}

TEST_CASE_METHOD(ChannelFixture, "a breaker lets one through to see, and closes behind a success",
                 "[channel]") {
    bool is_down = true;
    provider.answer = [&](const actors::ProviderRequest&) -> actors::ProviderOutcome {
        if (is_down) return {Kind::retry, 0ms, "503"};
        return {Kind::accepted, 0ms, "202"};
    };
    channel().concurrency = 1;
    start();
    settle();
    sign_up(50);
    pass(1min, 100ms);
    const auto while_down = calls();
    CHECK(while_down < 30); // Not fifty messages each tried again and again.
    CHECK(tell(actors::ChannelCommand::look).breaker_open);
    CHECK(tell(actors::ChannelCommand::look).last_failure == "503");
    is_down = false;
    pass(10min, 1s);
    CHECK(std::ranges::count(outbox(), IntentState::accepted) == 50);
    CHECK_FALSE(tell(actors::ChannelCommand::look).breaker_open);
}

TEST_CASE_METHOD(ChannelFixture, "calls that fail together open a breaker once, not for longer",
                 "[channel]") {
    bool is_down = true;
    provider.answer = [&](const actors::ProviderRequest&) -> actors::ProviderOutcome {
        if (is_down) return {Kind::retry, 0ms, "503"};
        return {Kind::accepted, 0ms, "202"};
    };
    channel().concurrency = 100;
    start();
    settle();
    sign_up(100);
    pass(0ms);
    REQUIRE(calls() == 100);
    CHECK(tell(actors::ChannelCommand::look).breaker_open);
    is_down = false;
    pass(channel().breaker_open - 100ms, 100ms);
    CHECK(calls() == 100);
    pass(2s, 100ms);
    CHECK_FALSE(tell(actors::ChannelCommand::look).breaker_open);
}

TEST_CASE_METHOD(ChannelFixture, "Retry-After is waited for, by everything in the channel",
                 "[channel]") {
    int refusals = 1;
    provider.answer = [&](const actors::ProviderRequest&) -> actors::ProviderOutcome {
        if (refusals-- > 0) return {Kind::retry, 30s, "429"};
        return {Kind::accepted, 0ms, "202"};
    };
    channel().concurrency = 1;
    start();
    settle();
    sign_up(3);
    pass(29s, 500ms);
    CHECK(calls() == 1);
    pass(3s, 500ms);
    CHECK(calls() == 4);
}

TEST_CASE_METHOD(ChannelFixture, "a day's Retry-After is shown, and ends where an operator resumes",
                 "[channel]") {
    int refusals = 1;
    provider.answer = [&](const actors::ProviderRequest&) -> actors::ProviderOutcome {
        if (refusals-- > 0) return {Kind::retry, 24h, "503"};
        return {Kind::accepted, 0ms, "202"};
    };
    start();
    settle();
    sign_up(1);
    pass(10s);
    CHECK(calls() == 1);
    CHECK(tell(actors::ChannelCommand::look).held_until > clock + 23h);
    sign_up(2, 10);
    pass(1min);
    CHECK(calls() == 1);
    tell(actors::ChannelCommand::resume);
    pass(1s);
    CHECK(calls() == 3); // The one refused waits for its own time.
    CHECK(tell(actors::ChannelCommand::look).held_until <= clock);
}

TEST_CASE_METHOD(ChannelFixture, "pause, resume, drain", "[channel]") {
    start();
    settle();
    CHECK(tell(actors::ChannelCommand::pause).paused);
    sign_up(3);
    pass(10s);
    CHECK(calls() == 0);
    CHECK(tell(actors::ChannelCommand::look).queued == 3);
    tell(actors::ChannelCommand::resume);
    pass(1s);
    CHECK(calls() == 3);
    CHECK(tell(actors::ChannelCommand::drain).draining);
    sign_up(2, 10);
    pass(10s);
    CHECK(calls() == 3);
    tell(actors::ChannelCommand::resume);
    pass(1s);
    CHECK(calls() == 5);
}

TEST_CASE_METHOD(ChannelFixture, "a receiver that is gone pauses the channel until it is resumed",
                 "[channel]") {
    bool is_gone = true;
    provider.answer = [&](const actors::ProviderRequest&) -> actors::ProviderOutcome {
        if (is_gone) return {Kind::retry, 0ms, "HTTP 410", true};
        return {Kind::accepted, 0ms, "202"};
    };
    start();
    settle();
    sign_up(1);
    pass(1s);
    sign_up(3, 10);
    pass(10min, 1s);
    CHECK(calls() == 1);
    const auto counts = tell(actors::ChannelCommand::look);
    CHECK(counts.paused);
    CHECK(counts.last_failure == "HTTP 410");
    is_gone = false;
    tell(actors::ChannelCommand::resume);
    pass(10min, 1s);
    CHECK(calls() == 5);
    CHECK(outbox() == std::vector{4, IntentState::accepted});
}

TEST_CASE_METHOD(ChannelFixture, "what is tried in vain is set aside, and tried again when told to",
                 "[channel]") {
    bool is_down = true;
    provider.answer = [&](const actors::ProviderRequest&) -> actors::ProviderOutcome {
        if (is_down) return {Kind::retry, 0ms, "HTTP 401"};
        return {Kind::accepted, 0ms, "202"};
    };
    channel().attempts_max = 3;
    channel().breaker_after = 1000;
    start();
    settle();
    sign_up(2);
    pass(5min, 1s);
    CHECK(calls() == 6);
    CHECK(tell(actors::ChannelCommand::look).dead == 2);
    CHECK(outbox() == std::vector{2, IntentState::claimed}); // The runs wait at their step.
    SECTION("the key is mended") {
        is_down = false;
        tell(actors::ChannelCommand::retry_dead);
        pass(1s);
        CHECK(outbox() == std::vector{2, IntentState::accepted});
        CHECK(tell(actors::ChannelCommand::look).dead == 0);
        for (const auto& [id, payloads] : provider.payloads) CHECK(payloads.size() == 1);
    }
    SECTION("nothing is mended: three more attempts at the most") {
        tell(actors::ChannelCommand::retry_dead);
        pass(5min, 1s);
        CHECK(calls() <= 12);
        CHECK(tell(actors::ChannelCommand::look).dead == 2);
    }
    SECTION("nobody comes: it expires, with its reason") {
        pass(25h, 1min);
        CHECK(outbox() == std::vector{2, IntentState::recalled});
        CHECK(calls() == 6);
        CHECK(stored(user("u0"))->runs.empty());
        CHECK(stored(user("u0"))->sends.empty()); // Nothing was sent, so nothing is spent.
    }
}

TEST_CASE_METHOD(ChannelFixture,
                 "what certainly came to nothing is tried again by the next process, once",
                 "[channel]") {
    std::mt19937_64 dice{1};
    int refusals = 1;
    bool lose_flushes_from_then_on = false;
    provider.answer = [&](const actors::ProviderRequest&) -> actors::ProviderOutcome {
        if (refusals-- <= 0) return {Kind::accepted, 0ms, "202"};
        if (lose_flushes_from_then_on) world().flush_lost = 1;
        return {Kind::retry, 30s, "503"};
    };
    const auto start_anew = [&] {
        crash();
        start();
        settle();
        pass(1min);
    };
    const auto begin = [&] {
        start();
        world().faults = &dice;
        settle();
        sign_up(1);
        REQUIRE(calls() == 1);
    };
    SECTION("killed while it backs off") {
        begin();
        CHECK(disk.outbox.begin()->second.failed);
        start_anew();
        CHECK(outbox() == std::vector{IntentState::accepted});
        CHECK(calls() == 2);
        for (const auto& [id, payloads] : provider.payloads) CHECK(payloads.size() == 1);
    }
    SECTION("killed before that was written: nobody knows") {
        lose_flushes_from_then_on = true;
        begin();
        start_anew();
        CHECK(outbox() == std::vector{IntentState::unknown});
        CHECK(calls() == 1);
    }
    SECTION("killed before the next one was announced: it was not written") {
        begin();
        world().flush_lost = 1;
        pass(40s);
        CHECK(calls() == 1);
        start_anew();
        CHECK(outbox() == std::vector{IntentState::accepted});
        CHECK(calls() == 2);
    }
    SECTION("killed when the next one may have been written: nobody knows") {
        begin();
        provider.silent = {"mail"};
        pass(40s);
        REQUIRE(calls() == 2);
        provider.silent.clear();
        start_anew();
        CHECK(outbox() == std::vector{IntentState::unknown});
        CHECK(calls() == 2);
    }
    SECTION("again and again, with a process for each") {
        refusals = 1000;
        begin();
        for (int i = 0; i < 3; ++i) start_anew();
        CHECK(outbox() == std::vector{IntentState::claimed});
        const int before = calls();
        CHECK(before >= 4);
        CHECK(disk.outbox.begin()->second.attempts == before);
        refusals = 0;
        start_anew();
        CHECK(outbox() == std::vector{IntentState::accepted});
        CHECK(calls() == before + 1);
    }
    SECTION("it expires as what was never sent") {
        set_up({one_message("mail", 10min)});
        refusals = 1000;
        begin();
        start_anew();
        pass(15min, 1s);
        CHECK(outbox() == std::vector{IntentState::recalled});
        CHECK(stored(user("u0"))->sends.empty());
    }
    SECTION("what was set aside is so still, and tried again when told to") {
        channel().attempts_max = 1;
        begin();
        start_anew();
        CHECK(calls() == 1);
        CHECK(tell(actors::ChannelCommand::look).dead == 1);
        tell(actors::ChannelCommand::retry_dead);
        pass(1s);
        CHECK(outbox() == std::vector{IntentState::accepted});
        CHECK(calls() == 2);
    }
    SECTION("ended in order it is the same") {
        begin();
        REQUIRE(stop());
        start();
        settle();
        pass(1min);
        CHECK(outbox() == std::vector{IntentState::accepted});
    }
    SECTION("an order ends it before the next process tries") {
        auto journey = std::make_shared<journeys::Journey>(*one_message("mail"));
        journey->exits.push_back({{"Order Completed"}, {}, "purchased", 1});
        set_up({journey});
        begin();
        crash();
        start();
        track(user("u0"), "Order Completed");
        settle();
        pass(1min);
        CHECK(outbox() == std::vector{IntentState::recalled});
        CHECK(calls() == 1);
    }
    SECTION("where the provider deduplicates nothing is noted, and it is tried again") {
        channel().deduplicates = true;
        begin();
        CHECK_FALSE(disk.outbox.begin()->second.failed);
        start_anew();
        CHECK(outbox() == std::vector{IntentState::accepted});
    }
}

TEST_CASE_METHOD(ChannelFixture, "nothing is sent after it has expired, whatever it waited for",
                 "[channel]") {
    set_up({one_message("mail", 10min)});
    bool is_down = true;
    provider.answer = [&](const actors::ProviderRequest&) -> actors::ProviderOutcome {
        if (is_down) return {Kind::retry, 0ms, "503"};
        return {Kind::accepted, 0ms, "202"};
    };
    start();
    settle();
    sign_up(5);
    pass(9min, 1s);
    pass(2min, 1s);
    const auto before = calls();
    is_down = false;
    pass(1h, 1s);
    CHECK(calls() == before);
    CHECK(outbox() == std::vector{5, IntentState::recalled});
}

TEST_CASE("after an acknowledged STOP nothing is handed over any more", "[channel][simulation]") {
    for (unsigned seed = 1; seed <= 60; ++seed) {
        INFO("seed " << seed);
        std::mt19937_64 chance{seed};
        const auto between = [&](int low, int high) {
            return std::uniform_int_distribution{low, high}(chance);
        };
        ChannelFixture fixture;
        auto again = std::make_shared<journeys::Journey>(*one_message("mail"));

        fixture.set_up({again}, false);
        fixture.chance = &chance;
        fixture.channel().concurrency = static_cast<std::size_t>(between(1, 3));
        fixture.channel().deduplicates = between(0, 1) == 1;
        fixture.channel().rate = between(0, 1) * 5;
        std::map<CustomerId, Timestamp> stopped;
        int sent = 0;
        fixture.provider.answer =
            [&](const actors::ProviderRequest& request) -> actors::ProviderOutcome {
            // When the customer was asked stands in what they granted.
            const auto at = request.payload.find("\"at\":\"");
            const auto asked = journeys::parse_timestamp(request.payload.substr(at + 6, 24));
            REQUIRE(asked.has_value());
            const auto stop = stopped.find(request.customer);
            if (stop != stopped.end()) CHECK(*asked <= stop->second);
            ++sent;
            const int dice = between(0, 9);
            if (dice < 3) return {Kind::retry, 0ms, "503"};
            if (dice == 3) return {Kind::unknown, 0ms, "time-out"};
            return {Kind::accepted, 0ms, "202"};
        };
        const auto start = [&] {
            fixture.start();
            auto& world = fixture.world();
            world.faults = &chance;
            world.flush_lost = world.flush_reply_lost = 0.1;
            world.load_fails = world.append_fails = 0.1;
        };
        const auto append = [&](const CustomerId& who, std::string name, std::string traits,
                                std::string properties) {
            journeys::Event event;
            if (name == "Identify") event.type = journeys::EventType::identify;
            event.name = std::move(name);
            event.ids = {who};
            event.message_hash = chance() | 1;
            event.time = event.written = fixture.clock;
            event.traits = std::move(traits);
            event.properties = std::move(properties);
            Record record;
            record.customer = who;
            record.body = std::move(event);
            fixture.append(std::move(record));
        };
        const auto map = [](std::string_view key, std::string_view value, bool stop) {
            journeys::PackedWriter writer;
            const auto mark = writer.begin_map();
            writer.key(key);
            writer.string(value);
            if (stop) {
                writer.key("stop");
                writer.boolean(true);
            }
            writer.end_map(mark, stop ? 2 : 1);
            return writer.take();
        };
        start();
        for (int i = 0; i < 4; ++i)
            append(user("u" + std::to_string(i)), "Identify",
                   map("email", "u" + std::to_string(i) + "@example.com", false), {});
        for (int i = 0; i < 80; ++i) {
            const auto who = user("u" + std::to_string(between(0, 3)));
            const int dice = between(0, 99);
            if (dice < 30) {
                append(who, "Signed Up", {}, {});
            } else if (dice < 36 && !stopped.contains(who)) {
                append(who, "Unsubscribed", {}, map("channel", "mail", true));
                stopped[who] = fixture.clock; // The append has returned: it is acknowledged.
            } else if (dice < 40) {
                fixture.crash();
                fixture.clock += std::chrono::seconds{between(0, 60)};
                start();
            } else if (dice < 85) {
                for (int steps = between(1, 40); steps > 0 && fixture.happen_by_chance(); --steps) {
                }
            } else {
                fixture.pass(std::chrono::seconds{between(1, 120)},
                             std::chrono::milliseconds{between(100, 5000)});
            }
            fixture.clock += std::chrono::milliseconds{between(1, 500)};
        }
        fixture.world().faults = nullptr;
        fixture.pass(2h, 1min);
        CHECK(sent > 0);
        for (const auto& [who, at] : stopped) {
            const auto customer = fixture.stored(who);
            REQUIRE(customer);
            CHECK_FALSE(customer->suppressions.empty());
            CHECK(customer->runs.empty());
        }
    }
}
