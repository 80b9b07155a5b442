/// Events that are made here of what a journey does: they open journeys as any other event.
#include "schema/timestamp_text.hpp"
#include "support/story.hpp"

#include <catch2/catch.hpp>

using namespace support;
using journeys::EntryKind;
using Lines = std::vector<std::string>;

namespace {

const std::string marks = R"(
id: marks
status: live
enter: { on: Product Viewed, reentry: always }
steps:
  - update: { set: { colour: run.event.properties.colour, views: session.views } }
)";

std::string listener(const std::string& event, const std::string& heard) {
    return "id: listener\nstatus: live\nenter: { on: " + event +
           ", reentry: always }\nsteps:\n  - update:\n      set:\n        heard: '" + heard + "'\n";
}

void view(Story& story, Timestamp at, const std::string& colour) {
    story.track("ada", "Product Viewed", at, R"({"product_id":"p","colour":")" + colour + "\"}");
}

} // namespace

TEST_CASE("a trait that a journey sets is a change of the profile, where it differs",
          "[engine][made]") {
    Story story{{marks, greeting("listener", "on: Profile Changed, reentry: always, "
                                             R"(when: '"colour" in event.properties.changed')")}};
    view(story, monday, "red");
    CHECK(story.happened(EntryKind::enter) == Lines{"enter marks", "enter listener"});
    view(story, monday + 1min, "red");
    CHECK(story.happened(EntryKind::enter) == Lines{"enter marks"});
    view(story, monday + 2min, "blue");
    CHECK(story.happened(EntryKind::enter) == Lines{"enter marks", "enter listener"});
}

TEST_CASE("one that is set at a timer is announced, too", "[engine][made]") {
    Story story{{R"(
id: later
status: live
enter: { on: Product Viewed, reentry: always }
steps:
  - wait: { for: 1h }
  - update: { set: { late: "true" } }
)",
                 greeting("listener", "on: Profile Changed, reentry: always")}};
    view(story, monday, "red");
    story.until(monday + 1h);
    CHECK(story.happened(EntryKind::enter) == Lines{"enter later", "enter listener"});
}

TEST_CASE("journeys that change what opens them come to an end", "[engine][made]") {
    Story story{{R"(
id: round
status: live
enter: { on: [Product Viewed, Profile Changed], reentry: always }
steps:
  - update: { set: { turns: "customer.traits.turns == null ? 1 : int(customer.traits.turns) + 1" } }
)"}};
    view(story, monday, "red");
    CHECK(story.happened(EntryKind::enter) == Lines(8, "enter round"));
    story.until(monday + 24h);
    CHECK(story.happened().empty());
}

TEST_CASE("an unsubscription by a journey is a change of consent", "[engine][made]") {
    journeys::Settings settings;
    settings.channels.push_back({.name = "email", .type = "sandbox", .address = "email"});
    settings.all_live = true;
    Story story{
        {R"(
id: sunset
status: live
enter: { on: Product Viewed, reentry: always }
steps:
  - update: { unsubscribe: { channel: email, topic: offers } }
)",
         listener("Consent Changed",
                  "run.event.properties.channel + \" \" + run.event.properties.topic + \" \" "
                  "+ run.event.properties.to")},
        settings};
    view(story, monday, "red");
    CHECK(story.happened(EntryKind::enter) == Lines{"enter sunset", "enter listener"});
    CHECK(journeys::to_json(journeys::PackedView{story.customer("ada").traits}) ==
          R"({"heard":"email offers unsubscribed"})");
    view(story, monday + 1min, "red");
    CHECK(story.happened(EntryKind::enter) == Lines{"enter sunset"});
}

TEST_CASE("a consent opens journeys as late as any event, whenever it is told of",
          "[engine][made]") {
    journeys::Settings settings;
    settings.channels.push_back({.name = "email", .type = "sandbox", .address = "email"});
    settings.all_live = true;
    settings.max_lateness = 24h;
    const auto heard = [&](journeys::Duration age) {
        Story story{{greeting("welcome", "on: Consent Changed, reentry: always")}, settings};
        view(story, monday - 48h, "red");
        story.identify("ada", monday,
                       R"({"marketing_consent":{"email":true,"updated_at":")" +
                           schema::timestamp_text(monday - age) + "\"}}");
        auto lines = story.happened();
        std::erase_if(lines, [](const auto& line) { return line.find("welcome") == line.npos; });
        return lines.empty() ? "" : lines.front();
    };
    CHECK(heard(0ms) == "enter welcome");
    CHECK(heard(24h) == "enter welcome");
    CHECK(heard(24h + 1ms) == "no_entry welcome late");
    CHECK(heard(24h * 365 * 4) == "no_entry welcome late");
    CHECK(heard(-24h * 365) == "enter welcome"); // Of the future: it counts as of now.
}

TEST_CASE("a call is no message: none is said to be sent", "[engine][made]") {
    const auto sends = [](const std::string& step) {
        return "id: sends\nstatus: live\nenter: { on: Product Viewed, reentry: always }\n"
               "steps:\n  - " +
               step + "\n";
    };
    const auto heard = [&](const std::string& step) {
        Story story{{sends(step), listener("Message Sent", "1")}};
        view(story, monday, "red");
        return story.happened(EntryKind::enter);
    };
    CHECK(heard("send: { channel: email, template: t, topic: t }") ==
          Lines{"enter sends", "enter listener"});
    CHECK(heard("call: { channel: crm }") == Lines{"enter sends"});
}
