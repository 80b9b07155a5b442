#include "support/story.hpp"

#include <catch2/catch.hpp>

using namespace support;
using journeys::EntryKind;
using Lines = std::vector<std::string>;

namespace {

const std::string review_request = R"(
id: review-request
status: live
enter:
  on: Order Completed
  each: event.properties.products.filter(p, p.price >= 10)
  key: run.item.product_id
  reentry: never
steps:
  - wait: { for: 7d }
  - name: ask
    send:
      channel: email
      template: review
      topic: reviews
      data:
        product: run.item.name
)";

const std::string loyal = R"(
id: loyal
status: live
enter:
  becomes: customer.orders >= 2
  reentry: always
steps:
  - name: thanks
    send: { channel: email, template: thanks, topic: loyalty }
)";

std::string reminder(std::string id, int priority) {
    return "id: " + id + "\nstatus: live\npriority: " + std::to_string(priority) + R"(
exclusive: reminders
enter: { on: )" +
           (id == "cart" ? "Product Added" : "Product Viewed") + R"(, reentry: always }
steps:
  - name: wait
    wait: { for: 1h }
  - name: mail
    send: { channel: email, template: t, topic: cart }
)";
}

/// Entered by who has ordered nothing for so long.
std::string silent(const std::string& span) {
    return greeting("silent", "becomes: \"now - customer.last_order_at > duration('" + span +
                                  "')\", reentry: always");
}

std::string order(const std::string& id, const std::string& products) {
    return R"({"order_id":")" + id + R"(","revenue":30,"currency":"EUR","products":[)" + products +
           "]}";
}

constexpr auto lamp = R"({"product_id":"p1","name":"Lamp","price":20,"quantity":1})";
constexpr auto bulb = R"({"product_id":"p2","name":"Bulb","price":2,"quantity":1})";
constexpr auto chair = R"({"product_id":"p3","name":"Chair","price":90,"quantity":1})";

} // namespace

TEST_CASE("each opens one run per element, and the element is at hand in its steps", "[engine]") {
    Story story{{review_request}};
    story.track("ada", "Order Completed", monday,
                order("o-1", std::string{lamp} + "," + bulb + "," + chair));
    CHECK(story.happened() == Lines{"enter review-request p1", "enter review-request p3"});
    story.until(monday + 8 * 24h);
    CHECK(story.happened(EntryKind::send) ==
          Lines{"send review-request/ask p1", "send review-request/ask p3"});
    REQUIRE(story.granted.size() == 2);
    CHECK(story.granted[0].payload.find("Lamp") != std::string::npos);
    CHECK(story.granted[1].payload.find("Chair") != std::string::npos);

    SECTION("each key has its own re-entry") {
        story.track("ada", "Order Completed", monday + 9 * 24h,
                    order("o-2", std::string{lamp} + R"(,{"product_id":"p4","price":15})"));
        CHECK(story.happened() == Lines{"enter review-request p4"});
    }
    SECTION("where nothing is opened, the last reason is told") {
        story.track("ada", "Order Completed", monday + 9 * 24h, order("o-2", lamp));
        CHECK(story.happened() == Lines{"no_entry review-request reentry"});
    }
    SECTION("an empty list opens nothing") {
        story.track("ada", "Order Completed", monday + 9 * 24h, order("o-3", bulb));
        CHECK(story.happened() == Lines{"no_entry review-request no_key"});
    }
    SECTION("what is no list is an error") {
        story.track("ada", "Order Completed", monday + 9 * 24h, R"({"order_id":"o-4"})");
        CHECK(story.happened() == Lines{"no_entry review-request error"});
    }
}

TEST_CASE("each takes the first fifty elements", "[engine]") {
    Story story{{review_request}};
    std::string products;
    for (int i = 0; i < 60; ++i)
        products += std::string{i ? "," : ""} + R"({"product_id":"q)" + std::to_string(i) +
                    R"(","price":10})";
    story.track("ada", "Order Completed", monday, order("o-1", products));
    CHECK(story.happened(EntryKind::enter).size() == 50);
}

