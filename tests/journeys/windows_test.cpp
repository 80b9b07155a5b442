/// Counts within windows that are longer than what is kept by the hour.
#include "journeys/counters.hpp"
#include "journeys/profile.hpp"
#include "support/story.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace support;
using journeys::EntryKind;
using Lines = std::vector<std::string>;

namespace {

std::string counting(const std::string& window, int least) {
    return "id: keen\nstatus: live\nenter:\n  on: Product Viewed\n  when: count(\"Product "
           "Viewed\", "
           "\"" +
           window + "\") >= " + std::to_string(least) + R"(
  reentry: never
steps: [ { name: hi, send: { channel: email, template: t, topic: t } } ]
)";
}

} // namespace

TEST_CASE("a count is right within windows longer than a month", "[engine][counters]") {
    const auto days = [](int count) { return count * Duration{24h}; };
    Story story{{counting("365d", 200)}};
    for (int day = 0; day < 199; ++day) story.track("ada", "Product Viewed", monday + days(day));
    CHECK(story.happened(EntryKind::enter).empty());
    SECTION("up to its end") {
        story.track("ada", "Product Viewed", monday + days(365) - 1h);
        CHECK(story.happened(EntryKind::enter) == Lines{"enter keen"});
    }
    SECTION("and not beyond, but for the hour") {
        story.track("ada", "Product Viewed", monday + days(365) + 1h);
        CHECK(story.happened(EntryKind::enter).empty());
    }
}

TEST_CASE("what is counted for ten years is bounded, and no count is too low",
          "[engine][counters]") {
    Story story{{counting("520w", 1'000'000)}};
    constexpr int every_hours = 11, times = 7'000; // Nearly nine years.
    for (int i = 0; i < times; ++i)
        story.track("ada", "Product Viewed", monday + i * every_hours * Duration{1h});
    const auto& ada = story.customer("ada");
    const auto& hours = ada.counters.at(0).hours;
    CHECK(hours.size() <= journeys::bounds::counter_hours);
    CHECK(std::ranges::is_sorted(hours, {}, &journeys::Counter::Hour::hour));
    CHECK(journeys::count(ada, "Product Viewed", monday - 1h) == times);
    for (const int days : {1, 7, 30, 60, 100, 365, 1000, 3000}) {
        const auto window = days * Duration{24h};
        const auto within = window / (every_hours * Duration{1h});
        const auto counted = journeys::count(ada, "Product Viewed", ada.now - window);
        INFO(days << " days");
        CHECK(counted >= within);
        CHECK(counted <= within + within / 50 + 1);
    }
}
