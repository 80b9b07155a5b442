/// What a shop passes on of people's rights, through the whole service: kept before it is
/// acknowledged, carried out, and carried on by the next process where one ends in the middle.
#include "runtime/database.hpp"
#include "runtime/database_session.hpp"
#include "runtime/listener/local_socket.hpp"
#include "runtime/listener/webhook_source.hpp"
#include "runtime/privacy_requests.hpp"
#include "tests/runtime/service_fixture.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

namespace runtime::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto shop = "lumen.example";

class ShopFolder : public ServiceFolder {
public:
    explicit ShopFolder(std::string_view more = "")
        : ServiceFolder{"sources: { lumen: { type: shopify, secret: hush }" + std::string{more} +
                        " }\n"} {
        write("sojourn.yaml", text_of_config());
    }

    int deliver(const std::string& topic, const json& payload, const std::string& id) {
        const auto body = payload.dump();
        return post("/v1/sources/lumen", body,
                    "X-Shopify-Topic: " + topic + "\r\nX-Shopify-Webhook-Id: " + id +
                        "\r\nX-Shopify-Shop-Domain: " + shop +
                        "\r\nX-Shopify-Hmac-Sha256: " + sign_body("hush", body) + "\r\n")
            .first;
    }
    /// A customer of the shop's, with an order.
    void order(int customer, const std::string& mail) {
        const json payload{{"id", 9000 + customer},
                           {"cart_token", "cart" + std::to_string(customer)},
                           {"email", mail},
                           {"customer", {{"id", customer}, {"email", mail}, {"first_name", "Ada"}}},
                           {"total_price", "20.00"},
                           {"currency", "EUR"},
                           {"created_at", "2026-11-20T11:10:00+01:00"}};
        REQUIRE(deliver("orders/create", payload, "order-" + std::to_string(customer)) == 200);
        wait_for_customer("shopify:" + std::to_string(customer), "\"orders\":1");
    }
    json requests(const std::string& query = "") {
        auto list = json::array();
        std::istringstream lines{ask("GET", "/admin/privacy?json=1" + query)};
        for (std::string line; std::getline(lines, line);) list.push_back(json::parse(line));
        return list;
    }
    bool comes_to_rest() {
        for (int i = 0; i < 600; ++i) {
            if (requests().empty()) return true;
            std::this_thread::sleep_for(50ms);
        }
        return false;
    }
    bool is_known(const std::string& id) const {
        return ask_service(socket(), "GET", "/v1/customers/" + id).has_value();
    }
    /// Tables of ours that hold `text`, as it is or as bytes.
    std::string tables_with(const std::string& text) const {
        const auto database = must(open_database(config()));
        DatabaseSession session{database.conninfo};
        return must(session.run([&](pqxx::work& work) {
            std::string found;
            for (const auto& table : work.exec("SELECT tablename FROM pg_tables WHERE schemaname = "
                                               "'public' AND tablename NOT LIKE 'log\\_2%'")) {
                const auto name = table[0].as<std::string>();
                const auto rows = work.exec_params1(
                    "SELECT count(*) FROM " + name +
                        " t WHERE position($1 IN t::text) > 0 OR "
                        "position(encode(convert_to($1, 'UTF8'), 'hex') IN t::text) > 0",
                    text);
                if (rows[0].as<int>() > 0) found += name + ' ';
            }
            return found;
        }));
    }

private:
    std::string text_of_config() const {
        std::ifstream file{config()};
        std::string text{std::istreambuf_iterator<char>{file}, {}};
        const auto at = text.find("data_dir: data");
        return text.replace(at, 14, "data_dir: data, checkpoint: 1s");
    }
};

json redaction(int customer, const std::string& mail) {
    return {{"shop_id", 1},
            {"shop_domain", shop},
            {"customer", {{"id", customer}, {"email", mail}, {"phone", nullptr}}},
            {"orders_to_redact", {9000 + customer}}};
}

} // namespace

