/// Whether a journey does what its file expects of it.
#include "journeys/watching.hpp"

#include <catch2/catch.hpp>

using namespace journeys;
using namespace std::chrono_literals;

namespace {

DayOfSends day(std::uint64_t sent, std::uint64_t capped = 0, std::uint64_t held_out = 0) {
    DayOfSends made;
    made.sent = sent;
    made.add(Reason::capped, capped);
    made.add(Reason::holdout, held_out);
    return made;
}

} // namespace

TEST_CASE("a journey is silent once it has been live for a day", "[watch]") {
    const Watch watch{.sends_min = 50, .sends_max = {}, .suppressed_below = {}};
    CHECK(alarm_of(watch, day(49), 24h) == Alarm::silent);
    CHECK(alarm_of(watch, day(50), 24h) == Alarm::none);
    CHECK(alarm_of(watch, day(0), 24h - 1ms) == Alarm::none);
    CHECK(told(watch, day(49), Alarm::silent) == "49 sent in 24 hours, at least 50 are expected");
    CHECK(told(watch, day(3, 41), Alarm::silent) ==
          "3 sent in 24 hours, at least 50 are expected; not sent: capped 41");
    CHECK(told(watch, day(50), Alarm::none) == "50 sent in 24 hours (at least 50)");
}

TEST_CASE("a journey floods at once", "[watch]") {
    const Watch watch{.sends_min = 1, .sends_max = 10, .suppressed_below = {}};
    CHECK(alarm_of(watch, day(10), 1min) == Alarm::none);
    CHECK(alarm_of(watch, day(11), 1min) == Alarm::flooding);
    CHECK(told(watch, day(11), Alarm::flooding) == "11 sent in 24 hours, at most 10 are expected");
    CHECK(told(watch, day(5), Alarm::none) == "5 sent in 24 hours (at least 1, at most 10)");
}

TEST_CASE("too much is left out, whoever is held out on purpose", "[watch]") {
    const Watch watch{.sends_min = {}, .sends_max = {}, .suppressed_below = 0.4};
    CHECK(alarm_of(watch, day(61, 39), 1min) == Alarm::none);
    CHECK(alarm_of(watch, day(60, 40), 1min) == Alarm::suppressed);
    CHECK(alarm_of(watch, day(61, 39, 1000), 1min) == Alarm::none);
    CHECK(alarm_of(watch, day(0, 19), 1min) == Alarm::none); // So few say nothing.
    CHECK(alarm_of(watch, day(0, 20), 1min) == Alarm::suppressed);
    CHECK(told(watch, day(60, 40), Alarm::suppressed) ==
          "40 % not sent in 24 hours, below 40 % is expected: capped 40");
    CHECK(told(watch, day(90, 10), Alarm::none) ==
          "90 sent in 24 hours, 10 % not sent (below 40 %)");
    CHECK(told(watch, day(0), Alarm::none) == "0 sent in 24 hours, 0 % not sent (below 40 %)");
}
