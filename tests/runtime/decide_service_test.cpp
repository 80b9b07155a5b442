// `POST /v1/decide` through the whole service.

#include "runtime/listener/local_socket.hpp"
#include "tests/runtime/service_fixture.hpp"
#include "tests/support/raw_client.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <thread>
#include <vector>

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
    CHECK(ask(R"(,"surface":"cart-page","durable":false)")["action"] == "note");
    const auto explored = ask(R"(,"surface":"home-page","policy":"explore")");
    CHECK(explored["policy"] == "explore");
    CHECK(explored["propensity"] == 1);

    for (const auto* wrong :
         {R"({})", R"([])", R"({"customer":"ada","policy":"greedy"})",
          R"({"customer":"ada","surface":""})", R"({"customer":"ada","surface":"nowhere"})",
          R"({"customer":"ada","x":"1"})", R"({"customer":"ada","actions":["none"]})",
          R"({"customer":"ada","actions":[]})", R"({"customer":"ada","durable":1})"}) {
        CAPTURE(wrong);
        CHECK(folder.post("/v1/decide", wrong).first == 400);
    }
    CHECK(folder.post("/v1/decide", R"({"customer":"nobody"})").first == 404);
    folder.stop();

    folder.start(); // What was decided before still counts.
    CHECK(ask(R"(,"surface":"cart-page")")["action"] == "note");
    folder.stop();
}

TEST_CASE("while storage is not reachable a page is told so at once, and nothing of ours",
          "[.postgres]") {
    using namespace std::chrono_literals;
    using Steady = std::chrono::steady_clock;
    ServiceFolder folder;
    folder.write("actions.yaml", actions_text);
    folder.start();
    folder.post("/v1/track", R"({"type":"track","event":"Seen","userId":"ada","messageId":"m"})");
    folder.wait_for_customer("ada", "{\"customer\":");

    // It cannot be started again until its settings are back.
    const auto cluster = std::filesystem::path{folder.service().data_dir()} / "postgres";
    const auto settings = cluster / "postgresql.conf", aside = cluster / "aside.conf";
    std::filesystem::rename(settings, aside);
    std::ofstream{settings} << "this is no setting";
    int server = 0;
    std::ifstream{cluster / "postmaster.pid"} >> server;
    REQUIRE(server > 1);
    REQUIRE(::kill(server, SIGKILL) == 0);
    const auto is_ready = [&] {
        return ask_service(folder.socket(), "GET", "/readyz").has_value();
    };
    for (int i = 0; i < 1500 && is_ready(); ++i) std::this_thread::sleep_for(10ms);
    REQUIRE_FALSE(is_ready());

    const std::string said = R"({"error":"storage is not reachable"})";
    const auto before = Steady::now();
    const auto [status, body] =
        folder.post("/v1/decide", R"({"customer":"ada","surface":"cart-page"})");
    CHECK(Steady::now() - before < 1s);
    CHECK(status == 503);
    CHECK(body == said);
    RawClient client{folder.service().port()};
    client.send("GET /v1/customers/ada/timeline HTTP/1.1\r\nHost: t\r\n"
                "Authorization: Bearer test-key\r\n\r\n");
    const auto timeline = client.read_answer();
    CHECK(timeline.status == 503);
    CHECK(timeline.body == said);
    CHECK(timeline.header("retry-after") == "1");

    std::filesystem::rename(aside, settings);
    for (int i = 0; i < 2000 && !is_ready(); ++i) std::this_thread::sleep_for(10ms);
    CHECK(folder.post("/v1/decide", R"({"customer":"ada","surface":"cart-page"})").first == 200);
    folder.stop();
}

TEST_CASE("questions of one customer at the same time see each other: no cap is passed, no budget",
          "[.postgres]") {
    ServiceFolder folder;
    folder.write("actions.yaml", R"(
discount_budget: { amount: 10, per: 30d }
margin: 100%
discount_of_margin: 100%
actions:
  - { id: gift, surface: cart-page, value: 20, prior: { rate: 0.5 }, cap: { max: 3, per: 30d } }
  - { id: note, surface: cart-page, value: 1, prior: { rate: 0.5 } }
  - { id: off, surface: checkout, value: 50, discount: 4, prior: { rate: 0.5 } }
)");
    folder.start();
    for (const auto* who : {"ada", "bob"})
        folder.post("/v1/track",
                    std::string{R"({"type":"track","event":"Product Added","userId":")"} + who +
                        R"(","messageId":"m-)" + who + R"(","properties":{
                    "cart_id":"c","product_id":"p","price":90,"quantity":1,"currency":"EUR"}})");
    for (const auto* who : {"ada", "bob"}) folder.wait_for_customer(who, "\"product_id\":\"p\"");

    const auto ask_together = [&](const std::string& body) {
        std::vector<std::future<std::pair<int, std::string>>> asked;
        for (int i = 0; i < 24; ++i)
            asked.push_back(
                std::async(std::launch::async, [&] { return folder.post("/v1/decide", body); }));
        std::map<std::string, int> taken;
        for (auto& one : asked) {
            const auto [status, text] = one.get();
            INFO(text);
            REQUIRE(status == 200);
            const auto answer = json::parse(text);
            ++taken[answer["action"].is_null() ? "" : answer["action"].get<std::string>()];
        }
        return taken;
    };
    using Taken = std::map<std::string, int>;
    for (const std::string who : {"ada", "bob"}) {
        const auto question = R"({"customer":")" + who + R"(","surface":)";
        CHECK(ask_together(question + "\"cart-page\"}") == Taken{{"gift", 3}, {"note", 21}});
        CHECK(ask_together(question + "\"cart-page\"}") == Taken{{"note", 24}});
        // 4 and 4 of a budget of 10.
        CHECK(ask_together(question + "\"checkout\"}") == Taken{{"", 22}, {"off", 2}});
    }
    folder.stop();
}

} // namespace runtime::test