TEST_CASE("a shop's redaction erases its customer by itself, and is on record", "[.postgres]") {
    ShopFolder folder;
    folder.start();
    folder.order(1, "ada@example.com");
    folder.order(2, "eve@example.com");
    folder.post("/v1/track", R"({"broken": "ada@example.com")");
    CHECK_FALSE(folder.tables_with("ada@example.com").empty());

    REQUIRE(folder.deliver("customers/redact", redaction(1, "ada@example.com"), "r-1") == 200);
    REQUIRE(folder.deliver("customers/redact", redaction(1, "ada@example.com"), "r-1") == 200);
    REQUIRE(folder.comes_to_rest());
    CHECK(folder.tables_with("ada@example.com") == "");
    CHECK(folder.tables_with("shopify:1") == "");
    CHECK_FALSE(folder.is_known("shopify:1"));
    CHECK_FALSE(folder.is_known("token:shopify-cart-cart1"));
    CHECK(folder.is_known("shopify:2"));
    const auto done = folder.requests("&all=1");
    REQUIRE(done.size() == 1); // A delivery that comes again is the same request.
    CHECK(done[0]["state"] == "done");
    CHECK(done[0]["subjects"].empty());
    CHECK(done[0]["orders"].empty());

    const auto audit = folder.ask("GET", "/admin/audit");
    CHECK(audit.find("source lumen  privacy.requested  request 1  erase") != std::string::npos);
    CHECK(audit.find("lumen  customer.erased") != std::string::npos);
    CHECK(audit.find("ada@") == std::string::npos);

    // Nobody whom anybody knows: done all the same, whatever the delivery is called.
    REQUIRE(folder.deliver("customers/redact", redaction(77, "none@example.com"), "r-\xff'2") ==
            200);
    CHECK(folder.comes_to_rest());
    // A body of another topic, with the header of this one.
    const json order{{"id", 9002}, {"customer", {{"id", 2}}}, {"email", "eve@example.com"}};
    CHECK(folder.deliver("customers/redact", order, "r-3") == 200);
    CHECK(folder.requests("&all=1").size() == 2);
    CHECK(folder.is_known("shopify:2"));
    folder.stop();
    folder.start(); // The log replays, and brings nobody back.
    CHECK_FALSE(folder.is_known("shopify:1"));
    CHECK(folder.is_known("shopify:2"));
    folder.stop();
}

TEST_CASE("an acknowledged redaction is carried out by the next process", "[.postgres]") {
    ShopFolder folder;
    folder.start();
    folder.order(1, "ada@example.com");
    folder.order(2, "eve@example.com");
    folder.stop();
    const auto connection = must(open_database(folder.config()));
    const auto keep = [&](std::vector<std::string> subjects) {
        PrivacyRequests requests{connection.conninfo};
        schema::PrivacyRequest request{.request = "late",
                                       .kind = schema::PrivacyKind::erase,
                                       .shop = shop,
                                       .subjects = std::move(subjects),
                                       .orders = {}};
        REQUIRE(must(requests.add(request, "lumen", journeys::from_millis(1'795'435'200'000))));
    };
    SECTION("which ended before it began") { keep({"shopify:1"}); }
    SECTION("which ended when the erasure was applied, and the log not overwritten") {
        keep({"shopify:1", "email:ada@example.com", "token:shopify-cart-cart1",
              "token:shopify-order-9001"});
        DatabaseSession session{connection.conninfo};
        must(session.run([](pqxx::work& work) {
            for (const auto* table : {"snapshots", "timeline", "outbox"})
                work.exec("DELETE FROM " + std::string{table} +
                          " WHERE customer IN ('shopify:1', 'email:ada@example.com', "
                          "'token:shopify-cart-cart1', 'token:shopify-order-9001')");
        }));
    }
    CHECK(folder.tables_with("ada@example.com").find("log ") != std::string::npos);
    folder.start();
    CHECK(folder.comes_to_rest());
    CHECK(folder.tables_with("ada@example.com") == "");
    CHECK_FALSE(folder.is_known("shopify:1"));
    CHECK(folder.is_known("shopify:2"));
    folder.stop();
}

TEST_CASE("who was called by more ids than are remembered leaves none of them behind",
          "[.postgres]") {
    ShopFolder folder;
    folder.write("sojourn.yaml", [&] {
        std::ifstream file{folder.config()};
        return std::string{std::istreambuf_iterator<char>{file}, {}} +
               "identity: { links_per_id: 1000 }\n";
    }());
    folder.start();
    constexpr int carts = 100; // 64 ids are remembered.
    std::vector<std::string> frames;
    for (int i = 0; i < carts; ++i)
        frames.push_back(R"({"type":"track","event":"Cart Viewed","messageId":"m)" +
                         std::to_string(i) +
                         R"(","context":{"externalIds":[{"type":"email","id":"ada@example.com"},)"
                         R"({"type":"token","id":"t)" +
                         std::to_string(i) + R"("}]}})");
    CHECK(folder.send(frames).accepted == carts);
    folder.wait_for_customer("token:t" + std::to_string(carts - 1), "ada@");
    // Other links are still on their way.
    folder.ask("DELETE", "/v1/customers/email:ada@example.com");
    CHECK(folder.tables_with("ada@example.com") == "");
    for (const int i : {0, 1, carts / 2, carts - 1})
        CHECK_FALSE(folder.is_known("token:t" + std::to_string(i)));
    folder.stop();
}

