/// Who is due when, and when the store is asked.
#include "actors/wakes.hpp"

#include <catch2/catch.hpp>

namespace actors {

using namespace std::chrono_literals;
using journeys::CustomerId;
using journeys::Timestamp;

namespace {

const Timestamp noon{12h};
const CustomerId ada{journeys::IdNamespace::user, "ada"}, bob{journeys::IdNamespace::user, "bob"};

struct Asleep {
    PartitionSettings settings{
        .wakes_per_tick = 3, .wakes_in_flight_max = 4, .timer_window = 10min};
    Wakes wakes{settings};

    /// The sleeper who is due next; nobody: an empty name.
    std::string next(Timestamp closed) {
        const auto due = wakes.pop(closed);
        return due ? std::get<CustomerId>(due->who).value : "";
    }
};

} // namespace

TEST_CASE_METHOD(Asleep, "who sleeps is due once, at the newest instant that was said of them") {
    wakes.add(ada, noon + 2s);
    wakes.add(ada, noon + 2s); // Said twice.
    wakes.add(bob, noon + 1s);
    wakes.add(bob, noon + 3s);
    CHECK(wakes.next() == journeys::timestamp_min); // The store was never asked.
    CHECK(next(noon) == "");
    CHECK(next(noon + 2s) == "ada");
    CHECK(next(noon + 2s) == "");
    CHECK(next(noon + 3s) == "bob");
    CHECK(next(noon + 1h) == "");
    wakes.add(bob, noon + 3s); // Asleep once more.
    CHECK(next(noon + 3s) == "bob");
}

TEST_CASE_METHOD(Asleep, "no more are woken than may be, and the count begins anew") {
    const auto wake = [&](int count) {
        for (int i = 0; i < count; ++i) wakes.woken();
    };
    for (std::uint32_t i = 0; i < 9; ++i) wakes.add({i, 1}, noon);
    wake(2);
    CHECK(wakes.has_room());
    CHECK(wakes.has_ample_room());
    wake(1);
    CHECK_FALSE(wakes.has_room()); // Three a tick.
    CHECK_FALSE(wakes.pop(noon));
    CHECK(wakes.note().woken == 3);
    CHECK(wakes.has_room());
    CHECK_FALSE(wakes.has_ample_room()); // More than half of four are under way.
    CHECK(wakes.pop(noon + 5s));
    wake(1);
    CHECK_FALSE(wakes.has_room()); // Four at once.
    wakes.answered();
    CHECK(wakes.in_flight() == 3);
    CHECK(wakes.has_room());
    const auto noted = wakes.note();
    CHECK(noted.woken == 1);
    CHECK(noted.latest == 5s);
    CHECK(wakes.note().woken == 0);
}

TEST_CASE_METHOD(Asleep,
                 "the store is asked for what it left out, and else well before it is due") {
    const Timestamp now{};
    CHECK_FALSE(wakes.must_ask(journeys::timestamp_min, now)); // No clock yet.
    REQUIRE(wakes.must_ask(noon, now));
    CHECK(wakes.ask(noon) == noon + 10min);
    CHECK_FALSE(wakes.must_ask(noon, now)); // It is under way.
    CHECK(wakes.has_asked_for(noon + 10min - 1ms));
    CHECK_FALSE(wakes.has_asked_for(noon + 10min));

    SECTION("all of the window") {
        wakes.found({}, now);
        CHECK(wakes.next() == noon + 5min);
        CHECK_FALSE(wakes.must_ask(noon + 5min - 1ms, now + 1h));
        CHECK_FALSE(wakes.must_ask(noon + 5min, now + 199ms)); // However fast the log's clock goes.
        CHECK(wakes.must_ask(noon + 5min, now + 200ms));
        wakes.changed(noon + 1min); // With other models, say.
        CHECK(wakes.next() == noon + 1min + 2s);
    }
    SECTION("a part of it") {
        wakes.found({.entries = {}, .next = noon + 1min}, now);
        CHECK(wakes.next() == noon + 58s);
        wakes.changed(noon + 1min); // That is later.
        CHECK(wakes.next() == noon + 58s);
    }
    SECTION("it failed") {
        wakes.found({.entries = {}, .failed = true}, now);
        CHECK(wakes.must_ask(noon, now + 200ms));
    }
    SECTION("too many are being woken") {
        wakes.found({}, now);
        for (int i = 0; i < 3; ++i) wakes.woken();
        CHECK_FALSE(wakes.must_ask(noon + 5min, now + 1s));
        wakes.answered();
        CHECK(wakes.must_ask(noon + 5min, now + 1s));
    }
}

} // namespace actors
