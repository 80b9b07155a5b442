/// What providers report, through the whole service: whose event it becomes, and what is not sent
/// after it.
#include "runtime/database.hpp"
#include "runtime/database_session.hpp"
#include "tests/runtime/provider_shop.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ctime>

namespace runtime::test {

using nlohmann::json;

TEST_CASE("a report becomes an event of the customer, once, and a bounce ends the address",
          "[.postgres]") {
    ProviderShop shop;
    shop.identify();
    shop.track("Signed Up");
    REQUIRE(shop.provider.has(1));
    const auto body = json::parse(shop.provider.bodies()[0]);
    CHECK(body["personalizations"][0]["to"][0]["email"] == mail);
    const auto unsubscribe =
        body["personalizations"][0]["dynamic_template_data"]["unsubscribe_url"].get<std::string>();
    CHECK(unsubscribe.starts_with("https://shop.example/u/"));
    const auto intent = intent_in(shop.provider.bodies()[0]);

    const auto event = [&](const std::string& name, const std::string& id,
                           const std::string& more = "") {
        return R"([{"email":")" + std::string{mail} + R"(","timestamp":1700000000,"event":")" +
               name + R"(","sg_event_id":")" + id + R"(","intent":")" + intent + '"' + more + "}]";
    };
    CHECK(shop.report(event("delivered", "e1")).status == 200);
    CHECK(shop.ask("POST", "/v1/feedback/email", event("bounce", "e2")).status == 401);
    CHECK(shop.ask("POST", "/v1/feedback/pigeon", "{}").status == 404);
    CHECK(shop.report("{}").status == 400);
    CHECK(shop.report(event("bounce", "e3", R"(,"type":"bounce")")).status == 200);
    CHECK(shop.report(event("bounce", "e3", R"(,"type":"bounce")")).status == 200);

    shop.track("Signed Up");
    CHECK(shop.says("suppress", "suppressed"));
    CHECK(shop.provider.bodies().size() == 1);
}

TEST_CASE(
    "a message that is refused for its address was not accepted, and the address is done with",
    "[.postgres]") {
    ProviderShop shop;
    shop.message(
        {{"type", "identify"},
         {"userId", "ada"},
         {"traits",
          {{"email", mail},
           {"marketing_consent", {{"post", {{"state", "subscribed"}, {"confirmed", true}}}}}}}});
    shop.provider.answer("422 Unprocessable Entity\r\n", R"({"ErrorCode":406,"Message":"no"})");
    shop.track("Write Me");
    CHECK(shop.says("suppress", "provider_rejected"));
    REQUIRE(ProviderShop::comes([&] {
        return shop.admin("GET", "/admin/customers/ada/text").body.find("post no (") !=
               std::string::npos;
    }));
    shop.track("Write Me");
    CHECK(shop.says("suppress", "suppressed"));
    CHECK(shop.provider.bodies().size() == 1);
    const auto database = must(open_database(shop.folder.path() / "sojourn.yaml"));
    DatabaseSession session{database.conninfo};
    const auto states = must(session.run([](pqxx::work& work) {
        return work
            .exec1("SELECT string_agg(DISTINCT state, ' ') FROM outbox WHERE channel = 'post' AND "
                   "state <> 'recalled'")[0]
            .as<std::string>();
    }));
    CHECK(states == "rejected");
}

TEST_CASE("after an acknowledged STOP nobody texts the number, not even as another customer",
          "[.postgres]") {
    ProviderShop shop;
    shop.provider.answer("201 Created\r\n");
    shop.identify();
    shop.track("Text Me");
    REQUIRE(shop.provider.has(1));
    REQUIRE(shop.stop("stop").status == 200);
    shop.track("Text Me");
    CHECK(shop.says("suppress", "consent"));
    shop.message({{"type", "identify"}, {"userId", "bob"}, {"traits", {{"phone", phone}}}});
    shop.message({{"type", "track"}, {"userId", "bob"}, {"event", "Text Me"}});
    CHECK(ProviderShop::comes([&] {
        const auto lines =
            json::parse(shop.admin("GET", "/v1/customers/bob/timeline").body)["timeline"];
        return std::ranges::any_of(
            lines, [](const json& line) { return line.value("kind", "") == "suppress"; });
    }));
    CHECK(shop.provider.bodies().size() == 1);
    const auto reach_of_bob = [&](const std::string& part) {
        return shop.admin("GET", "/admin/customers/bob/text").body.find(part) != std::string::npos;
    };
    CHECK(reach_of_bob("sms no (suppressed: the address)")); // He himself has said nothing.
    REQUIRE(shop.stop("START").status == 200);
    CHECK(reach_of_bob("sms yes"));
    shop.track("Text Me");
    CHECK(shop.provider.has(2));
    CHECK(shop.stop("when do you open?").status == 200);
}

TEST_CASE("Braze's Currents: the sending settles an unknown, the rest is found by its dispatch",
          "[.postgres]") {
    ProviderShop shop;
    const auto currents = [&](const std::string& type, const json& properties) {
        static int number = 0;
        const json body{{"events",
                         {{{"id", "c" + std::to_string(++number)},
                           {"event_type", "users.messages." + type},
                           {"time", std::time(nullptr)}, // What is old enters nothing.
                           {"user", {{"external_user_id", "ada"}}},
                           {"properties", properties}}}}};
        return shop
            .ask("POST", "/v1/feedback/app", body.dump(), "Authorization: Bearer currents\r\n")
            .status;
    };
    const auto intent_of = [&](std::size_t request) -> std::string {
        return json::parse(shop.provider.bodies().at(
            request))["recipients"][0]["trigger_properties"]["sojourn_intent"];
    };
    const auto is_in_state = [&](const std::string& intent, const std::string& state) {
        const auto database = must(open_database(shop.folder.path() / "sojourn.yaml"));
        DatabaseSession session{database.conninfo};
        return ProviderShop::comes([&] {
            return must(session.run([&](pqxx::work& work) {
                       const auto rows = work.exec_params(
                           "SELECT state FROM outbox WHERE intent = $1::uuid", intent);
                       return rows.empty() ? std::string{} : rows[0][0].as<std::string>();
                   })) == state;
        });
    };
    shop.identify();
    shop.provider.answer("500 Internal Server Error\r\n");
    shop.track("Tell Me");
    REQUIRE(shop.provider.has(1));
    const auto lost = intent_of(0);
    REQUIRE(is_in_state(lost, "unknown"));
    // Without our word in it nothing says which message it was.
    CHECK(currents("email.Send", {{"dispatch_id", "d0"}}) == 200);
    CHECK(currents("email.Delivery", {{"dispatch_id", "d0"}}) == 200);
    CHECK(is_in_state(lost, "unknown"));
    CHECK(currents("email.Send", {{"dispatch_id", "d0"},
                                  {"message_extras", R"({"sojourn_intent":")" + lost + "\"}"}}) ==
          200);
    CHECK(is_in_state(lost, "accepted"));
    CHECK(shop.admin("GET", "/v1/customers/ada").body.find("delivered") == std::string::npos);

    shop.provider.answer("201 Created\r\n", R"({"message":"success","dispatch_id":"d1"})");
    shop.track("Tell Me");
    REQUIRE(shop.provider.has(2));
    const auto taken = intent_of(1);
    REQUIRE(is_in_state(taken, "accepted"));
    CHECK(currents("email.Delivery", {{"dispatch_id", "d1"}}) == 200);
    CHECK(ProviderShop::comes([&] {
        return shop.admin("GET", "/v1/customers/ada").body.find("\"journey\":\"delivered\"") !=
               std::string::npos;
    }));
}

} // namespace runtime::test
