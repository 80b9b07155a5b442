// A cart as a guest, an order by e-mail address: the reminder must not go out, in whatever order
// the messages arrive.

#include "schema/shopify.hpp"
#include "schema/timestamp_text.hpp"
#include "tests/support/files.hpp"
#include "tests/support/story.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

using namespace support;
using journeys::EntryKind;
using nlohmann::json;

namespace {

const std::string cart_abandon = R"(
id: cart-abandon
status: live
enter: { on: [Product Added, Cart Updated], when: size(cart.items) > 0, key: cart.id, reentry: always }
exit:
  - { on: Order Completed, reason: purchased }
  - { when: size(cart.items) == 0, reason: cart-emptied }
steps:
  - name: wait
    wait: { for: 45m, restart_on: [Product Added], at_most: 6h }
  - name: touch
    send: { channel: email, template: cart, topic: cart }
)";

std::string stamped(json message, Timestamp at) {
    message["timestamp"] = schema::timestamp_text(at);
    return message.dump();
}

const json cart{{"type", "track"},
                {"messageId", "cart"},
                {"anonymousId", "a-1"},
                {"event", "Product Added"},
                {"properties", {{"product_id", "lamp"}, {"price", 20}, {"quantity", 1}}}};
const json address{{"type", "identify"},
                   {"messageId", "address"},
                   {"anonymousId", "a-1"},
                   {"traits", {{"email", "Ada@example.com"}}}};
/// By a server that knows the buyer's address only.
const json order{
    {"type", "track"},
    {"messageId", "order"},
    {"context", {{"externalIds", {{{"type", "email"}, {"id", "ada@EXAMPLE.com "}}}}}},
    {"event", "Order Completed"},
    {"properties", {{"order_id", "o-1"}, {"total", 20}, {"products", {{{"product_id", "lamp"}}}}}}};

struct Said {
    json message;
    Duration at; ///< When it happened; it arrives when it is its turn.
};

} // namespace

TEST_CASE("a guest who ordered by e-mail address gets no reminder, whatever arrives first",
          "[identity]") {
    std::vector<Said> said{{cart, 0min}, {address, 5min}, {order, 10min}};
    std::array<std::size_t, 3> turn{0, 1, 2};
    do {
        std::string shown;
        for (const auto i : turn) shown += ' ' + said[i].message["messageId"].get<std::string>();
        INFO("arrival:" << shown);
        Story story{{cart_abandon}};
        auto accepted = monday + 10min;
        for (const auto i : turn) {
            story.message(stamped(said[i].message, monday + said[i].at), accepted);
            accepted += 5min;
        }
        story.until(monday + 72h);
        CHECK(story.happened(EntryKind::send).empty());
        const auto& ada = story.customer("email:ada@example.com");
        CHECK(ada.runs.empty());
        CHECK(ada.order_count == 1);
        CHECK(story.customer("anonymous:a-1").forward_to == ada.id);
    } while (std::next_permutation(turn.begin(), turn.end()));
}

TEST_CASE("a guest who did not order gets the reminder", "[identity]") {
    Story story{{cart_abandon}};
    story.message(stamped(cart, monday), monday);
    story.message(stamped(address, monday + 5min), monday + 5min);
    story.until(monday + 72h);
    CHECK(story.happened(EntryKind::send).size() == 1);
}

TEST_CASE("a guest who becomes a user during the checkout gets no reminder", "[identity]") {
    Story story{{cart_abandon}};
    story.message(stamped(cart, monday), monday);
    story.message(stamped(address, monday + 5min), monday + 5min);
    auto registered = address;
    registered["messageId"] = "registered";
    registered["userId"] = "u-7";
    story.message(stamped(registered, monday + 8min), monday + 8min);
    story.message(stamped(order, monday + 10min), monday + 10min);
    story.until(monday + 72h);
    CHECK(story.happened(EntryKind::send).empty());
    CHECK(story.customer("u-7").order_count == 1);
    CHECK(story.customer("email:ada@example.com").forward_to == journeys::parse_customer_id("u-7"));
}

