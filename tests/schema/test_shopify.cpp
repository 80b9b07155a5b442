// Shopify's webhooks: payloads in the shape that Shopify sends, and what becomes of them.

#include "journeys/local_time.hpp"
#include "journeys/properties.hpp"
#include "schema/message_json.hpp"
#include "schema/product_json.hpp"
#include "schema/shopify.hpp"
#include "schema/stock_level.hpp"
#include "schema/timestamp_text.hpp"
#include "tests/support/files.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using journeys::CustomerId;
using journeys::Event;
using journeys::IdNamespace;
using journeys::PackedView;
using nlohmann::json;

namespace {

json payload(const std::string& topic) {
    auto name = topic;
    std::ranges::replace(name, '/', '_');
    return json::parse(
        support::read_file(support::source_path("tests/data/shopify/" + name + ".json")));
}

schema::Translated translated(const std::string& topic, const json& body,
                              std::string_view triggered = {}) {
    const auto* found = schema::shopify().find(topic);
    REQUIRE(found != nullptr);
    return schema::translate(schema::shopify(), *found,
                             {.id = "b54557e4",
                              .shop = "lumen.example",
                              .triggered_at = schema::parse_producer_time(triggered)},
                             body.dump());
}

std::vector<Event> events_of(const schema::Translated& result) {
    if (result.messages.empty()) return {};
    schema::MessageDecoder decoder;
    schema::Envelope envelope;
    envelope.received_at = *schema::parse_producer_time("2026-11-20T12:00:00Z");
    auto frame = decoder.decode(result.messages, envelope);
    if (!frame) FAIL(frame.error().detail);
    std::vector<Event> events;
    for (auto& item : frame->items) {
        if (!item.event) FAIL(item.event.error().detail);
        events.push_back(std::move(*item.event));
    }
    return events;
}

std::vector<Event> events_of(const std::string& topic, std::string_view triggered = {}) {
    return events_of(translated(topic, payload(topic), triggered));
}

std::vector<std::string> ids_of(const Event& event) {
    std::vector<std::string> ids;
    for (const auto& id : event.ids) ids.push_back(journeys::to_text(id));
    return ids;
}

std::string at(const Event& event) { return journeys::to_text(event.time); }

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("a cart is the whole of its lines, and belongs to its token and the shop's own id",
          "[shopify]") {
    const auto events = events_of("carts/update");
    REQUIRE(events.size() == 1);
    const auto& cart = events[0];
    CHECK(cart.name == "Cart Updated");
    CHECK(cart.message_id == "b54557e4-0");
    CHECK(ids_of(cart) == Texts{"anonymous:7f0c0a5e-6a55", "token:shopify-cart-68778783ad298f1c"});
    CHECK(cart.property("cart_id").as_string() == "68778783ad298f1c");
    CHECK(at(cart) == "2026-11-20T10:04:05.000Z");
    const auto products = journeys::products_of(cart);
    REQUIRE(products.size() == 2);
    const auto lamp = journeys::product_of(products.at(0));
    REQUIRE(lamp);
    CHECK(lamp->product_id == "7513594");
    CHECK(lamp->sku == "LAMP-01");
    CHECK(lamp->name == "Reading lamp");
    CHECK(lamp->price->to_text() == "199.10");
    CHECK(lamp->quantity == 2);
    CHECK(journeys::product_of(products.at(1))->sku == "442"); // No SKU: the variant.

    SECTION("emptied") {
        auto body = payload("carts/update");
        body["line_items"] = json::array();
        const auto emptied = events_of(translated("carts/update", body));
        REQUIRE(emptied.size() == 1);
        CHECK(journeys::products_of(emptied[0]).is_list());
        CHECK(journeys::products_of(emptied[0]).size() == 0);
    }
    SECTION("at most as many lines as a cart remembers") {
        auto body = payload("carts/update");
        while (body["line_items"].size() < 150) body["line_items"].push_back(body["line_items"][0]);
        CHECK(journeys::products_of(events_of(translated("carts/update", body))[0]).size() == 100);
    }
}

TEST_CASE("a delivery's trigger tells two changes of one second apart", "[shopify]") {
    CHECK(at(events_of("carts/update", "2026-11-20T10:04:05.741Z")[0]) ==
          "2026-11-20T10:04:05.741Z");
    // One that is delivered by hand, or late for another reason, is as old as its payload says.
    CHECK(at(events_of("carts/update", "2026-11-20T11:30:00Z")[0]) == "2026-11-20T10:04:05.000Z");
    auto body = payload("carts/update");
    body.erase("updated_at");
    body.erase("created_at");
    CHECK(at(events_of(translated("carts/update", body, "2026-11-20T11:30:00Z"))[0]) ==
          "2026-11-20T11:30:00.000Z");
}

TEST_CASE("a checkout says who has the cart, and what they agreed to", "[shopify]") {
    const auto events = events_of("checkouts/update");
    REQUIRE(events.size() == 2);
    const auto& who = events[0];
    CHECK(who.type == journeys::EventType::identify);
    CHECK(ids_of(who) == Texts{"email:ada@example.com", "phone:+4917012345678",
                               "token:shopify-cart-68778783ad298f1c"});
    const PackedView traits{who.traits};
    CHECK(traits.string_at("email") == "Ada@Example.com");
    CHECK(traits.string_at("firstName") == "Ada");
    CHECK(traits.find("address").string_at("country") == "DE");
    CHECK(PackedView{who.context}.string_at("locale") == "de-DE");
    const auto consent = traits.find("marketing_consent");
    CHECK(consent.find("email").find("state").as_bool());
    CHECK_FALSE(consent.find("sms")); // Not ticked: nothing was said.

    const auto& checkout = events[1];
    CHECK(checkout.name == "Checkout Updated");
    CHECK(checkout.property("checkout_id").as_string() == "eeafa272cebfd4b22385bc4b645e762c");
    CHECK(checkout.property("cart_id").as_string() == "68778783ad298f1c");
    CHECK(journeys::money_of(checkout.property("value"))->to_text() == "421.88");
    CHECK(checkout.property("coupon").as_string() == "WELCOME");
    CHECK(checkout.property("url").as_string().starts_with("https://lumen.example/"));

    SECTION("without a cart its own token joins it to the order") {
        auto body = payload("checkouts/update");
        body["cart_token"] = nullptr;
        CHECK(ids_of(events_of(translated("checkouts/update", body))[0]).back() ==
              "token:shopify-checkout-eeafa272cebfd4b22385bc4b645e762c");
    }
}

TEST_CASE("an order names its cart, its checkout and its buyer, with exact amounts", "[shopify]") {
    const auto events = events_of("orders/create");
    REQUIRE(events.size() == 2);
    const auto& order = events[1];
    CHECK(order.name == "Order Completed");
    CHECK(ids_of(order) == Texts{"shopify:115310627314723954", "email:ada@example.com",
                                 "phone:+4917012345678", "anonymous:7f0c0a5e-6a55",
                                 "token:shopify-cart-68778783ad298f1c",
                                 "token:shopify-order-820982911946154508"});
    CHECK(order.property("order_id").as_string() == "820982911946154508");
    CHECK(order.property("cart_id").as_string() == "68778783ad298f1c");
    CHECK(order.property("checkout_id").as_string() == "eeafa272cebfd4b22385bc4b645e762c");
    for (const auto& [property, amount] : std::map<std::string, std::string>{{"total", "421.88"},
                                                                             {"subtotal", "418.20"},
                                                                             {"tax", "67.36"},
                                                                             {"discount", "10.00"},
                                                                             {"shipping", "13.68"}})
        CHECK(journeys::money_of(order.property(property))->to_text() == amount);
    CHECK(order.property("currency").as_string() == "EUR");
    CHECK(journeys::products_of(order).size() == 2);
    const auto consent = PackedView{events[0].traits}.find("marketing_consent").find("email");
    CHECK(consent.string_at("state") == "subscribed");
    CHECK(consent.string_at("at") == "2026-01-02T09:00:00.000Z");
    CHECK(consent.string_at("opt_in_level") == "confirmed_opt_in");

    SECTION("paid and cancelled are of the same order") {
        const auto paid = events_of(translated("orders/paid", payload("orders/create")));
        REQUIRE(paid.size() == 1);
        CHECK(paid[0].name == "Order Updated");
        auto body = payload("orders/create");
        body["cancelled_at"] = "2026-11-21T08:00:00+01:00";
        body["cancel_reason"] = "customer";
        const auto cancelled = events_of(translated("orders/cancelled", body));
        REQUIRE(cancelled.size() == 1);
        CHECK(cancelled[0].name == "Order Cancelled");
        CHECK(cancelled[0].property("reason").as_string() == "customer");
    }
}

TEST_CASE("a refund names its order only, and adds its transactions up", "[shopify]") {
    const auto events = events_of("refunds/create");
    REQUIRE(events.size() == 1);
    CHECK(events[0].name == "Order Refunded");
    CHECK(ids_of(events[0]) == Texts{"token:shopify-order-820982911946154508"});
    CHECK(journeys::money_of(events[0].property("total"))->to_text() == "199.10");
    CHECK(journeys::products_of(events[0]).size() == 1);
}

TEST_CASE("a customer's profile and consents", "[shopify]") {
    const auto events = events_of("customers/update");
    REQUIRE(events.size() == 1);
    CHECK(ids_of(events[0]) ==
          Texts{"shopify:115310627314723954", "email:ada@example.com", "phone:+4917012345678"});
    const PackedView traits{events[0].traits};
    CHECK(traits.string_at("lastName") == "Lindqvist");
    CHECK(traits.find("verified_email").as_bool());
    CHECK(traits.find("marketing_consent").find("sms").string_at("state") == "unsubscribed");
    CHECK_FALSE(traits.find("note")); // What no table names does not get in.
}

TEST_CASE("what people ask of their data is a request, and no message", "[shopify]") {
    const auto asked = translated("customers/data_request", payload("customers/data_request"));
    CHECK(asked.messages.empty());
    REQUIRE(asked.privacy);
    CHECK(asked.privacy->kind == schema::PrivacyKind::export_data);
    CHECK(asked.privacy->request == "b54557e4");
    CHECK(asked.privacy->subjects == Texts{"shopify:191167", "email:ada@example.com",
                                           "phone:+4917012345678", "token:shopify-order-299938",
                                           "token:shopify-order-280263"});
    CHECK(asked.privacy->orders == Texts{"299938", "280263"});

    const auto redact = translated("customers/redact", json{{"shop_domain", "lumen.example"},
                                                            {"customer", {{"id", 191167}}},
                                                            {"orders_to_redact", {299938}}});
    CHECK(redact.privacy->kind == schema::PrivacyKind::erase);
    CHECK(redact.privacy->subjects == Texts{"shopify:191167", "token:shopify-order-299938"});
    // A stand-in for nobody is nobody's.
    const auto junk = translated("customers/redact",
                                 json{{"shop_domain", "lumen.example"},
                                      {"customer", {{"id", 0}, {"email", "none"}, {"phone", "0"}}},
                                      {"orders_to_redact", 7}});
    CHECK(junk.privacy->subjects.empty());
    // Only the body is signed: one of another topic must not become a redaction by its header.
    CHECK_FALSE(translated("customers/redact", payload("orders/create")).is_readable);
    CHECK_FALSE(translated("shop/redact", json{{"shop_domain", "other.example"}}).is_readable);
    const auto shop =
        translated("shop/redact", json{{"shop_id", 954889}, {"shop_domain", "lumen.example"}});
    CHECK(shop.privacy->shop == "lumen.example");
    CHECK(shop.privacy->kind == schema::PrivacyKind::erase_shop);
    CHECK(shop.privacy->subjects.empty());
}

TEST_CASE("a product's variants are one product: the lowest price, and all that there is",
          "[shopify]") {
    const auto result = translated("products/update", payload("products/update"));
    CHECK(result.messages.empty());
    CHECK_FALSE(result.privacy);
    const auto body = schema::products_from_json(result.product);
    REQUIRE(body.has_value());
    CHECK(body->refused.empty());
    REQUIRE(body->products.size() == 1);
    const auto& product = body->products[0];
    CHECK(product.id == "632910392");
    CHECK(product.said_at == schema::parse_producer_time("2026-11-20T10:59:00Z"));
    CHECK(json::parse(journeys::to_json(PackedView{product.fields})) ==
          json::parse(R"({"id":"632910392","name":"Floor lamp","price":179.9,
                          "compare_at_price":249,"stock":3,"category":"Lamps",
                          "image_url":"https://cdn.example/lamp.png",
                          "properties":{"brand":"Lumen","handle":"floor-lamp","status":"active",
                                        "inventory_items":["39072856","49148385"]}})"));

    // Only the body is signed: one of another topic is none of a product.
    const auto order = translated("products/update", payload("orders/create"));
    CHECK_FALSE(order.is_readable);
    CHECK(order.product.empty());
}

TEST_CASE("an inventory level is of one article at one place", "[shopify]") {
    const auto said = [](std::string_view available) {
        return translated("inventory_levels/update", {{"inventory_item_id", 39072856},
                                                      {"location_id", 655441491},
                                                      {"available", json::parse(available)},
                                                      {"updated_at", "2026-11-20T11:00:00-05:00"}});
    };
    const auto level = schema::stock_level_from_json(said("4").product);
    REQUIRE(level.has_value());
    CHECK(level->item == "39072856");
    CHECK(level->place == "655441491");
    CHECK(level->available == 4);
    CHECK(level->said_at == schema::parse_producer_time("2026-11-20T16:00:00Z"));
    CHECK(said("null").is_readable); // What is not counted.
    CHECK(said("null").product.empty());
    CHECK_FALSE(translated("inventory_levels/update", payload("products/update")).is_readable);
    CHECK_FALSE(schema::stock_level_from_json(
        translated("products/update", payload("products/update")).product));
}

TEST_CASE("an amount that is none is left out, and named", "[shopify]") {
    auto cart = payload("carts/update");
    REQUIRE(translated("carts/update", cart).left_out.empty());
    const auto price_in = [&](const json& price) {
        cart["line_items"][0]["price"] = price;
        const auto result = translated("carts/update", cart);
        const auto products = json::parse(result.messages)[0]["properties"]["products"];
        return std::pair{products[0].contains("price"), result.left_out};
    };
    for (const json& wrong : {json("12,50"), json("NaN"), json("1e400"), json("free"), json(true),
                              json("1000000000001"), json("-1e13"), json(1e300)}) {
        INFO(wrong);
        CHECK(price_in(wrong) == std::pair{false, Texts{"line_items.0.price"}});
    }
    for (const json& right : {json("12.50"), json(12), json("0.00"), json("1000000000000")}) {
        INFO(right);
        CHECK(price_in(right) == std::pair{true, Texts{}});
    }
    CHECK(price_in(nullptr) == std::pair{false, Texts{}}); // Not said.
    CHECK(price_in("") == std::pair{false, Texts{}});

    auto order = payload("orders/create");
    order["total_price"] = "1e400";
    const auto result = translated("orders/create", order);
    CHECK(result.left_out == Texts{"total_price"});
    CHECK_FALSE(json::parse(result.messages)[1]["properties"].contains("total"));

    auto product = payload("products/update");
    product["variants"][0]["price"] = "12,50";
    CHECK(translated("products/update", product).left_out == Texts{"variants.price"});
}

TEST_CASE("a payload that is none, or says less than usual, is no harm", "[shopify]") {
    const auto& shop = schema::shopify();
    for (const auto& topic : shop.topics) {
        INFO(topic.topic);
        for (const std::string_view text : {"", "x", "[1]", "{\"id\":", "\"a\""})
            CHECK_FALSE(schema::translate(shop, topic, {}, text).is_readable);
        for (
            const std::string_view text :
            {"{}", R"({"id":1,"line_items":7,"customer":[],"note_attributes":{"a":null}})",
             R"({"id":1.5,"token":{},"line_items":[1,null,{"price":"x","quantity":"2"}]})",
             R"({"token":"t","email":12,"updated_at":"yesterday","transactions":[{"amount":[]}]})"}) {
            const auto result = schema::translate(shop, topic, {}, text);
            // A request names its shop, and a product has a name.
            const bool says_enough = topic.privacy == schema::PrivacyKind::none &&
                                     topic.product.empty() && topic.level.empty();
            CHECK(result.is_readable == says_enough);
            if (!result.messages.empty()) CHECK_FALSE(json::parse(result.messages).empty());
        }
    }
}