TEST_CASE("becomes enters at the event that turns the condition true, and only then", "[engine]") {
    Story story{{loyal}};
    story.track("ada", "Order Completed", monday, order("o-1", lamp));
    CHECK(story.happened().empty());
    story.track("ada", "Order Completed", monday + 1h, order("o-2", lamp));
    CHECK(story.happened() ==
          Lines{"enter loyal", "send loyal/thanks", "end loyal/thanks completed"});
    story.track("ada", "Order Completed", monday + 2h, order("o-3", lamp));
    story.track("ada", "Page Viewed", monday + 3h);
    CHECK(story.happened().empty());

    SECTION("it turns true again after it was false") {
        story.track("ada", "Order Cancelled", monday + 4h, R"({"order_id":"o-2"})");
        story.track("ada", "Order Cancelled", monday + 5h, R"({"order_id":"o-3"})");
        CHECK(story.happened().empty());
        story.track("ada", "Order Completed", monday + 6h, order("o-4", lamp));
        CHECK(story.happened(EntryKind::enter) == Lines{"enter loyal"});
    }
    SECTION("somebody who was in it when it was published does not enter") {
        auto other = loyal;
        other.replace(other.find("loyal"), 5, "later");
        story.publish({other});
        story.track("ada", "Page Viewed", monday + 4h);
        CHECK(story.happened().empty());
    }
}

TEST_CASE("becomes of somebody new holds from their first event", "[engine]") {
    Story story{{greeting("welcome", "becomes: customer.orders == 0, reentry: never")}};
    story.track("ada", "Page Viewed", monday);
    CHECK(story.happened(EntryKind::enter) == Lines{"enter welcome"});
    story.track("ada", "Page Viewed", monday + 1h);
    CHECK(story.happened().empty());
}

TEST_CASE("becomes sees what time alone has changed at the next event", "[engine]") {
    Story story{{silent("720h")}};
    story.track("ada", "Order Completed", monday, order("o-1", lamp));
    story.until(monday + 40 * 24h);
    CHECK(story.happened().empty());
    story.track("ada", "Page Viewed", monday + 41 * 24h);
    CHECK(story.happened(EntryKind::enter) == Lines{"enter silent"});
}

TEST_CASE("becomes sees a trait that a journey sets, at an event and at a timer", "[engine]") {
    const std::string marks = R"(
id: marks
status: live
enter: { on: Product Viewed, reentry: always }
steps:
  - wait: { for: 1h }
  - update: { set: { curious: "true" } }
)";
    const auto curious =
        greeting("curious", "becomes: customer.traits.curious == true, reentry: always");
    Story story{{marks, curious}};
    story.track("ada", "Product Viewed", monday, R"({"product_id":"p1"})");
    story.until(monday + 2h);
    CHECK(story.happened(EntryKind::enter) == Lines{"enter marks", "enter curious"});
    story.track("ada", "Page Viewed", monday + 3h);
    CHECK(story.happened().empty());
}

TEST_CASE("becomes sees what a timer ends, at the timer and once", "[engine]") {
    const auto free = greeting("free", R"(becomes: '!running("short")', reentry: always)");
    Story story{{R"(
id: short
status: live
enter: { on: Product Viewed, reentry: always }
steps: [ { name: pause, wait: { for: 1h } } ]
)",
                 free}};
    story.track("ada", "Product Viewed", monday, R"({"product_id":"p1"})");
    CHECK(story.happened(EntryKind::enter) == Lines{"enter short"});
    story.until(monday + 1h);
    CHECK(story.happened(EntryKind::enter) == Lines{"enter free"});
    CHECK(story.last_at(EntryKind::enter) == monday + 1h);
    story.track("ada", "Page Viewed", monday + 2h);
    CHECK(story.happened(EntryKind::enter).empty());

    SECTION("and where the event comes before the clock has told of the timer") {
        story.track("ada", "Product Viewed", monday + 3h, R"({"product_id":"p1"})");
        story.track("ada", "Page Viewed", monday + 5h);
        CHECK(story.happened(EntryKind::enter) == Lines{"enter short", "enter free"});
    }
    SECTION("and what a publication ends") {
        story.track("ada", "Product Viewed", monday + 3h, R"({"product_id":"p1"})");
        story.happened();
        story.publish({R"(
id: short
status: live
on_publish: exit
enter: { on: Product Viewed, reentry: always }
steps: [ { name: pause, wait: { for: 2h } } ]
)",
                       free});
        story.wake_all(monday + 3h + 1min);
        CHECK(story.happened(EntryKind::enter) == Lines{"enter free"});
    }
}

