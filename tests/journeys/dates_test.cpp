#include "schema/audiences_yaml.hpp"
#include "schema/table_csv.hpp"
#include "schema/vars_yaml.hpp"
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

TEST_CASE("who is let in only later on the day is not told: it comes once", "[engine][dates]") {
    Story story{{R"(
id: early
status: live
enter: { date: '"2026-03-10"', every: once, at: "09:00", timezone: customer, when: customer.orders > 0 }
steps: [ { name: mail, send: { channel: email, template: t, topic: offers } } ]
)"}};
    story.track("ada", "Page Viewed", monday);
    story.until(at("2026-03-10T09:00:00Z"));
    CHECK(story.happened(EntryKind::no_entry).size() == 1);
    story.track("ada", "Order Completed", at("2026-03-10T10:00:00Z"),
                R"({"order_id":"o","total":5})");
    story.until(at("2026-03-12T09:00:00Z"));
    CHECK(story.happened().empty());
}

TEST_CASE("a wait whose date moves into the past does what past says", "[engine][dates]") {
    const auto past = GENERATE(as<std::string>{}, "exit", "go_on", "skip");
    Story story{{R"(
id: renewal
status: live
enter: { on: Product Viewed, reentry: always }
steps:
  - name: three-days-before
    wait: { until: { date: customer.traits.renews_at, offset: -3d, past: )" +
                 past + R"( } }
  - name: reminder
    send: { channel: email, template: t, topic: offers }
  - name: afterwards
    wait: { for: 1h }
  - name: thanks
    send: { channel: email, template: t, topic: offers }
)"}};
    story.identify("ada", monday, R"({"renews_at":"2026-03-20T10:00:00Z"})");
    story.track("ada", "Product Viewed", monday + 1min);
    story.happened();
    const auto moved = at("2026-03-10T12:00:00Z");
    SECTION("renewed early") {
        story.identify("ada", moved, R"({"renews_at":"2026-03-10T12:00:00Z"})");
        story.until(moved + 24h);
        if (past == "exit") {
            CHECK(story.happened() == Lines{"end renewal/three-days-before no_date"});
        } else if (past == "go_on") {
            CHECK(story.happened(EntryKind::send) ==
                  Lines{"send renewal/reminder", "send renewal/thanks"});
            CHECK(story.last_at(EntryKind::send) == moved + 1h);
        } else {
            CHECK(story.happened(EntryKind::send) == Lines{"send renewal/thanks"});
            CHECK(story.last_at(EntryKind::send) == moved + 1h);
        }
    }
    SECTION("to this very instant, which is not past") {
        story.identify("ada", moved, R"({"renews_at":"2026-03-13T12:00:00Z"})");
        story.until(moved);
        CHECK(story.happened() == Lines{"send renewal/reminder"});
    }
}

TEST_CASE("only what a date reads wakes who sleeps, and not every publication", "[engine][dates]") {
    const auto lookups = [](std::string_view vars,
                            std::string_view table = "id,day\na,2026-03-10\n",
                            std::string_view audiences = "keen: customer.orders > 3\n") {
        journeys::Lookups made;
        made.vars = schema::load_vars("vars.yaml", vars).values;
        made.tables["days"] = schema::load_table("days.csv", table).table;
        made.tables["others"] = schema::load_table("others.csv", table).table;
        made.audiences = schema::load_audiences("audiences.yaml", audiences, {}).audiences;
        return made;
    };
    const auto by = [](const std::string& date) {
        return "id: sale\nstatus: live\nenter: { date: '" + date +
               "', every: once, at: \"09:00\", timezone: customer }\n"
               "steps: [ { name: mail, send: { channel: email, template: t, topic: offers } } ]\n";
    };
    const auto differs = [&](const std::string& date, const journeys::Lookups& other) {
        Story story{{by(date)}, std::nullopt, lookups("{ sale: 2026-03-10 }")};
        const auto before = story.catalog().wake_reason();
        story.publish({by(date)});
        CHECK(story.catalog().wake_reason() == before); // As when something was learned.
        story.use_lookups(other);
        return story.catalog().wake_reason() != before;
    };
    const auto other_vars = lookups("{ sale: 2026-03-11 }");
    const auto other_table = lookups("{ sale: 2026-03-10 }", "id,day\na,2026-03-11\n");
    const auto other_audience =
        lookups("{ sale: 2026-03-10 }", "id,day\na,2026-03-10\n", "keen: customer.orders > 4\n");
    CHECK(differs("vars.sale", other_vars));
    CHECK_FALSE(differs("vars.sale", other_table));
    CHECK(differs(R"(lookup("days", "a").day)", other_table));
    CHECK_FALSE(differs(R"(lookup("days", "a").day)", other_vars));
    CHECK(differs(R"(audience("keen") ? "2026-03-10" : "2026-04-10")", other_audience));
    CHECK_FALSE(differs("customer.traits.birthday", other_vars));
}
