// `POST /v1/decide` through the whole service.

#include "tests/runtime/service_fixture.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <set>

namespace runtime::test {
namespace {

using nlohmann::json;

constexpr auto actions_text = R"(
actions:
  - { id: gift, surface: cart-page, when: cart.value > 20.0, value: 20, prior: { rate: 0.5 }, cap: { max: 1, per: 30d } }
  - { id: note, surface: cart-page, value: 10, prior: { rate: 0.5 } }
  - { id: banner, surface: home-page, value: 90, prior: { rate: 0.5 } }
)";

/// Counts the decisions that the customer remembers.
constexpr auto journey_text = R"(
id: decided
status: live
enter: { on: Action Decided, when: event.properties.action == "gift", key: event.properties.decision_id, reentry: always }
steps:
  - { name: later, wait: { for: 30d } }
)";

} // namespace

TEST_CASE("a decision is answered with its reasons, and its customer remembers it over a restart",
          "[.postgres]") {
    ServiceFolder folder;
    folder.write("actions.yaml", actions_text);
    folder.write("journeys/decided.yaml", journey_text);
    folder.start();
    folder.post("/v1/track",
                R"({"type":"track","event":"Product Added","userId":"ada","messageId":"m-1",
                    "properties":{"cart_id":"c","product_id":"p","price":30,"quantity":1,
                                  "currency":"EUR"}})");
    folder.wait_for_customer("ada", "\"product_id\":\"p\"");

    const auto ask = [&](const std::string& more) {
        const auto [status, body] = folder.post("/v1/decide", "{\"customer\":\"ada\"" + more + "}");
        INFO(body);
        REQUIRE(status == 200);
        return json::parse(body);
    };
    const auto first = ask(R"(,"surface":"cart-page")");
    CHECK(first["action"] == "gift");
    CHECK(first["policy"] == "best");
    CHECK(first["propensity"] == 1);
    CHECK(first["reason"][0] == "gift is worth most: 10.00, with 50 % to succeed.");
    CHECK(first["scores"].size() == 2);
    CHECK(first["model"].is_null());
    folder.wait_for_customer("ada", "\"journey\":\"decided\"");

    // Remembered: the cap holds from now on, and another question has another id.
    const auto second = ask(R"(,"surface":"cart-page")");
    CHECK(second["action"] == "note");
    CHECK(second["scores"]["gift"]["refused"] == "taken 1 times, its cap");
    CHECK(second["decision_id"] != first["decision_id"]);
    CHECK(ask(R"(,"actions":["banner"])")["action"] == "banner");
    CHECK(ask(R"(,"surface":"nowhere")")["action"].is_null());
    const auto explored = ask(R"(,"surface":"home-page","policy":"explore")");
    CHECK(explored["policy"] == "explore");
    CHECK(explored["propensity"] == 1);

    for (const auto* wrong :
         {R"({})", R"([])", R"({"customer":"ada","policy":"greedy"})",
          R"({"customer":"ada","surface":""})", R"({"customer":"ada","x":"1"})",
          R"({"customer":"ada","actions":["none"]})", R"({"customer":"ada","actions":[]})"}) {
        CAPTURE(wrong);
        CHECK(folder.post("/v1/decide", wrong).first == 400);
    }
    CHECK(folder.post("/v1/decide", R"({"customer":"nobody"})").first == 404);
    folder.stop();

    folder.start(); // What was decided before still counts.
    CHECK(ask(R"(,"surface":"cart-page")")["action"] == "note");
    folder.stop();
}

} // namespace runtime::test
