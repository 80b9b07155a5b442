/// Codes that messages give away, as the engine asks for them.
#include "journeys/coupons.hpp"
#include "support/story.hpp"

#include <catch2/catch.hpp>

#include <deque>

using namespace support;
using journeys::CouponAnswer;
using journeys::EntryKind;
using Lines = std::vector<std::string>;

namespace {

/// A drawer that the test fills.
struct Drawer final : journeys::CouponSource {
    CouponAnswer take(std::string_view pool, journeys::RunId, Timestamp) override {
        ++asked;
        pools.emplace_back(pool);
        if (is_busy) return {.kind = CouponAnswer::Kind::not_now};
        if (codes.empty()) return {};
        auto code = codes.front();
        codes.pop_front();
        return {.kind = CouponAnswer::Kind::code,
                .code = std::move(code),
                .expires_at = expires_at,
                .lease = 7};
    }
    std::deque<std::string> codes;
    std::vector<std::string> pools;
    Timestamp expires_at = journeys::no_time;
    bool is_busy = false;
    int asked = 0;
};

const std::string offer = R"(
id: offer
status: live
enter: { on: Product Viewed, key: event.properties.product_id, reentry: always }
exit: [{ on: Order Completed, reason: purchased }]
steps:
  - name: mail
    send:
      channel: email
      template: offer
      topic: offers
      coupon: spring
      data:
        code: coupon.code
        until: coupon.expires_at
        more: coupon.pool
  - name: a-day
    wait: { for: 1d }
  - name: again
    send:
      channel: sms
      template: offer
      topic: offers
      coupon: spring
      data:
        code: coupon.code
)";

struct Shop {
    explicit Shop(std::deque<std::string> codes, std::string journey = offer,
                  std::optional<journeys::Settings> settings = std::nullopt)
        : story{{std::move(journey)}, std::move(settings)} {
        drawer->codes = std::move(codes);
        story.use_coupons(drawer);
    }
    void view(std::string_view who, Timestamp at, std::string_view product = "p1") {
        story.track(who, "Product Viewed", at, R"({"product_id":")" + std::string{product} + "\"}");
    }
    bool payload_has(std::size_t n, std::string_view text) const {
        return story.granted.at(n).payload.find(text) != std::string::npos;
    }
    std::shared_ptr<Drawer> drawer = std::make_shared<Drawer>();
    Story story;
};

journeys::Settings with_channels() {
    journeys::Settings settings;
    settings.channels.push_back({.name = "email", .type = "sandbox", .address = "email"});
    settings.channels.push_back({.name = "sms", .type = "sandbox", .address = "phone"});
    return settings;
}

} // namespace

TEST_CASE("a run is given one code of a pool, however many of its messages carry it", "[engine]") {
    Shop shop{{"A", "B", "C"}};
    shop.drawer->expires_at = monday + 30 * 24h;
    shop.view("ada", monday);
    REQUIRE(shop.story.granted.size() == 1);
    CHECK(shop.payload_has(0, R"("code":"A")"));
    CHECK(shop.payload_has(0, R"("more":"spring")"));
    CHECK(shop.payload_has(0, "2026-04-01T10:00:00"));
    shop.view("bob", monday + 1h);
    CHECK(shop.payload_has(1, R"("code":"B")"));
    shop.story.until(monday + 2 * 24h);
    REQUIRE(shop.story.granted.size() == 4);
    CHECK(shop.payload_has(2, R"("code":"A")"));
    CHECK(shop.payload_has(3, R"("code":"B")"));
    CHECK(shop.drawer->asked == 2);

    REQUIRE(shop.story.coupons_taken.size() == 2);
    const auto& taken = shop.story.coupons_taken[0];
    CHECK(taken.pool == "spring");
    CHECK(taken.code == "A");
    CHECK(taken.lease == 7);
    CHECK(taken.intent == shop.story.granted[0].id);
    CHECK(taken.at == monday);

    // Another run of the same person is given another one.
    shop.view("ada", monday + 3 * 24h, "p2");
    CHECK(shop.story.coupons_taken.back().code == "C");
}

