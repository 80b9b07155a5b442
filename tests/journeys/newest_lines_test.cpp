#include "journeys/newest_lines.hpp"
#include "tests/support/story.hpp"

#include <catch2/catch.hpp>

using namespace journeys;
using namespace support;

namespace {

const std::string cart_abandon = R"(
id: cart-abandon
status: live
enter: { on: [Product Added], when: cart.value >= 20, key: cart.id, reentry: always }
steps:
  - name: first-wait
    wait: { for: 45m, restart_on: [Product Added], at_most: 6h }
  - name: first-touch
    send: { channel: email, template: cart-1, topic: cart }
)";
const std::string browse = R"(
id: browse
status: live
enter: { on: [Product Added], when: session.views >= 3, reentry: never }
steps:
  - wait: { for: 1h }
)";
constexpr const char* shoes =
    R"({"cart_id":"c-1","product_id":"p1","price":49.95,"quantity":1,"currency":"EUR"})";

std::vector<std::string> lines_of(const Customer& customer, const Catalog& catalog) {
    std::vector<std::string> lines;
    for (const auto& line : newest_lines(customer, catalog))
        lines.push_back(std::string{to_text(line.kind)} + ' ' + line.journey + '/' + line.step +
                        ' ' + line.reason + '@' +
                        std::to_string((line.at - monday) / std::chrono::minutes{1}));
    return lines;
}

} // namespace

TEST_CASE("of what comes with every event, the newest line is kept", "[engine][timeline]") {
    Story story{{cart_abandon, browse}};
    using Lines = std::vector<std::string>;
    story.track("ada", "Product Added", monday, shoes);
    CHECK(lines_of(story.customer("ada"), story.catalog()) ==
          Lines{"no_entry browse/4 when@0", "wait cart-abandon/first-wait @0"});
    story.track("ada", "Product Added", monday + 10min, shoes);
    story.track("ada", "Product Added", monday + 20min, shoes);
    CHECK(lines_of(story.customer("ada"), story.catalog()) ==
          Lines{"no_entry browse/4 when@20", "no_entry cart-abandon/ open_run@20",
                "restart cart-abandon/first-wait Product Added@20"});
    const auto lines = newest_lines(story.customer("ada"), story.catalog());
    CHECK(lines.back().until == monday + 65min);
    CHECK(lines.back().key == "c-1");
    story.until(monday + 3h); // The wait is over, and with it what began it anew.
    CHECK(lines_of(story.customer("ada"), story.catalog()) ==
          Lines{"no_entry browse/4 when@20", "no_entry cart-abandon/ open_run@20"});
    for (const auto& line : lines) CHECK(is_in_state(line.kind));
    CHECK_FALSE(is_in_state(EntryKind::enter));
}

TEST_CASE("each of its waits is the newest line of a run", "[engine][timeline]") {
    Story story{{R"(
id: greet
status: live
enter: { on: [Product Viewed], reentry: never }
steps:
  - name: until-noon
    wait: { until: { time: "12:00", timezone: customer } }
  - name: order-or-not
    wait:
      for_event: [Product Added]
      at_most: 24h
      then:
        - name: thanks
          wait: { for: 1h }
  - name: silence
    wait: { until_churn_risk: 0.9, at_most: 24h }
)"}};
    using Lines = std::vector<std::string>;
    const auto lines = [&] { return lines_of(story.customer("ada"), story.catalog()); };
    story.track("ada", "Product Viewed", monday);
    CHECK(lines() == Lines{"wait greet/until-noon @0"});
    story.until(monday + 3h);
    CHECK(lines() == Lines{"wait greet/order-or-not @120"});
    story.track("ada", "Product Added", monday + 4h, shoes);
    CHECK(lines() == Lines{"wait greet/thanks @240"});
    story.until(monday + 6h);
    CHECK(lines() == Lines{"wait greet/silence @300"});
    CHECK(newest_lines(story.customer("ada"), story.catalog()).back().until == monday + 29h);
    story.until(monday + 29h);
    CHECK(lines().empty());
}

TEST_CASE("a refusal names its condition, whatever is edited around it", "[engine][timeline]") {
    const std::string two = R"(
id: two
status: live
enter: { on: [Product Added], when: ["customer.country == \"DE\"", "cart.value > 50"], reentry: always }
steps:
  - wait: { for: 1h }
)";
    Story story{{two}};
    story.identify("ada", monday, R"({"country":"DE"})");
    story.track("ada", "Product Added", monday, shoes);
    const auto unmet = [&](const Catalog& catalog) {
        const auto line = newest_lines(story.customer("ada"), catalog).at(0);
        const auto* condition = unmet_condition(line, catalog);
        return line.step + ' ' + (condition ? condition->program->text() : "unknown");
    };
    CHECK(unmet(story.catalog()) == "4 cart.value > 50"); // Two stand in line 4.

    Story edited{{"title: A title makes no version\n" + two}};
    CHECK(unmet(edited.catalog()) == "5 cart.value > 50");
    Story another{{browse}};
    CHECK(unmet(another.catalog()) == "4 unknown");

    auto line = newest_lines(story.customer("ada"), story.catalog()).at(0);
    line.condition = 0; // As states had it that kept the line alone.
    CHECK(unmet_condition(line, story.catalog()) == nullptr);
    line.condition = 3;
    CHECK(unmet_condition(line, story.catalog()) == nullptr);
}

TEST_CASE("refusals are bounded: the oldest goes", "[engine][timeline]") {
    Customer customer;
    for (std::size_t i = 0; i < bounds::refusals + 10; ++i)
        remember(customer, {"j" + std::to_string(i), 1, NoEntry::when, 3, monday + i * 1min});
    REQUIRE(customer.refusals.size() == bounds::refusals);
    CHECK(std::ranges::min(customer.refusals, {}, &Refusal::at).journey == "j10");
    remember(customer, {"j20", 2, NoEntry::reentry, 0, monday + 24h});
    CHECK(customer.refusals.size() == bounds::refusals);
    const auto changed = std::ranges::find(customer.refusals, "j20", &Refusal::journey);
    REQUIRE(changed != customer.refusals.end());
    CHECK(changed->reason == NoEntry::reentry);
}
