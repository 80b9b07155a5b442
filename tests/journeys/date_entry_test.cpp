#include "journeys/date_entry.hpp"

#include "journeys/customer.hpp"
#include "journeys/local_time.hpp"

#include <catch2/catch.hpp>

using namespace journeys;
using namespace std::chrono_literals;
using Every = DateEntry::Every;

namespace {

Timestamp at(std::string_view text) {
    const auto parsed = parse_timestamp(text);
    REQUIRE(parsed);
    return *parsed;
}

DateEntry entry(Every every, int offset = 0, std::chrono::minutes time = 9h) {
    DateEntry made;
    made.every = every;
    made.offset = std::chrono::days{offset};
    made.time = time;
    return made;
}

/// `DAY due`, or `never`.
std::string next(const DateEntry& entry, std::string_view date, std::string_view now,
                 std::string_view zone = "UTC", std::int32_t last_day = DateTimer::no_day) {
    const auto day = calendar_day(cel::Value::string(date), zone);
    if (!day) return "no date";
    const auto found = next_occurrence(entry, *day, zone, at(now), last_day);
    return found ? day_text(found->day) + ' ' + to_text(found->due) : "never";
}

} // namespace

TEST_CASE("a day is read from what shops store", "[dates]") {
    const auto read = [](std::string_view text, std::string_view zone = "UTC") {
        const auto day = calendar_day(cel::Value::string(text), zone);
        if (!day) return std::string{"none"};
        return (day->year ? std::to_string(*day->year) : "every") + '-' +
               std::to_string(day->month) + '-' + std::to_string(day->day);
    };
    CHECK(read("1990-05-17") == "1990-5-17");
    CHECK(read("05-17") == "every-5-17");
    CHECK(read("02-29") == "every-2-29");
    CHECK(read("1990-05-17T00:00:00Z", "America/New_York") == "1990-5-17");
    CHECK(read("1990-05-17T00:00:00.000Z", "America/New_York") == "1990-5-17");
    CHECK(read("2026-05-17T23:30:00Z", "Europe/Berlin") == "2026-5-18");
    CHECK(read("2026-05-17T00:00:00+02:00", "Europe/Berlin") == "2026-5-17");
    for (const auto* text : {"", "17.05.1990", "1990-02-29", "02-30", "13-01", "soon", "5-17",
                             "1990", "1990-05", "0x-17"})
        CHECK(read(text) == "none");
    CHECK_FALSE(calendar_day(cel::Value::null(), "UTC"));
    CHECK_FALSE(calendar_day(cel::Value::boolean(true), "UTC"));
    const auto instant = cel::Value::timestamp(at("2026-05-17T23:30:00Z"));
    CHECK(calendar_day(instant, "Europe/Berlin")->day == 18);
}

TEST_CASE("a birthday comes in its zone, this year or the next", "[dates]") {
    const auto yearly = entry(Every::year);
    CHECK(next(yearly, "1990-05-17", "2026-03-02T10:00:00Z", "Europe/Berlin") ==
          "2026-05-17 2026-05-17T07:00:00.000Z");
    CHECK(next(yearly, "05-17", "2026-03-02T10:00:00Z", "America/Los_Angeles") ==
          "2026-05-17 2026-05-17T16:00:00.000Z");
    CHECK(next(yearly, "05-17", "2026-05-18T00:00:00Z") == "2027-05-17 2027-05-17T09:00:00.000Z");
    CHECK(next(yearly, "01-01", "2026-12-31T23:00:00Z", "Pacific/Kiritimati") ==
          "2027-01-01 2026-12-31T23:00:00.000Z"); // It is 13:00 of the first there.
}

TEST_CASE("who is known later on that day is not too late, the day after is", "[dates]") {
    const auto yearly = entry(Every::year);
    CHECK(next(yearly, "05-17", "2026-05-17T08:59:59Z") == "2026-05-17 2026-05-17T09:00:00.000Z");
    CHECK(next(yearly, "05-17", "2026-05-17T09:00:00Z") == "2026-05-17 2026-05-17T09:00:00.000Z");
    CHECK(next(yearly, "05-17", "2026-05-17T23:59:59Z") == "2026-05-17 2026-05-17T23:59:59.000Z");
    CHECK(next(yearly, "05-17", "2026-05-18T00:00:00Z") == "2027-05-17 2027-05-17T09:00:00.000Z");
    const auto once = entry(Every::once);
    CHECK(next(once, "2026-05-17", "2026-05-17T12:00:00Z") ==
          "2026-05-17 2026-05-17T12:00:00.000Z");
    CHECK(next(once, "2026-05-17", "2026-05-18T00:00:00Z") == "never");
    CHECK(next(once, "05-17", "2026-03-02T00:00:00Z") == "never"); // Of which year?
}

TEST_CASE("an occurrence that came does not come again", "[dates]") {
    const auto yearly = entry(Every::year);
    const auto day =
        next_occurrence(yearly, {{}, 5, 17}, "UTC", at("2026-05-01T00:00:00Z"), DateTimer::no_day)
            ->day;
    CHECK(next(yearly, "05-17", "2026-05-17T10:00:00Z", "UTC", day) ==
          "2027-05-17 2027-05-17T09:00:00.000Z");
    // After a flight to where nine o'clock is still to come.
    CHECK(next(yearly, "05-17", "2026-05-17T10:00:00Z", "America/Los_Angeles", day) ==
          "2027-05-17 2027-05-17T16:00:00.000Z");
}

