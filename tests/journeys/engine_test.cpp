#include "support/story.hpp"

#include <catch2/catch.hpp>

using namespace support;
using journeys::EntryKind;
using Lines = std::vector<std::string>;

namespace {

const std::string cart_abandon = R"(
id: cart-abandon
status: live
enter:
  on: [Product Added]
  when: cart.value >= 20
  key: cart.id
  reentry: always
exit:
  - { on: Order Completed, reason: purchased }
  - { when: size(cart.items) == 0, reason: cart-emptied }
goal: { on: Order Completed, within: 5d }
steps:
  - name: first-wait
    wait: { for: 45m, restart_on: [Product Added, Product Viewed], at_most: 6h }
  - name: first-touch
    send:
      channel: email
      template: cart-reminder
      topic: cart
      data:
        total: cart.value
  - wait: { for: 20h }
  - name: second-touch
    send: { channel: sms, template: cart-last-call, topic: cart }
)";

constexpr auto shoes =
    R"({"cart_id":"c-1","product_id":"p1","price":49.99,"quantity":1,"currency":"EUR"})";
constexpr auto order = R"({"order_id":"o-1","cart_id":"c-1","revenue":49.99,"currency":"EUR",
                           "products":[{"product_id":"p1","price":49.99,"quantity":1}]})";

} // namespace

TEST_CASE("an abandoned cart is reminded of, twice, and then the run is complete", "[engine]") {
    Story story{{cart_abandon}};
    story.track("ada", "Product Added", monday, shoes);
    story.until(monday + 45min - 1ms);
    CHECK(story.happened() == Lines{"enter cart-abandon c-1"});
    story.until(monday + 45min);
    CHECK(story.happened() == Lines{"send cart-abandon/first-touch c-1"});
    CHECK(story.last_at(EntryKind::send) == monday + 45min);
    story.until(monday + 45min + 20h - 1ms);
    CHECK(story.happened().empty());
    story.until(monday + 45min + 20h);
    CHECK(story.happened() == Lines{"send cart-abandon/second-touch c-1",
                                    "end cart-abandon/second-touch c-1 completed"});
}

TEST_CASE("a purchase ends the run, whichever side of the timer it is on", "[engine]") {
    Story story{{cart_abandon}};
    story.track("ada", "Product Added", monday, shoes);
    SECTION("a moment before") {
        story.track("ada", "Order Completed", monday + 45min - 1ms, order);
        story.until(monday + 48h);
        CHECK(story.happened() ==
              Lines{"enter cart-abandon c-1", "exit cart-abandon/first-wait c-1 purchased"});
    }
    SECTION("at the same instant: the event is applied first") {
        story.track("ada", "Order Completed", monday + 45min, order);
        story.until(monday + 48h);
        CHECK(story.happened() ==
              Lines{"enter cart-abandon c-1", "exit cart-abandon/first-wait c-1 purchased"});
    }
    SECTION("a moment after: the first message has left, and the order counts as its goal") {
        story.track("ada", "Order Completed", monday + 45min + 1ms, order);
        story.until(monday + 48h);
        CHECK(story.happened() ==
              Lines{"enter cart-abandon c-1", "send cart-abandon/first-touch c-1",
                    "exit cart-abandon/3 c-1 purchased", "goal cart-abandon c-1"});
    }
}

TEST_CASE("a wait starts again with each view, but not beyond its cap", "[engine]") {
    Story story{{cart_abandon}};
    story.track("ada", "Product Added", monday, shoes);
    story.track("ada", "Product Viewed", monday + 40min, R"({"product_id":"p2"})");
    story.until(monday + 85min - 1ms);
    CHECK(story.happened() == Lines{"enter cart-abandon c-1"});
    for (auto at = monday + 80min; at < monday + 7h; at += 30min)
        story.track("ada", "Product Viewed", at, R"({"product_id":"p2"})");
    CHECK(story.last_at(EntryKind::send) == monday + 6h);
}

