/// What operators do to channels and see of journeys, through the whole service.
#include "tests/runtime/provider_shop.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace runtime::test {

using nlohmann::json;

TEST_CASE("a channel is paused, resumed and looked at, and it is noted who did it", "[.postgres]") {
    ProviderShop shop;
    shop.identify();
    CHECK(shop.admin("POST", "/admin/channels/email/pause").body.find("paused") !=
          std::string::npos);
    shop.track("Signed Up");
    CHECK(ProviderShop::comes([&] {
        return shop.admin("GET", "/admin/channels/email").body.find("queued 1") !=
               std::string::npos;
    }));
    CHECK(shop.provider.bodies().empty());
    CHECK(shop.admin("POST", "/admin/channels/email/resume").status == 200);
    CHECK(shop.provider.has(1));
    CHECK(shop.admin("POST", "/admin/channels/pigeon/pause").status == 404);
    CHECK(ProviderShop::comes([&] {
        const auto audit = shop.admin("GET", "/admin/audit").body;
        return audit.find("key shop  channel.paused") != std::string::npos &&
               audit.find("config.loaded") != std::string::npos;
    }));
}

TEST_CASE("a channel that was paused or drained stays so over a restart, until it is resumed",
          "[.postgres]") {
    ProviderShop shop;
    shop.identify();
    const auto looks = [&](const std::string& part) {
        return shop.admin("GET", "/admin/channels/email").body.find(part) != std::string::npos;
    };
    for (const auto* word : {"pause", "drain"}) {
        CAPTURE(word);
        REQUIRE(shop.admin("POST", "/admin/channels/email/" + std::string{word}).status == 200);
        shop.track("Signed Up");
        REQUIRE(ProviderShop::comes([&] { return looks("queued 1"); }));
        const auto before = shop.provider.bodies().size();
        REQUIRE(shop.service->stop());
        shop.service.reset();
        shop.start();
        CHECK(ProviderShop::comes(
            [&] { return looks("queued 1"); })); // It was read, and does not go.
        CHECK(looks(*word == 'p' ? "paused" : "draining"));
        CHECK(shop.provider.bodies().size() == before);
        CHECK(shop.admin("POST", "/admin/channels/email/resume").status == 200);
        CHECK(shop.provider.has(before + 1));
    }
    REQUIRE(ProviderShop::comes([&] { return looks("accepted 1"); }));
    REQUIRE(shop.service->stop());
    shop.service.reset();
    shop.start();
    CHECK_FALSE(looks("draining"));
    CHECK_FALSE(looks("paused"));
}

TEST_CASE("a report of a journey counts what happened", "[.postgres]") {
    ProviderShop shop;
    shop.identify();
    shop.track("Signed Up");
    REQUIRE(shop.provider.has(1));
    shop.track("Order Completed", {{"order_id", "o1"}, {"total", 42.5}, {"currency", "EUR"}});
    CHECK(ProviderShop::comes([&] {
        const auto report =
            json::parse(shop.admin("GET", "/admin/report/hello?json=1").body, nullptr, false);
        return report.is_object() && report["entered"] == 1 && report["sent"]["customers"] == 1 &&
               report["sent"]["reached"] == 1 && report["sent"]["revenue"] == 42.5 &&
               report["lift"].is_null() && report["steps"][0]["accepted"] == 1;
    }));
    const auto text = shop.admin("GET", "/admin/report/hello").body;
    CHECK(text.find("touch (email)  sent 1") != std::string::npos);
    CHECK(text.find("nobody was held out") != std::string::npos);
    CHECK(shop.admin("GET", "/admin/report/none").status == 404);
}

} // namespace runtime::test
