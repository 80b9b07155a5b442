#include "support/story.hpp"

#include <catch2/catch.hpp>

using namespace support;
using journeys::EntryKind;
using Lines = std::vector<std::string>;

namespace {

const std::string birthday = R"(
id: birthday
status: live
enter: { date: customer.traits.birthday, every: year, at: "09:00", timezone: customer }
steps: [ { name: mail, send: { channel: email, template: t, topic: offers } } ]
)";

Timestamp at(std::string_view text) { return *journeys::parse_timestamp(text); }

} // namespace

TEST_CASE("a birthday is met each year, at nine in the customer's zone", "[engine][dates]") {
    Story story{{birthday}};
    story.identify("ada", monday, R"({"birthday":"1990-05-17","timezone":"America/Los_Angeles"})");
    story.until(at("2026-05-17T15:59:59.999Z"));
    CHECK(story.happened().empty());
    story.until(at("2026-05-17T16:00:00Z"));
    CHECK(story.happened(EntryKind::enter) == Lines{"enter birthday"});
    CHECK(story.last_at(EntryKind::enter) == at("2026-05-17T16:00:00Z"));
    story.until(at("2029-01-01T00:00:00Z"));
    CHECK(story.happened(EntryKind::enter) == Lines{"enter birthday", "enter birthday"});
}

TEST_CASE("another birthday moves the timer, none takes it away", "[engine][dates]") {
    Story story{{birthday}};
    story.identify("ada", monday, R"({"birthday":"1990-05-17"})");
    story.identify("ada", monday + 1h, R"({"birthday":"1990-06-01"})");
    story.until(at("2026-05-31T23:00:00Z"));
    CHECK(story.happened().empty());
    story.identify("ada", at("2026-05-31T23:30:00Z"), R"({"birthday":null})");
    story.until(at("2026-06-02T00:00:00Z"));
    CHECK(story.happened().empty());
}

TEST_CASE("told on the day it enters at once, and once", "[engine][dates]") {
    Story story{{birthday}};
    story.identify("ada", monday, R"({"birthday":"1990-03-02"})");
    story.track("ada", "Page Viewed", monday + 1min);
    story.track("ada", "Page Viewed", monday + 1h);
    CHECK(story.happened(EntryKind::enter) == Lines{"enter birthday"});
}

TEST_CASE("a journey by a date that is published finds who sleeps", "[engine][dates]") {
    Story story{{R"(
id: other
status: live
enter: { on: Product Viewed, reentry: always }
steps: [ { name: mail, send: { channel: email, template: t, topic: offers } } ]
)"}};
    story.identify("ada", monday, R"({"birthday":"1990-03-10"})");
    story.publish({birthday});
    story.wake_all(monday + 1h);
    story.until(monday + 24h * 30);
    CHECK(story.happened(EntryKind::enter) == Lines{"enter birthday"});
    story.publish({birthday});
    story.wake_all(monday + 24h * 31);
    CHECK(story.happened().empty());
}

TEST_CASE("days before a date are days of the calendar, over the night on which clocks change",
          "[engine][dates]") {
    Story story{{R"(
id: renewal
status: live
enter: { on: Product Viewed, reentry: always }
steps:
  - name: three-days-before
    wait:
      until:
        date: customer.traits.renews_at
        offset: -3d
        time: "10:00"
        timezone: Europe/Berlin
  - name: mail
    send: { channel: email, template: t, topic: offers }
)"}};
    const auto met = [&](const std::string& renews_at) {
        story.identify("ada", monday, R"({"renews_at":")" + renews_at + "\"}");
        story.track("ada", "Product Viewed", monday + 1min);
        story.until(monday + 24h * 250);
        return journeys::to_text(story.last_at(EntryKind::send));
    };
    // In the year 2026 Berlin's clocks go forward on 29 March and back on 25 October.
    SECTION("in spring") { CHECK(met("2026-04-01") == "2026-03-29T08:00:00.000Z"); }
    SECTION("in autumn") { CHECK(met("2026-10-27") == "2026-10-24T08:00:00.000Z"); }
    SECTION("on no such night") { CHECK(met("2026-05-01") == "2026-04-28T08:00:00.000Z"); }
}