TEST_CASE("an empty pool leaves the message out, and the run goes on", "[engine]") {
    Shop shop{{}};
    shop.view("ada", monday);
    CHECK(shop.story.happened() == Lines{"enter offer p1", "suppress offer/mail p1 no_coupon"});
    shop.drawer->codes = {"A"};
    shop.story.until(monday + 2 * 24h);
    CHECK(shop.story.happened() == Lines{"send offer/again p1", "end offer/again p1 completed"});
}

TEST_CASE("a source that is busy is asked again in a moment, until the message expires",
          "[engine]") {
    Shop shop{{"A"}};
    shop.drawer->is_busy = true;
    shop.view("ada", monday);
    CHECK(shop.story.happened() == Lines{"enter offer p1"});
    shop.story.until(monday + 12s);
    CHECK(shop.drawer->asked == 3);
    SECTION("it has one later") {
        shop.drawer->is_busy = false;
        shop.story.until(monday + 20s);
        CHECK(shop.story.happened() == Lines{"send offer/mail p1"});
        CHECK(shop.payload_has(0, R"("code":"A")"));
    }
    SECTION("it never has") {
        shop.story.until(monday + 25h);
        CHECK(shop.story.happened(EntryKind::suppress) ==
              Lines{"suppress offer/mail p1 no_coupon"});
        CHECK(shop.story.last_at(EntryKind::suppress) > monday + 24h - 6s);
    }
    SECTION("the run ends meanwhile, and no code is taken for it") {
        shop.drawer->is_busy = false;
        shop.story.track("ada", "Order Completed", monday + 13s, R"({"order_id":"o1"})");
        shop.story.until(monday + 20s);
        CHECK(shop.story.granted.empty());
        CHECK(shop.drawer->codes.size() == 1);
    }
}

TEST_CASE("nobody is given a code to whom nothing is sent", "[engine]") {
    auto settings = with_channels();
    settings.all_live = true;
    SECTION("no address") {
        Shop shop{{"A"}, offer, settings};
        shop.view("ada", monday);
        CHECK(shop.story.happened(EntryKind::suppress) == Lines{"suppress offer/mail p1 consent"});
        CHECK(shop.drawer->asked == 0);
    }
    SECTION("held out") {
        auto journey = offer;
        journey.replace(journey.find("status: live"), 12, "status: live\nholdout: 100%");
        Shop shop{{"A"}, journey};
        shop.view("ada", monday);
        CHECK(shop.story.happened(EntryKind::suppress) == Lines{"suppress offer/mail p1 holdout"});
        CHECK(shop.drawer->asked == 0);
    }
}

TEST_CASE("a code that has expired since is not sent again, and no second one is taken",
          "[engine]") {
    Shop shop{{"A", "B"}};
    shop.drawer->expires_at = monday + 12h;
    shop.view("ada", monday);
    CHECK(shop.story.happened() == Lines{"enter offer p1", "send offer/mail p1"});
    shop.story.until(monday + 2 * 24h);
    CHECK(shop.story.happened(EntryKind::suppress) == Lines{"suppress offer/again p1 no_coupon"});
    CHECK(shop.drawer->codes.size() == 1);
}

TEST_CASE("a code whose message cannot be written stays with its run", "[engine]") {
    auto journey = offer;
    journey.replace(journey.find("more: coupon.pool"), 17, "more: 1 / int(cart.value)");
    Shop shop{{"A", "B"}, journey};
    shop.view("ada", monday);
    CHECK(shop.story.happened(EntryKind::suppress) ==
          Lines{"suppress offer/mail p1 render_failed"});
    REQUIRE(shop.story.coupons_taken.size() == 1); // It is on record that it was taken.
    shop.story.until(monday + 2 * 24h);
    REQUIRE(shop.story.granted.size() == 1);
    CHECK(shop.payload_has(0, R"("code":"A")"));
    CHECK(shop.drawer->codes.size() == 1);
}

TEST_CASE("a trial's codes are the same for the same run, and another for another", "[engine]") {
    journeys::TrialCoupons trial;
    const auto code = [&](std::string_view pool, std::uint64_t run) {
        return trial.take(pool, journeys::RunId{1, run}, monday).code;
    };
    CHECK(code("spring", 7) == code("spring", 7));
    CHECK(code("spring", 7) != code("spring", 8));
    CHECK(code("spring", 7) != code("autumn", 7));
    CHECK(code("spring", 7).starts_with("TRIAL-"));
    CHECK(code("spring", 7).size() == 14);
}
