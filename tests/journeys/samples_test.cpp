// The sample messages of tests/data/events land as their README says, one by one.

#include "journeys/identity.hpp"
#include "journeys/policy.hpp"
#include "journeys/profile.hpp"
#include "journeys/reference.hpp"
#include "schema/message_json.hpp"
#include "schema/timestamp_text.hpp"
#include "tests/support/files.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fstream>

using namespace journeys;
using namespace std::chrono_literals;

namespace {

Timestamp at(std::string_view text) { return *schema::parse_producer_time(text); }

/// A shop without journeys, which only remembers.
class Shop {
public:
    Shop()
        : run_(
              [] {
                  Settings settings;
                  settings.channels = {{.name = "email", .address = "email"},
                                       {.name = "sms", .address = "phone"}};
                  return std::make_shared<const Catalog>(1, settings, std::vector<JourneyPtr>{});
              }(),
              [this](const Customer&, const Effect& effect) {
                  if (const auto* entry = std::get_if<TimelineEntry>(&effect))
                      merges_ += entry->kind == EntryKind::merged;
              }) {}

    /// One message as it arrives at `received`; how it came by its time.
    schema::Clock take(const std::string& text, Timestamp received) {
        schema::MessageDecoder decoder;
        auto frame = decoder.decode(text, {.received_at = received, .write_key_hash = 7});
        REQUIRE(frame.has_value());
        REQUIRE(frame->items.size() == 1);
        auto& item = frame->items[0];
        if (!item.event) FAIL(item.event.error().detail);
        last_ = *item.event;
        auto routing = identity_.route(*item.event, received);
        const auto record = [&](CustomerId customer, auto body) {
            Record made;
            made.offset = ++offset_;
            made.accepted_at = std::max(received, accepted_at_);
            accepted_at_ = made.accepted_at;
            made.customer = std::move(customer);
            made.body = std::move(body);
            return run_.take(std::move(made));
        };
        for (auto& link : routing.links) record(link.loser, link.link);
        applied_ = record(routing.customer, std::move(*item.event));
        return item.clock;
    }
    const Customer& customer(std::string_view id) const {
        const auto* found = run_.find(*parse_customer_id(id));
        REQUIRE(found != nullptr);
        return *found;
    }
    const Event& last() const { return last_; }
    Applied applied() const { return applied_; }
    int merges() const { return merges_; }

private:
    IdentityCache identity_;
    std::uint64_t offset_ = 0;
    Timestamp accepted_at_{};
    Event last_;
    Applied applied_{};
    int merges_ = 0;
    Reference run_;
};

std::vector<std::string> lines_of(const std::string& name) {
    std::ifstream in{support::source_path("tests/data/events/" + name)};
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

/// Every line a second after its own time.
void take_all(Shop& shop, const std::string& name) {
    for (const auto& line : lines_of(name))
        shop.take(line, at(nlohmann::json::parse(line)["timestamp"].get<std::string>()) + 1s);
}

std::string cart_text(const Customer& customer, std::string_view id) {
    const auto* cart = find_cart(customer, id);
    if (!cart) return "none";
    std::string text;
    for (const auto& line : cart->lines)
        if (line.quantity > 0)
            text +=
                (text.empty() ? "" : " ") + line.product_id + "*" + std::to_string(line.quantity);
    return text;
}

} // namespace

TEST_CASE("samples: a shopper from an anonymous visit to an order", "[samples]") {
    Shop shop;
    const auto lines = lines_of("01_purchase_session.jsonl");
    REQUIRE(lines.size() == 18);
    const auto device = "anonymous:7f0c0a5e-6a55-4b0e-9a41-3f1f5d8a1c01";
    const auto take = [&](std::size_t number) {
        const auto& line = lines[number - 1];
        CHECK(shop.take(line, at(nlohmann::json::parse(line)["timestamp"].get<std::string>()) +
                                  1s) == schema::Clock::written);
        CHECK(shop.applied() == Applied::applied);
    };
    for (std::size_t i = 1; i <= 7; ++i) take(i);
    CHECK(shop.customer(device).session.views >= 2);
    CHECK(cart_text(shop.customer(device), "cart-501") == "p_1001*1");
    take(8);
    CHECK(cart_text(shop.customer(device), "cart-501") == "p_1001*1 p_1002*2");
    take(9);
    CHECK(cart_text(shop.customer(device), "cart-501") == "p_1001*1 p_1002*1");
    take(10);
    CHECK(find_cart(shop.customer(device), "cart-501")->value().to_text() == "204.40");
    take(11);
    CHECK(shop.customer(device).forward_to == CustomerId{IdNamespace::user, "user-1001"});
    const auto& ada = shop.customer("user-1001");
    CHECK(ada.country == "DE");
    CHECK(consent_of(ada, "category", "Advertising") == ConsentState::unsubscribed);
    CHECK(consent_of(ada, "category", "Analytics") == ConsentState::subscribed);
    CHECK(PackedView{ada.traits}.string_at("email") == "ada@example.com");
    CHECK(cart_text(ada, "cart-501") == "p_1001*1 p_1002*1"); // It came along.
    for (std::size_t i = 12; i <= 17; ++i) take(i);
    CHECK_FALSE(find_cart(ada, "cart-501")->ordered);
    take(18);
    CHECK(find_cart(ada, "cart-501")->ordered); // Though the order names no cart.
    REQUIRE(ada.orders.size() == 1);
    CHECK(ada.orders[0].total.to_text() == "188.86");
    CHECK(ada.orders[0].coupon == "AUTUMN10");
    CHECK(shop.customer("email:ada@example.com").forward_to);
}

TEST_CASE("samples: what follows an order", "[samples]") {
    Shop shop;
    take_all(shop, "01_purchase_session.jsonl");
    take_all(shop, "02_after_order.jsonl");
    const auto& ada = shop.customer("user-1001");
    CHECK(ada.order_count == 1); // Updated, shipped, partly refunded: still one.
    CHECK(ada.revenue.to_text() == "114.36");
    CHECK(cart_text(ada, "cart-502") == "p_1004*1");
    const auto& other = shop.customer("user-1002");
    CHECK(other.order_count == 0);
    REQUIRE(other.orders.size() == 1);
    CHECK(other.orders[0].status == OrderStatus::cancelled);
}

TEST_CASE("samples: feedback of messages is of the users whom it names", "[samples]") {
    Shop shop;
    take_all(shop, "03_messaging_feedback.jsonl");
    CHECK(shop.customer("user-1001").last_seen == at("2026-11-22T07:07:24Z"));
    CHECK(shop.customer("email:gone@example.com").forward_to ==
          CustomerId{IdNamespace::user, "user-1002"});
    CHECK(shop.customer("user-1003").last_seen == at("2026-11-22T07:06:44Z"));
}

TEST_CASE("samples: devices, aliases, consent and a shared tablet", "[samples]") {
    Shop shop;
    take_all(shop, "01_purchase_session.jsonl");
    const auto lines = lines_of("04_identity_and_consent.jsonl");
    const auto take = [&](std::size_t from, std::size_t to) {
        for (auto i = from; i <= to; ++i)
            shop.take(lines[i - 1],
                      at(nlohmann::json::parse(lines[i - 1])["timestamp"].get<std::string>()) + 1s);
    };
    take(1, 3); // A second device joins the user, with its cart.
    const auto& ada = shop.customer("user-1001");
    CHECK(cart_text(ada, "cart-601") == "p_1004*1");
    take(4, 4);
    CHECK(shop.customer("anonymous:legacy-crm-77").forward_to == ada.id);
    take(5, 5); // A group's traits are not the person's.
    CHECK_FALSE(PackedView{ada.traits}.find("points"));
    take(6, 6);
    CHECK(consent_of(ada, "email", "") == ConsentState::unsubscribed);
    CHECK(consent_of(ada, "sms", "") == ConsentState::subscribed);
    take(7, 7);
    CHECK_FALSE(PackedView{ada.traits}.find("phone"));
    CHECK(PackedView{ada.traits}.find("address").string_at("city") == "Hamburg");
    take(8, 8); // Anonymous, of a device that is known to be the user's.
    CHECK(PackedView{ada.traits}.string_at("language") == "fr");
    take(9, 10); // A second user on it: the history stays with the first.
    const auto& second = shop.customer("user-2002");
    CHECK(second.order_count == 1);
    CHECK(second.carts.empty());
    CHECK(ada.order_count == 1);
    CHECK(shop.customer("anonymous:c0ffee00-0000-4000-8000-000000000002").forward_to == second.id);
    take(11, 11);
    CHECK(ada.last_seen == at("2026-11-22T12:03:40Z"));
}

TEST_CASE("samples: time and duplicates, line by line", "[samples]") {
    Shop shop;
    const auto lines = lines_of("05_time_and_duplicates.jsonl");
    REQUIRE(lines.size() == 14);
    const auto received = at("2026-11-23T10:09:00Z");
    const auto take = [&](std::size_t number) {
        return shop.take(lines[number - 1], received + std::chrono::milliseconds{number});
    };
    CHECK(take(1) == schema::Clock::written);
    CHECK(take(2) == schema::Clock::written);
    CHECK(shop.applied() == Applied::late); // An earlier one after a later one.
    const auto& customer = shop.customer("user-5001");
    CHECK(cart_text(customer, "cart-950") == "p_1005*1");
    take(3);
    CHECK(customer.revenue.to_text() == "49.99");
    take(4);
    CHECK(shop.applied() == Applied::duplicate);
    take(5); // Another total: the first one stands.
    CHECK(shop.applied() == Applied::duplicate);
    CHECK(customer.revenue.to_text() == "49.99");
    take(6); // Two events, and still one order.
    CHECK(shop.applied() == Applied::applied);
    CHECK(customer.order_count == 1);
    take(7);
    CHECK(shop.applied() == Applied::late);
    take(8);
    CHECK(shop.applied() == Applied::late);
    CHECK(customer.first_seen == at("2026-11-20T10:00:00Z"));
    CHECK(take(9) == schema::Clock::nonsense); // From next year.
    CHECK(shop.last().time == received + 9ms);
    CHECK(take(10) == schema::Clock::corrected); // An hour slow, and sent two seconds after it.
    CHECK(shop.last().time == received + 10ms - 2s);
    CHECK(take(11) == schema::Clock::written);
    CHECK(shop.last().time == at("2026-11-23T10:07:00.123Z"));
    CHECK(take(12) == schema::Clock::absent);
    CHECK(shop.last().time == received + 12ms);
    take(13);
    CHECK_FALSE(shop.last().deduplicate);
    CHECK(shop.last().message_hash != 0);
    CHECK(take(14) == schema::Clock::written);
    CHECK(shop.last().time == at("2026-03-29T01:30:00Z"));
}
