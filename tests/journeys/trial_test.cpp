/// A journey tried on one person.
#include "journeys/profile.hpp"
#include "journeys/trial.hpp"
#include "schema/packed_json.hpp"
#include "support/story.hpp"

#include <catch2/catch.hpp>

using namespace support;
using journeys::EntryKind;
using journeys::NoEntry;
using Lines = std::vector<std::string>;

namespace {

const std::string journey_text = R"(
id: cart
status: draft
holdout: 100%
enter:
  on: Product Added
  when: cart.value >= 1000
  key: cart.id
  reentry: never
exit:
  - { on: Order Completed, reason: purchased }
  - { when: cart.value > 500, reason: too-much }
steps:
  - name: first-wait
    wait: { for: 45m, restart_on: [Product Added], at_most: 6h }
  - name: first-touch
    send:
      channel: email
      template: cart
      topic: cart
      data:
        total: cart.value
        opened_by: run.event.properties.product_id
  - name: an-answer
    wait:
      for_event: Product Viewed
      at_most: 2d
      then:
        - name: came
          exit: { reason: came }
      timeout:
        - name: tell
          call:
            channel: crm
            data:
              cart: cart.id
  - name: last-call
    send: { channel: sms, template: last, topic: cart }
)";

constexpr auto added = R"({"cart_id":"c-1","product_id":"p1","price":30,"quantity":2})";

struct Tried {
    explicit Tried(Story& story, const char* name = "Product Added",
                   const char* properties = added) {
        const auto& customer = story.customer("ada");
        const auto& journey = *story.catalog().journey("cart");
        const auto catalog = journeys::trial_catalog(story.catalog(), journey);
        const auto event = journeys::make_event(
            customer, name, schema::packed_from_json(properties).value(), monday + 1h, 7);
        const journeys::TrialHooks hooks{
            .say =
                [this](const journeys::TimelineEntry& line) {
                    if (line.kind == EntryKind::wait) return;
                    lines.push_back(std::string{journeys::to_text(line.kind)} + ' ' + line.step +
                                    (line.reason.empty() ? "" : ' ' + line.reason));
                },
            .deliver =
                [this](const journeys::IntentOpened& intent, const journeys::IntentGranted& grant) {
                    payloads.push_back(intent.channel + ' ' + grant.payload);
                    return answer;
                },
            .wait =
                [this](Timestamp due) {
                    waits.push_back(due);
                    return waits.size() <= waits_max;
                }};
        why = journeys::try_journey(customer, event, *catalog, *catalog->journey("cart"), hooks);
    }
    journeys::IntentState answer = journeys::IntentState::accepted;
    std::size_t waits_max = 100;
    std::optional<NoEntry> why;
    Lines lines, payloads;
    std::vector<Timestamp> waits;
};

} // namespace

TEST_CASE("a trial follows the whole journey on a copy, whatever would keep the person out",
          "[engine]") {
    Story story{{journey_text}};
    story.track("ada", "Product Added", monday, added);
    const auto before = journeys::pack(story.customer("ada"));
    const Tried tried{story};
    CHECK_FALSE(tried.why);
    CHECK(tried.lines == Lines{"enter ", "send first-touch", "call tell", "send last-call",
                               "end last-call completed"});
    REQUIRE(tried.payloads.size() == 3);
    CHECK(tried.payloads[0].find(R"("total":60)") != std::string::npos);
    CHECK(tried.payloads[0].find(R"("opened_by":"p1")") != std::string::npos);
    CHECK(tried.payloads[1].starts_with("crm "));
    CHECK(tried.waits == std::vector<Timestamp>{monday + 1h + 45min, monday + 1h + 45min + 48h});
    CHECK(journeys::pack(story.customer("ada")) == before);
}

TEST_CASE("a trial obeys exits, as they hold of the person now", "[engine]") {
    Story story{{journey_text}};
    story.track("ada", "Product Added", monday,
                R"({"cart_id":"c-1","product_id":"p1","price":600,"quantity":1})");
    const Tried tried{story};
    CHECK(tried.lines == Lines{"enter ", "exit first-wait too-much"});
    CHECK(tried.payloads.empty());
}

TEST_CASE("without a key there is no run to try", "[engine]") {
    Story story{{journey_text}};
    story.track("ada", "Product Viewed", monday, R"({"product_id":"p1"})");
    const Tried tried{story};
    CHECK(tried.why == NoEntry::no_key);
    CHECK(tried.lines.empty());
}

TEST_CASE("with each a trial follows a run for every element, by their own times", "[engine]") {
    Story story{{R"yaml(
id: cart
enter:
  on: Order Completed
  each: event.properties.products
  key: run.item.product_id
  reentry: always
steps:
  - name: pace
    wait: { until: { date: "run.entered_at + days(run.item.days)" } }
  - name: refill
    send:
      channel: email
      template: refill
      topic: cart
      data:
        what: run.item.product_id
)yaml"}};
    story.track("ada", "Product Viewed", monday, R"({"product_id":"p1"})");
    const Tried tried{story, "Order Completed",
                      R"({"order_id":"o","products":[{"product_id":"p1","days":3},)"
                      R"({"product_id":"p2","days":2},{"days":1},{"product_id":"p1","days":9}]})"};
    CHECK_FALSE(tried.why);
    CHECK(tried.waits == std::vector<Timestamp>{monday + 1h + 48h, monday + 1h + 72h});
    REQUIRE(tried.payloads.size() == 2);
    CHECK(tried.payloads[0].find(R"("what":"p2")") != std::string::npos);
    CHECK(tried.payloads[1].find(R"("what":"p1")") != std::string::npos);

    const Tried none{story, "Order Completed", R"({"order_id":"o","products":[]})"};
    CHECK(none.why == NoEntry::no_key);
}
