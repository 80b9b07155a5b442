#include "journeys/local_time.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace journeys;
using namespace std::chrono_literals;
using std::chrono::local_days;

namespace {

Timestamp at(std::string_view text) {
    const auto parsed = parse_timestamp(text);
    REQUIRE(parsed);
    return *parsed;
}

local_days day(int year, unsigned month, unsigned of_month) {
    return local_days{std::chrono::year{year} / std::chrono::month{month} /
                      std::chrono::day{of_month}};
}

} // namespace

TEST_CASE("timestamps are read as RFC 3339 has them", "[time]") {
    const auto [text, expected] = GENERATE(table<std::string, std::string>({
        {"2015-06-02T05:47:12.123Z", "2015-06-02T05:47:12.123Z"},
        {"2015-06-02T05:47:12Z", "2015-06-02T05:47:12.000Z"},
        {"2015-06-02t05:47:12z", "2015-06-02T05:47:12.000Z"},
        {"2015-06-02 05:47:12Z", "2015-06-02T05:47:12.000Z"},
        {"2015-06-02T05:47:12.1Z", "2015-06-02T05:47:12.100Z"},
        {"2015-06-02T05:47:12.12Z", "2015-06-02T05:47:12.120Z"},
        {"2015-06-02T05:47:12.1239Z", "2015-06-02T05:47:12.123Z"},
        {"2015-06-02T05:47:12.123999999Z", "2015-06-02T05:47:12.123Z"},
        {"2015-06-02T05:47:12.99999999999999999999Z", "2015-06-02T05:47:12.999Z"},
        {"2015-06-02T05:47:12+02:00", "2015-06-02T03:47:12.000Z"},
        {"2015-06-02T05:47:12.5-05:30", "2015-06-02T11:17:12.500Z"},
        {"2015-06-02T00:30:00+01:00", "2015-06-01T23:30:00.000Z"},
        {"2015-06-02T05:47:12-00:00", "2015-06-02T05:47:12.000Z"},
        {"2015-06-02T05:47:12+23:59", "2015-06-01T05:48:12.000Z"},
        {"2016-02-29T00:00:00Z", "2016-02-29T00:00:00.000Z"},
        {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"},
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"},
        {"2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.250Z"},
        {"1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00.000Z"},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"},
        {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
        {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
    }));
    CAPTURE(text);
    REQUIRE(parse_timestamp(text));
    CHECK(to_text(*parse_timestamp(text)) == expected);
}

TEST_CASE("what is no timestamp is refused", "[time]") {
    const auto* text =
        GENERATE("", "2015", "2015-06-02", "2015-06-02T05:47Z", "2015-06-02T05:47:12",
                 "2015-06-02T05:47:12.Z", "2015-06-02T05:47:12.123", "2015-6-2T05:47:12Z",
                 "2015-13-02T05:47:12Z", "2015-00-02T05:47:12Z", "2015-06-00T05:47:12Z",
                 "2015-06-31T05:47:12Z", "2015-02-29T05:47:12Z", "1900-02-29T00:00:00Z",
                 "2015-06-02T24:00:00Z", "2015-06-02T05:60:12Z", "2015-06-02T05:47:61Z",
                 "2015-06-02T05:47:60Z", "1998-12-31T22:59:60Z", "2015-06-02T05:47:12+0200",
                 "2015-06-02T05:47:12+02", "2015-06-02T05:47:12+24:00", "2015-06-02T05:47:12+02:60",
                 "2015-06-02T05:47:12+02:00Z", "2015-06-02T05:47:12ZZ", "2015-06-02T05:47:12Z ",
                 " 2015-06-02T05:47:12Z", "+015-06-02T05:47:12Z", "2015-06-02T-5:47:12Z",
                 "2015-06-02X05:47:12Z", "2015/06/02T05:47:12Z", "0000-01-01T00:00:00Z",
                 "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z",
                 "12015-06-02T05:47:12Z", "2015-06-02T05:47:12,5Z", "2015-06-02T05:47:12.1 Z",
                 "2015-06-02T05:47:1\xD9\xA0Z");
    CAPTURE(text);
    CHECK_FALSE(parse_timestamp(text));
}

TEST_CASE("a missing zone counts as UTC only where that is allowed", "[time]") {
    CHECK_FALSE(parse_timestamp("2015-06-02T05:47:12"));
    CHECK(parse_timestamp("2015-06-02T05:47:12", true) == at("2015-06-02T05:47:12Z"));
    CHECK(parse_timestamp("2015-06-02T05:47:12.5", true) == at("2015-06-02T05:47:12.5Z"));
    CHECK(parse_timestamp("2015-06-02T05:47:12+01:00", true) == at("2015-06-02T04:47:12Z"));
    CHECK_FALSE(parse_timestamp("2015-06-02T05:47:12x", true));
}

TEST_CASE("every instant reads back from its text", "[time]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    std::uniform_int_distribution<std::int64_t> millis{to_millis(timestamp_min),
                                                       to_millis(timestamp_max)};
    for (int i = 0; i < 50'000; ++i) {
        const auto instant = from_millis(millis(random));
        REQUIRE(parse_timestamp(to_text(instant)) == instant);
    }
    CHECK(to_text(from_millis(std::numeric_limits<std::int64_t>::max())) == to_text(timestamp_max));
    CHECK(to_text(from_millis(std::numeric_limits<std::int64_t>::min())) == to_text(timestamp_min));
}

TEST_CASE("garbage is never read past its end", "[time]") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const std::string good = "2015-06-02T05:47:12.123+02:00";
    for (int i = 0; i < 50'000; ++i) {
        auto text = good.substr(0, random() % (good.size() + 1));
        if (!text.empty()) text[random() % text.size()] = static_cast<char>(random());
        const std::string exact{text.data(), text.size()};
        parse_timestamp(exact, random() % 2 == 0);
    }
}

TEST_CASE("a local time in a gap is the first instant after it, in a fold the first", "[time]") {
    SECTION("Berlin skips 02:00 to 03:00 and repeats it") {
        CHECK(at_local("Europe/Berlin", day(2026, 3, 29), 1h + 59min) ==
              at("2026-03-29T00:59:00Z"));
        CHECK(at_local("Europe/Berlin", day(2026, 3, 29), 2h) == at("2026-03-29T01:00:00Z"));
        CHECK(at_local("Europe/Berlin", day(2026, 3, 29), 2h + 30min) ==
              at("2026-03-29T01:00:00Z"));
        CHECK(at_local("Europe/Berlin", day(2026, 3, 29), 3h) == at("2026-03-29T01:00:00Z"));
        CHECK(at_local("Europe/Berlin", day(2026, 3, 29), 3h + 1min) == at("2026-03-29T01:01:00Z"));
        CHECK(at_local("Europe/Berlin", day(2026, 10, 25), 2h + 30min) ==
              at("2026-10-25T00:30:00Z"));
        CHECK(at_local("Europe/Berlin", day(2026, 10, 25), 3h) == at("2026-10-25T02:00:00Z"));
    }
    SECTION("New York") {
        CHECK(at_local("America/New_York", day(2026, 3, 8), 2h + 30min) ==
              at("2026-03-08T07:00:00Z"));
        CHECK(at_local("America/New_York", day(2026, 11, 1), 1h + 30min) ==
              at("2026-11-01T05:30:00Z"));
    }
    SECTION("Lord Howe moves by half an hour") {
        CHECK(at_local("Australia/Lord_Howe", day(2026, 10, 4), 2h + 15min) ==
              at("2026-10-03T15:30:00Z"));
        CHECK(at_local("Australia/Lord_Howe", day(2026, 10, 4), 2h + 30min) ==
              at("2026-10-03T15:30:00Z"));
        CHECK(at_local("Australia/Lord_Howe", day(2026, 4, 5), 1h + 45min) ==
              at("2026-04-04T14:45:00Z"));
    }
    SECTION("an unknown zone counts as UTC") {
        CHECK(at_local("Mars/Olympus", day(2026, 3, 29), 2h + 30min) == at("2026-03-29T02:30:00Z"));
        CHECK(at_local("", day(2026, 3, 29), 2h + 30min) == at("2026-03-29T02:30:00Z"));
    }
}

TEST_CASE("an instant has its local day, minute and weekday", "[time]") {
    const auto berlin = to_local("Europe/Berlin", at("2026-03-28T23:30:59.999Z"));
    CHECK(berlin.day == day(2026, 3, 29));
    CHECK(berlin.minutes == 30min);
    CHECK(berlin.weekday == 0);
    const auto kathmandu = to_local("Asia/Kathmandu", at("2026-03-28T18:15:00Z"));
    CHECK(kathmandu.day == day(2026, 3, 29));
    CHECK(kathmandu.minutes == 0min);
    const auto before_1970 = to_local("UTC", at("1969-12-31T23:59:59.999Z"));
    CHECK(before_1970.day == day(1969, 12, 31));
    CHECK(before_1970.minutes == 23h + 59min);
    CHECK(before_1970.weekday == 3);
}

TEST_CASE("the next local time is at or after the instant, on a wanted weekday", "[time]") {
    CHECK(next_local("Europe/Berlin", at("2026-06-01T06:59:59.999Z"), 9h) ==
          at("2026-06-01T07:00:00Z"));
    CHECK(next_local("Europe/Berlin", at("2026-06-01T07:00:00Z"), 9h) ==
          at("2026-06-01T07:00:00Z"));
    CHECK(next_local("Europe/Berlin", at("2026-06-01T07:00:00.001Z"), 9h) ==
          at("2026-06-02T07:00:00Z"));
    // 1 June 2026 is a Monday; only Mondays are wanted.
    CHECK(next_local("Europe/Berlin", at("2026-06-01T07:00:00.001Z"), 9h, 0b10) ==
          at("2026-06-08T07:00:00Z"));
    CHECK(next_local("Europe/Berlin", at("2026-03-29T00:00:00Z"), 2h + 30min) ==
          at("2026-03-29T01:00:00Z"));
    // In the second 02:30 of a fold the first is over.
    CHECK(next_local("Europe/Berlin", at("2026-10-25T01:00:00Z"), 2h + 30min) ==
          at("2026-10-26T01:30:00Z"));
    CHECK(next_local("Europe/Berlin", at("2026-06-01T07:00:00Z"), 9h, 0) == no_time);
    CHECK(next_local("UTC", at("9999-12-31T12:00:00Z"), 9h) == no_time);
    // Samoa had no 30 December 2011; its nine o'clock falls on the first instant after.
    CHECK(next_local("Pacific/Apia", at("2011-12-30T09:59:59Z"), 9h) == at("2011-12-30T10:00:00Z"));
}

TEST_CASE("zones are known by their IANA names and nothing else", "[time]") {
    CHECK(is_known_zone("Europe/Berlin"));
    CHECK(is_known_zone("UTC"));
    CHECK(is_known_zone("Asia/Calcutta")); // An old name that browsers still send.
    CHECK_FALSE(is_known_zone(""));
    CHECK_FALSE(is_known_zone("europe/berlin"));
    CHECK_FALSE(is_known_zone("../../etc/passwd"));
    CHECK_FALSE(is_known_zone(std::string(100'000, 'x')));
    CHECK_FALSE(is_known_zone(std::string_view{"Europe/Berlin\0", 14}));
}