TEST_CASE("an order that arrives late still stops the reminder", "[engine]") {
    Story story{{cart_abandon}};
    story.track("ada", "Product Added", monday, shoes);
    story.track("ada", "Page Viewed", monday + 30min);
    story.track_late("ada", "Order Completed", monday + 10min, monday + 40min, order);
    story.until(monday + 48h);
    CHECK(story.happened() ==
          Lines{"enter cart-abandon c-1", "exit cart-abandon/first-wait c-1 purchased"});
}

TEST_CASE("an emptied cart is not reminded of", "[engine]") {
    Story story{{cart_abandon}};
    story.track("ada", "Product Added", monday, shoes);
    story.track("ada", "Product Removed", monday + 5min, shoes);
    story.until(monday + 48h);
    CHECK(story.happened() ==
          Lines{"enter cart-abandon c-1", "exit cart-abandon/first-wait c-1 cart-emptied"});
}

TEST_CASE("an event that opens no run says why", "[engine]") {
    Story story{{cart_abandon}};
    SECTION("a condition that does not hold, by its line") {
        story.track("ada", "Product Added", monday,
                    R"({"cart_id":"c-1","product_id":"p1","price":19.99,"quantity":1})");
        CHECK(story.happened() == Lines{"no_entry cart-abandon/6 when"});
    }
    SECTION("a condition that fails, which is no condition that does not hold") {
        Story other{{greeting(
            "dear", "on: Product Added, reentry: always, when: event.properties.price >= 30")}};
        other.track("ada", "Product Added", monday, R"({"price":"59.9"})");
        other.track("ada", "Product Added", monday + 1min, R"({"price":9.9})");
        other.track("ada", "Product Added", monday + 2min, R"({"price":59.9})");
        other.track("ada", "Product Added", monday + 3min, R"({"price":null})");
        CHECK(other.happened() == Lines{"no_entry dear/3 error", "no_entry dear/3 when",
                                        "enter dear", "send dear/hi", "end dear/hi completed",
                                        "no_entry dear/3 error"});
    }
    SECTION("an open run of the same key") {
        story.track("ada", "Product Added", monday, shoes);
        story.track("ada", "Product Added", monday + 1min, shoes);
        CHECK(story.happened() ==
              Lines{"enter cart-abandon c-1", "no_entry cart-abandon open_run"});
    }
    SECTION("two carts are two runs, and an order ends the one it bought") {
        const std::string by_key = R"(
id: by-key
status: live
enter: { on: [Product Added], key: cart.id, reentry: always }
exit:
  - { when: cart.ordered, reason: purchased }
steps:
  - wait: { for: 1h }
  - name: touch
    send: { channel: email, template: t, topic: cart }
)";
        Story two{{by_key}};
        two.track("ada", "Product Added", monday, shoes);
        two.track(
            "ada", "Product Added", monday + 1min,
            R"({"cart_id":"c-2","product_id":"p2","price":30,"quantity":1,"currency":"EUR"})");
        two.track("ada", "Order Completed", monday + 2min, order);
        two.until(monday + 3h);
        CHECK(two.happened() == Lines{"enter by-key c-1", "enter by-key c-2",
                                      "exit by-key/1 c-1 purchased", "send by-key/touch c-2",
                                      "end by-key/touch c-2 completed"});
    }
}

TEST_CASE("re-entry keeps its word on both sides of its limit", "[engine]") {
    const std::string file = R"(
id: greet
status: live
enter: { on: [Product Viewed], reentry: { after: 7d, per: customer } }
steps:
  - name: hello
    send: { channel: email, template: hello, topic: news }
)";
    Story story{{file}};
    story.track("ada", "Product Viewed", monday);
    story.track("ada", "Product Viewed", monday + 168h - 1ms);
    story.track("ada", "Product Viewed", monday + 168h);
    CHECK(story.happened() == Lines{"enter greet", "send greet/hello", "end greet/hello completed",
                                    "no_entry greet reentry", "enter greet", "send greet/hello",
                                    "end greet/hello completed"});
}