TEST_CASE("a request for data waits for its answer, which names all that the ids reach",
          "[.postgres]") {
    ShopFolder folder;
    folder.start();
    folder.order(1, "ada@example.com");
    auto asked = redaction(1, "other@example.com");
    asked["orders_requested"] = asked["orders_to_redact"];
    folder.post("/v1/identify",
                R"({"type":"identify","context":{"externalIds":[)"
                R"({"type":"email","id":"other@example.com"}]},"traits":{"plan":"gold"}})");
    folder.wait_for_customer("email:other@example.com", "gold");
    REQUIRE(folder.deliver("customers/data_request", asked, "d-1") == 200);
    const auto open = folder.requests();
    REQUIRE(open.size() == 1);
    CHECK(open[0]["kind"] == "export");
    CHECK(open[0]["subjects"][0] == "shopify:1");
    const auto path = "/admin/privacy/" + std::to_string(open[0]["number"].get<int>());
    const auto text = folder.ask("GET", "/admin/privacy");
    CHECK(text.find("export  lumen lumen.example  shopify:1 email:other@example.com") !=
          std::string::npos);
    CHECK(text.find("due ") != std::string::npos);

    const auto answer = json::parse(folder.ask("GET", path + "/export"));
    REQUIRE(answer["customers"].size() == 2);
    CHECK(answer["customers"][0].dump().find("ada@example.com") != std::string::npos);
    CHECK(answer["customers"][1].dump().find("gold") != std::string::npos);
    CHECK(folder.requests().size() == 1); // Until somebody has sent it.
    CHECK_FALSE(ask_service(folder.socket(), "GET", "/admin/privacy/99/export").has_value());
    CHECK_FALSE(ask_service(folder.socket(), "GET", "/admin/privacy/x/export").has_value());
    CHECK_FALSE(
        ask_service(folder.socket(), "POST", path + "/erase-shop?shop=lumen.example").has_value());
    folder.ask("POST", path + "/done");
    CHECK(folder.requests().empty());
    CHECK(folder.requests("&all=1")[0]["subjects"].empty());
    CHECK_FALSE(ask_service(folder.socket(), "POST", path + "/done").has_value());
    const auto audit = folder.ask("GET", "/admin/audit");
    CHECK(audit.find("operator  customer.exported") != std::string::npos);
    CHECK(audit.find("operator  privacy.done  request 1") != std::string::npos);

    // Who is erased before they were answered has nothing left to be told.
    REQUIRE(folder.deliver("customers/data_request", asked, "d-2") == 200);
    folder.ask("DELETE", "/v1/customers/shopify:1");
    CHECK(folder.requests().empty());
    folder.stop();
}

TEST_CASE("a whole shop is erased once somebody repeats its name, and nobody else with it",
          "[.postgres]") {
    ShopFolder folder;
    folder.start();
    for (int i = 1; i <= 5; ++i) folder.order(i, "c" + std::to_string(i) + "@example.com");
    folder.post("/v1/identify", R"({"type":"identify","userId":"own","traits":{"plan":"gold"}})");
    folder.wait_for_customer("own", "gold");
    REQUIRE(folder.deliver("shop/redact", {{"shop_id", 1}, {"shop_domain", shop}}, "s-1") == 200);
    std::this_thread::sleep_for(300ms);
    REQUIRE(folder.requests().size() == 1); // Nothing happens by itself.
    CHECK(folder.is_known("shopify:1"));
    const auto refused =
        ask_service(folder.socket(), "POST", "/admin/privacy/1/erase-shop?shop=other.example");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().detail.find("sojourn privacy --erase-shop 1 --shop lumen.example") !=
          std::string::npos);
    CHECK(folder.requests()[0]["state"] == "open");

    SECTION("in one go") {}
    SECTION("and the process ends as soon as it is confirmed") {
        folder.ask("POST", "/admin/privacy/1/erase-shop?shop=lumen.example");
        folder.stop();
        folder.start();
    }
    if (!folder.requests().empty() && folder.requests()[0]["state"] == "open")
        folder.ask("POST", "/admin/privacy/1/erase-shop?shop=lumen.example");
    CHECK(folder.comes_to_rest());
    for (int i = 1; i <= 5; ++i) {
        CHECK_FALSE(folder.is_known("shopify:" + std::to_string(i)));
        CHECK(folder.tables_with("c" + std::to_string(i) + "@example.com") == "");
    }
    CHECK(folder.tables_with("shopify-") == "");
    CHECK(folder.is_known("own"));
    const auto audit = folder.ask("GET", "/admin/audit");
    CHECK(audit.find("operator  shop.erasure_confirmed  request 1  lumen.example") !=
          std::string::npos);
    CHECK(audit.find("lumen  shop.erased  request 1") != std::string::npos);
    folder.stop();
}

TEST_CASE("of two shops of one type neither is erased as a whole", "[.postgres]") {
    ShopFolder folder{", other: { type: shopify, secret: hush }"};
    folder.start();
    folder.order(1, "ada@example.com");
    REQUIRE(folder.deliver("shop/redact", {{"shop_id", 1}, {"shop_domain", shop}}, "s-1") == 200);
    const auto refused =
        ask_service(folder.socket(), "POST", "/admin/privacy/1/erase-shop?shop=lumen.example");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().detail.find("more than one source") != std::string::npos);
    CHECK(folder.is_known("shopify:1"));
    folder.ask("POST", "/admin/privacy/1/done");
    CHECK(folder.requests().empty());
    folder.stop();
}

} // namespace runtime::test
