/// What comes while a journey is paused: its runs stand still, and nothing that they wait for is
/// lost.
#include "support/story.hpp"

#include <catch2/catch.hpp>

using namespace support;
using journeys::EntryKind;
using Lines = std::vector<std::string>;

namespace {

journeys::Settings as_files_say() {
    journeys::Settings settings;
    settings.assume_permission = true;
    return settings;
}

/// A journey that waits so and then says what came of it.
std::string journey(const std::string& wait, const std::string& status = "live",
                    const std::string& more = "") {
    return "id: j\nstatus: " + status + "\n" + more + R"(
enter: { on: Signed Up, reentry: always }
steps:
  - name: patience
    wait:
)" + wait + R"(
  - name: last
    send: { channel: email, template: last, topic: t }
)";
}

const std::string for_event = R"(
      for_event: Product Viewed
      when: event.properties.n == 1
      at_most: 24h
      then: [{ name: came, send: { channel: email, template: came, topic: t } }]
      timeout: [{ name: over, send: { channel: email, template: over, topic: t } }])";
const std::string for_condition = R"(
      for_condition: customer.traits.ready == true
      at_most: 24h
      then: [{ name: came, send: { channel: email, template: came, topic: t } }]
      timeout: [{ name: over, send: { channel: email, template: over, topic: t } }])";

constexpr auto viewed = R"({"product_id":"p","n":1})";

/// A run that has waited for an hour when its journey is paused; `wait` of its file.
struct Paused {
    explicit Paused(std::string its_wait, std::string its_more = "")
        : wait(std::move(its_wait)),
          more(std::move(its_more)), story{{journey(wait, "live", more)}, as_files_say()} {
        story.identify("ada", monday, R"({"day":"2026-03-20T10:00:00Z"})");
        story.track("ada", "Signed Up", monday);
        REQUIRE(story.happened() == Lines{"enter j"});
        story.until(monday + 1h);
        story.publish({journey(wait, "paused", more)});
        story.wake_all(monday + 1h);
    }
    void resume(Timestamp at) {
        story.until(at);
        CHECK(story.happened(EntryKind::send).empty());
        story.publish({journey(wait, "live", more)});
        story.wake_all(at);
        story.until(at + 1h);
    }

    std::string wait, more;
    Story story;
};

} // namespace

TEST_CASE("an event that a paused journey waits for is met when it goes on", "[engine][paused]") {
    const auto on_publish = GENERATE(as<std::string>{}, "", "on_publish: migrate\n");
    Paused paused{for_event, on_publish};
    auto& story = paused.story;
    SECTION("it came in time") {
        story.track("ada", "Product Viewed", monday + 2h, viewed);
        story.track("ada", "Product Viewed", monday + 3h, R"({"product_id":"p","n":2})");
        paused.resume(monday + 20h);
        CHECK(story.happened(EntryKind::send) == Lines{"send j/came", "send j/last"});
    }
    SECTION("it came when the wait was over") {
        story.track("ada", "Product Viewed", monday + 25h, viewed);
        paused.resume(monday + 30h);
        CHECK(story.happened(EntryKind::send) == Lines{"send j/over", "send j/last"});
    }
    SECTION("it came before its end, and was told of behind it") {
        story.track_late("ada", "Product Viewed", monday + 23h, monday + 25h, viewed);
        paused.resume(monday + 30h);
        CHECK(story.happened(EntryKind::send) == Lines{"send j/over", "send j/last"});
    }
    SECTION("nothing came") {
        paused.resume(monday + 30h);
        CHECK(story.happened(EntryKind::send) == Lines{"send j/over", "send j/last"});
    }
}

TEST_CASE("a condition that comes true while a journey is paused has come true",
          "[engine][paused]") {
    Paused paused{for_condition};
    paused.story.identify("ada", monday + 2h, R"({"ready":true})");
    paused.story.identify("ada", monday + 3h, R"({"ready":false})");
    paused.resume(monday + 20h);
    CHECK(paused.story.happened(EntryKind::send) == Lines{"send j/came", "send j/last"});
}

TEST_CASE("what a paused journey's wait restarts on restarts it", "[engine][paused]") {
    Paused paused{"      for: 24h\n      restart_on: Product Viewed"};
    auto& story = paused.story;
    story.track("ada", "Product Viewed", monday + 20h, viewed);
    story.until(monday + 30h);
    story.publish({journey(paused.wait)});
    story.wake_all(monday + 30h);
    story.until(monday + 44h - 1ms);
    CHECK(story.happened(EntryKind::send).empty());
    story.until(monday + 44h);
    CHECK(story.happened(EntryKind::send) == Lines{"send j/last"});
}

TEST_CASE("a date that moves while a journey is paused has moved", "[engine][paused]") {
    const auto past = GENERATE(as<std::string>{}, "exit", "go_on", "skip");
    Paused paused{"      until:\n        date: customer.traits.day\n        past: " + past};
    auto& story = paused.story;
    SECTION("onwards") {
        story.identify("ada", monday + 2h, R"({"day":"2026-03-06T10:00:00Z"})");
        paused.resume(monday + 30h);
        story.until(monday + 4 * 24h - 1ms);
        CHECK(story.happened(EntryKind::send).empty());
        story.until(monday + 4 * 24h);
        CHECK(story.happened(EntryKind::send) == Lines{"send j/last"});
    }
    SECTION("into the past") {
        story.identify("ada", monday + 2h, R"({"day":"2026-03-02T10:00:00Z"})");
        paused.resume(monday + 20h);
        const bool goes_on = past == "go_on";
        CHECK(story.happened(EntryKind::send) == (goes_on ? Lines{"send j/last"} : Lines{}));
        CHECK(story.customer("ada").runs.empty());
    }
}