TEST_CASE("the same message twice has one effect", "[engine]") {
    Story story{{cart_abandon}};
    const auto message =
        R"({"type":"track","messageId":"same","userId":"ada","event":"Product Added",
        "timestamp":"2026-03-02T10:00:00Z","properties":{"cart_id":"c-1","product_id":"p1","price":49.99,"quantity":1}})";
    CHECK(story.message(message, monday) == journeys::Applied::applied);
    CHECK(story.message(message, monday + 1min) == journeys::Applied::duplicate);
    story.until(monday + 48h);
    CHECK(story.happened(EntryKind::send).size() == 2);
}

TEST_CASE("branches, splits, updates, calls and exits lead where they say", "[engine]") {
    const std::string file = R"(
id: tour
status: live
enter: { on: [Signed Up], reentry: always }
steps:
  - update: { set: { plan: run.event.properties.plan } }
  - branch:
      - when: customer.traits.plan == "gold"
        steps:
          - name: crm
            call:
              channel: crm
              data:
                plan: customer.traits.plan
      - otherwise:
          - exit: { reason: not-gold }
  - split:
      variants:
        A: { weight: 100, steps: [ { name: a, send: { channel: email, template: a, topic: t } } ] }
        B: { weight: 0, steps: [ { name: b, send: { channel: email, template: b, topic: t } } ] }
  - name: last
    send: { channel: email, template: last, topic: t }
)";
    Story story{{file}};
    story.track("ada", "Signed Up", monday, R"({"plan":"gold"})");
    CHECK(story.happened() == Lines{"enter tour", "update tour/1", "call tour/crm", "send tour/a",
                                    "send tour/last", "end tour/last completed"});
    story.track("bob", "Signed Up", monday, R"({"plan":"free"})");
    CHECK(story.happened() ==
          Lines{"enter tour", "update tour/1", "exit tour/2.otherwise.1 not-gold"});
}

TEST_CASE("a wait for an event goes one way or the other", "[engine]") {
    const std::string file = R"(
id: review
status: live
enter: { on: [Order Completed], reentry: always }
steps:
  - wait:
      for_event: Product Reviewed
      when: event.properties.rating >= 4
      at_most: 3d
      then:
        - name: thanks
          send:
            channel: email
            template: thanks
            topic: t
            data:
              rating: run.last_event.properties.rating
      timeout:
        - name: ask
          send: { channel: email, template: ask, topic: t }
)";
    Story story{{file}};
    story.track("ada", "Order Completed", monday, R"({"order_id":"o1","total":10})");
    SECTION("it comes") {
        story.track("ada", "Product Reviewed", monday + 1h, R"({"rating":3})");
        story.track("ada", "Product Reviewed", monday + 2h, R"({"rating":5})");
        CHECK(story.happened() ==
              Lines{"enter review", "send review/thanks", "end review/thanks completed"});
        REQUIRE(story.granted.size() == 1);
        CHECK(story.granted[0].payload.find(R"("data":{"rating":5})") != std::string::npos);
    }
    SECTION("it does not") {
        story.until(monday + 72h - 1ms);
        CHECK(story.happened() == Lines{"enter review"});
        story.until(monday + 72h);
        CHECK(story.happened() == Lines{"send review/ask", "end review/ask completed"});
    }
}