TEST_CASE("what time alone has turned true counts at an event, whatever timers fire before it",
          "[engine]") {
    Story story{{R"(
id: ticking
status: live
enter: { on: Order Completed, reentry: always }
steps:
  - wait: { for: 720h }
  - wait: { for: 480h }
)",
                 silent("700h")}};
    story.track("ada", "Order Completed", monday, order("o-1", lamp));
    story.until(monday + 40 * 24h);
    CHECK(story.happened(EntryKind::enter) == Lines{"enter ticking"});
    story.track("ada", "Page Viewed", monday + 41 * 24h);
    CHECK(story.happened(EntryKind::enter) == Lines{"enter silent"});
}

TEST_CASE("becomes of two people who turn out to be one", "[engine]") {
    Story story{{loyal}};
    SECTION("it turns true by both together") {
        story.track("anonymous:a-1", "Order Completed", monday, order("o-1", lamp));
        story.track("ada", "Order Completed", monday + 1min, order("o-2", lamp));
        CHECK(story.happened(EntryKind::enter).empty());
        story.identify("ada", monday + 2min, "{}", "a-1");
        CHECK(story.happened(EntryKind::enter) == Lines{"enter loyal"});
    }
    SECTION("it held of one of them already") {
        story.track("anonymous:a-1", "Order Completed", monday, order("o-1", lamp));
        story.track("anonymous:a-1", "Order Completed", monday + 1min, order("o-2", lamp));
        CHECK(story.happened(EntryKind::enter) == Lines{"enter loyal"});
        story.identify("ada", monday + 2min, "{}", "a-1");
        CHECK(story.happened(EntryKind::enter).empty());
    }
}

TEST_CASE("a journey that one turning true turns true is entered once", "[engine]") {
    Story story{{R"(
id: first
status: live
priority: 80
enter: { becomes: customer.orders >= 1, reentry: always }
steps: [ { update: { set: { buyer: "true" } } } ]
)",
                 R"(
id: second
status: live
enter: { becomes: customer.traits.buyer == true, reentry: always }
steps: [ { update: { set: { told: "true" } } } ]
)",
                 R"(
id: third
status: live
priority: 90
enter: { becomes: customer.traits.told == true, reentry: always }
steps: [ { update: { set: { done: "true" } } } ]
)"}};
    story.track("ada", "Order Completed", monday, order("o-1", lamp));
    CHECK(story.happened(EntryKind::enter) == Lines{"enter first", "enter second", "enter third"});
}

TEST_CASE("of an exclusive group one run is open: a higher priority ends the lower", "[engine]") {
    Story story{{reminder("cart", 80), reminder("browse", 40)}};
    SECTION("the lower is open") {
        story.track("ada", "Product Viewed", monday, R"({"product_id":"p1"})");
        story.track("ada", "Product Added", monday + 1min, lamp);
        CHECK(story.happened() == Lines{"enter browse", "end browse/wait outranked", "enter cart"});
    }
    SECTION("the higher is open") {
        story.track("ada", "Product Added", monday, lamp);
        story.track("ada", "Product Viewed", monday + 1min, R"({"product_id":"p1"})");
        CHECK(story.happened() == Lines{"enter cart", "no_entry browse exclusive"});
    }
    SECTION("equals do not end each other") {
        Story equal{{reminder("cart", 50), reminder("browse", 50)}};
        equal.track("ada", "Product Viewed", monday, R"({"product_id":"p1"})");
        equal.track("ada", "Product Added", monday + 1min, lamp);
        CHECK(equal.happened() == Lines{"enter browse", "no_entry cart exclusive"});
    }
    SECTION("what is over does not stand in the way") {
        story.track("ada", "Product Added", monday, lamp);
        story.until(monday + 2h);
        story.track("ada", "Product Viewed", monday + 3h, R"({"product_id":"p1"})");
        CHECK(story.happened(EntryKind::enter) == Lines{"enter cart", "enter browse"});
    }
}

TEST_CASE("two people who turn out to be one keep one run of a group", "[engine]") {
    Story story{{reminder("cart", 80), reminder("browse", 40)}};
    story.track("anonymous:a-1", "Product Added", monday, lamp);
    story.track("ada", "Product Viewed", monday + 1min, R"({"product_id":"p1"})");
    story.happened();
    story.identify("ada", monday + 2min, "{}", "a-1");
    CHECK(story.happened(EntryKind::end) == Lines{"end browse/wait outranked"});
    story.until(monday + 2h);
    CHECK(story.happened(EntryKind::send) == Lines{"send cart/mail"});
}