TEST_CASE("the 29th of February is the 28th in other years", "[dates]") {
    const auto yearly = entry(Every::year);
    CHECK(next(yearly, "1988-02-29", "2026-01-10T00:00:00Z") ==
          "2026-02-28 2026-02-28T09:00:00.000Z");
    CHECK(next(yearly, "02-29", "2027-03-01T00:00:00Z") == "2028-02-29 2028-02-29T09:00:00.000Z");
    CHECK(next(yearly, "02-29", "2100-01-10T00:00:00Z") == "2100-02-28 2100-02-28T09:00:00.000Z");
}

TEST_CASE("months are as long as they are", "[dates]") {
    const auto monthly = entry(Every::month);
    CHECK(next(monthly, "2026-01-31", "2026-02-01T00:00:00Z") ==
          "2026-02-28 2026-02-28T09:00:00.000Z");
    CHECK(next(monthly, "2026-01-31", "2026-03-01T00:00:00Z") ==
          "2026-03-31 2026-03-31T09:00:00.000Z");
    CHECK(next(monthly, "2026-01-31", "2026-04-30T09:00:01Z", "UTC", 20'573) ==
          "2026-05-31 2026-05-31T09:00:00.000Z"); // 20,573 is 30 April 2026.
    CHECK(next(monthly, "2025-12-15", "2026-12-20T00:00:00Z") ==
          "2027-01-15 2027-01-15T09:00:00.000Z");
    CHECK(next(entry(Every::month, 20), "2026-01-15", "2026-05-01T00:00:00Z") ==
          "2026-04-15 2026-05-05T09:00:00.000Z");
    CHECK(next(entry(Every::month, -20), "2026-01-15", "2026-05-27T00:00:00Z") ==
          "2026-07-15 2026-06-25T09:00:00.000Z");
}

TEST_CASE("an offset counts days from the date, over the turn of the year too", "[dates]") {
    CHECK(next(entry(Every::year, -14), "01-05", "2026-12-01T00:00:00Z") ==
          "2027-01-05 2026-12-22T09:00:00.000Z");
    CHECK(next(entry(Every::year, 30), "12-20", "2027-01-02T00:00:00Z") ==
          "2026-12-20 2027-01-19T09:00:00.000Z");
    CHECK(next(entry(Every::year, -366), "05-17", "2026-01-02T00:00:00Z") ==
          "2027-05-17 2026-05-16T09:00:00.000Z");
    CHECK(next(entry(Every::year, 366), "05-17", "2026-05-20T00:00:00Z") ==
          "2026-05-17 2027-05-18T09:00:00.000Z");
    CHECK(next(entry(Every::once, -14), "2026-05-17", "2026-05-03T12:00:00Z") ==
          "2026-05-17 2026-05-03T12:00:00.000Z");
    CHECK(next(entry(Every::once, -14), "2026-05-17", "2026-05-04T00:00:00Z") == "never");
}

TEST_CASE("the date itself is the first of its repetitions where it is still to come", "[dates]") {
    const auto yearly = entry(Every::year);
    CHECK(next(yearly, "2029-12-01", "2026-03-02T00:00:00Z") ==
          "2029-12-01 2029-12-01T09:00:00.000Z");
    CHECK(next(yearly, "2026-03-02", "2026-03-02T08:00:00Z") ==
          "2026-03-02 2026-03-02T09:00:00.000Z");
    CHECK(next(yearly, "2026-03-02", "2026-03-02T10:00:00Z") ==
          "2027-03-02 2027-03-02T09:00:00.000Z"); // Not on the day on which somebody joined.
    CHECK(next(entry(Every::month), "2026-03-02", "2026-03-02T10:00:00Z") ==
          "2026-04-02 2026-04-02T09:00:00.000Z");
}

TEST_CASE("a clock that jumps over nine, or shows it twice, is met once", "[dates]") {
    const auto night = entry(Every::year, 0, 2h + 30min);
    CHECK(next(night, "03-29", "2026-03-01T00:00:00Z", "Europe/Berlin") ==
          "2026-03-29 2026-03-29T01:00:00.000Z"); // 02:30 does not exist: 03:00.
    CHECK(next(night, "10-25", "2026-10-01T00:00:00Z", "Europe/Berlin") ==
          "2026-10-25 2026-10-25T00:30:00.000Z"); // The first of two.
}

TEST_CASE("dates at the ends of the calendar do no harm", "[dates]") {
    CHECK(next(entry(Every::once), "9999-12-31", "2026-01-01T00:00:00Z") == "never");
    CHECK(next(entry(Every::year), "9999-12-31", "2026-01-01T00:00:00Z") == "never");
    CHECK(next(entry(Every::month, 366), "0001-01-01", "2026-01-10T00:00:00Z") ==
          "2025-02-01 2026-02-02T09:00:00.000Z");
}