TEST_CASE("guest, then login, then order: no reminder goes out, in whatever order they arrive",
          "[engine]") {
    struct Arrival {
        std::string what;
        Timestamp at;
    };
    // What happened, in its true order: cart as a guest, login, order as the user.
    std::vector<std::string> order_of_arrival{"cart", "login", "order"};
    std::sort(order_of_arrival.begin(), order_of_arrival.end());
    do {
        Story story{{cart_abandon}};
        auto accepted = monday + 10min;
        for (const auto& what : order_of_arrival) {
            accepted += 1min;
            if (what == "cart")
                story.track_late("anonymous:tab", "Product Added", monday, accepted, shoes);
            if (what == "login")
                story.message(
                    R"({"type":"identify","messageId":"login","userId":"ada","anonymousId":"tab",
                                  "timestamp":"2026-03-02T10:02:00Z","traits":{"email":"ada@example.com"}})",
                    accepted);
            if (what == "order")
                story.track_late("ada", "Order Completed", monday + 5min, accepted, order);
        }
        story.until(monday + 72h);
        INFO(order_of_arrival[0] << ", " << order_of_arrival[1] << ", " << order_of_arrival[2]);
        CHECK(story.happened(EntryKind::send).empty());
    } while (std::next_permutation(order_of_arrival.begin(), order_of_arrival.end()));
}

TEST_CASE("runs in a wait keep, move or end at a publication, as their file says", "[engine]") {
    const auto file = [](const std::string& wait, const std::string& on_publish) {
        return "id: slow\nstatus: live\n" + on_publish +
               "enter: { on: [Signed Up], reentry: always }\nsteps:\n"
               "  - name: pause\n    wait: { for: " +
               wait +
               " }\n"
               "  - name: hello\n    send: { channel: email, template: hello, topic: t }\n";
    };
    Story story{{file("4h", "")}};
    story.track("ada", "Signed Up", monday);
    SECTION("pinned: the run keeps the version it began with") {
        story.publish({file("1h", "")});
        story.track("ada", "Page Viewed", monday + 10min);
        story.until(monday + 8h);
        CHECK(story.last_at(EntryKind::send) == monday + 4h);
    }
    SECTION("migrate: the wait is reckoned anew, from its start") {
        story.publish({file("1h", "on_publish: migrate\n")});
        story.track("ada", "Page Viewed", monday + 10min);
        story.until(monday + 8h);
        CHECK(story.last_at(EntryKind::send) == monday + 1h);
    }
    SECTION("exit: the run ends") {
        story.publish({file("1h", "on_publish: exit\n")});
        story.track("ada", "Page Viewed", monday + 10min);
        story.until(monday + 8h);
        CHECK(story.happened() == Lines{"enter slow", "end slow/pause superseded"});
    }
}

TEST_CASE("a message that an error has suppressed says which expression and why", "[engine]") {
    Story story{{R"(
id: cheaper
status: live
enter: { on: Product Viewed, reentry: always }
steps:
  - name: news
    send:
      channel: email
      template: news
      topic: news
      when: run.event.properties.n / run.event.properties.by > 1
      data:
        name: run.event.properties.name
        share: 1 / run.event.properties.zero
)"}};
    const auto failure = [&](std::string_view properties) {
        story.track("ada", "Product Viewed", monday + std::chrono::hours{story.entries().size()},
                    properties);
        const auto found = std::ranges::find(story.entries().rbegin(), story.entries().rend(),
                                             EntryKind::suppress, &journeys::TimelineEntry::kind);
        REQUIRE(found != story.entries().rend());
        return std::string{found->reason} + ' ' +
               (found->data.empty() ? "" : journeys::to_json(journeys::PackedView{found->data}));
    };
    CHECK(failure(R"({"n":1,"by":1,"zero":1})") == "condition "); // No error: it is not met.
    CHECK(failure(R"({"n":4,"by":0,"zero":1})") ==
          R"(condition {"error":"division by zero",)"
          R"("expression":"run.event.properties.n / run.event.properties.by > 1","line":11})");
    CHECK(failure(R"({"n":4,"by":2,"zero":0})") ==
          R"(render_failed {"error":"division by zero",)"
          R"("expression":"1 / run.event.properties.zero","line":14,"name":"share"})");
    // What failed before is not said of the next.
    CHECK(failure(R"({"n":1,"by":1,"zero":0})") == "condition ");
}