namespace {

json payload(const std::string& name) {
    return json::parse(support::read_file(support::source_path("tests/data/shopify/" + name)));
}

/// Delivers a webhook, whatever the payload's own times are, as of `at`.
void deliver(Story& story, const std::string& topic, json body, Timestamp at, Timestamp accepted) {
    for (const auto* key : {"created_at", "updated_at", "processed_at"})
        if (body.contains(key)) body[key] = schema::timestamp_text(at);
    const auto id = topic + schema::timestamp_text(at);
    const auto translated = schema::translate(schema::shopify(), *schema::shopify().find(topic),
                                              {.id = id}, body.dump());
    for (const auto& message : json::parse(translated.messages))
        story.message(message.dump(), accepted);
}

} // namespace

TEST_CASE("a shop's webhooks stop the reminder in every order of arrival", "[identity][shopify]") {
    struct Hook {
        std::string topic, file;
        Duration at;
    };
    const std::vector<Hook> hooks{{"carts/update", "carts_update.json", 0min},
                                  {"checkouts/update", "checkouts_update.json", 5min},
                                  {"orders/create", "orders_create.json", 10min}};
    // Once the theme writes the browser's id into the cart, and once it does not.
    for (const bool has_notes : {true, false}) {
        std::array<std::size_t, 3> turn{0, 1, 2};
        do {
            std::string shown;
            for (const auto i : turn) shown += ' ' + hooks[i].topic;
            INFO("arrival:" << shown << (has_notes ? ", with notes" : ""));
            Story story{{cart_abandon}};
            auto accepted = monday + 10min;
            for (const auto i : turn) {
                auto body = payload(hooks[i].file);
                if (!has_notes) body["note_attributes"] = json::array();
                deliver(story, hooks[i].topic, body, monday + hooks[i].at, accepted);
                accepted += 1min;
            }
            story.until(monday + 72h);
            CHECK(story.happened(EntryKind::send).empty());
            const auto& ada = story.customer("shopify:115310627314723954");
            CHECK(ada.runs.empty());
            CHECK(ada.order_count == 1);
            CHECK(ada.revenue.to_text() == "421.88");
            // A refund names nothing but its order.
            deliver(story, "refunds/create", payload("refunds_create.json"), monday + 73h,
                    monday + 73h);
            CHECK(story.customer("shopify:115310627314723954").revenue.to_text() == "222.78");
        } while (std::next_permutation(turn.begin(), turn.end()));
    }
}

TEST_CASE("a shop's cart that nobody buys is reminded of", "[identity][shopify]") {
    Story story{{cart_abandon}};
    deliver(story, "carts/update", payload("carts_update.json"), monday, monday);
    deliver(story, "checkouts/update", payload("checkouts_update.json"), monday + 5min,
            monday + 5min);
    story.until(monday + 72h);
    CHECK(story.happened(EntryKind::send).size() == 1);

    SECTION("but not of one that was emptied") {
        Story other{{cart_abandon}};
        auto body = payload("carts_update.json");
        deliver(other, "carts/update", body, monday, monday);
        body["line_items"] = json::array();
        deliver(other, "carts/update", body, monday + 5min, monday + 5min);
        other.until(monday + 72h);
        CHECK(other.happened(EntryKind::send).empty());
    }
}

TEST_CASE("an order of the shop finds the user of the web", "[identity][shopify]") {
    Story story{{cart_abandon}};
    // Logged in on the web, by an id that the shop's webhooks do not know.
    story.message(R"({"type":"identify","messageId":"i","userId":"u-7","anonymousId":"b",
                      "traits":{"email":"ada@example.com"}})",
                  monday);
    story.message(R"({"type":"track","messageId":"p","userId":"u-7","event":"Product Added",
                      "properties":{"product_id":"7513594","sku":"LAMP-01","price":199.1}})",
                  monday + 1min);
    deliver(story, "orders/create", payload("orders_create.json"), monday + 10min, monday + 10min);
    story.until(monday + 72h);
    CHECK(story.happened(EntryKind::send).empty());
    CHECK(story.customer("u-7").order_count == 1);
}
