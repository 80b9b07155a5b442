// The catalogue of products through the whole service.

#include "runtime/commands/commands.hpp"
#include "runtime/imports/import_rows.hpp"
#include "runtime/imports/import_sender.hpp"
#include "runtime/listener/webhook_source.hpp"
#include "runtime/product_catalogue.hpp"
#include "tests/runtime/service_fixture.hpp"
#include "tests/support/files.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <sstream>

namespace runtime::test {
namespace {

using nlohmann::json;

constexpr auto journey_text = R"(
id: alert
status: live
enter: { on: Product Viewed, key: event.properties.product_id, reentry: always }
steps:
  - name: a-moment
    wait: { for: 1s }
  - name: mail
    send:
      channel: email
      template: alert
      purpose: transactional
      when: product(run.key).stock > 0
      data:
        name: product(run.key).name
        price: product(run.key).price
)";

std::string product(ServiceFolder& folder, const std::string& id) {
    return folder.ask("GET", "/v1/products/" + id);
}

} // namespace

TEST_CASE("a message tells the price and stock of the moment at which it is handed over",
          "[.postgres]") {
    ServiceFolder folder;
    folder.write("journeys/alert.yaml", journey_text);
    folder.write("templates/alert.mustache", "---\nsubject: x\n---\n{{name}}: {{price}}");
    folder.start();
    auto [status, body] =
        folder.post("/v1/products", R"([{"product_id":"p1","name":"Lamp","price":30,"stock":2},
                                        {"product_id":"p2","stock":0},{"price":1}])");
    CHECK(status == 200);
    CHECK(json::parse(body) == json::parse(R"({"changed":2,"out_of_date":0,"rejected":[{"index":2,
                        "error":"product_id is missing, or no text of 1 to 256 bytes"}]})"));
    folder.post("/v1/products", R"({"product_id":"p1","price":"19.90"})");
    CHECK(folder.post("/v1/products", R"({"price":1})").first == 400);
    CHECK(folder.post("/v1/products", "[").first == 400);
    folder.post("/v1/identify", R"({"type":"identify","userId":"ada",
                                    "traits":{"email":"ada@example.com"}})");
    for (const auto* id : {"p1", "p2", "p3"})
        folder.post(
            "/v1/track",
            R"({"type":"track","event":"Product Viewed","userId":"ada","properties":{"product_id":")" +
                std::string{id} + "\"}}");
    folder.wait_for_customer("ada", "p3");
    const auto sent = folder.wait_for_customer("ada/timeline", "\"kind\":\"send\"");
    CHECK(sent.find("19.9") != std::string::npos);
    CHECK(sent.find("Lamp") != std::string::npos);
    const auto all = folder.wait_for_customer("ada/timeline", "condition");
    CHECK(all.find("\"kind\":\"suppress\"") != std::string::npos);

    // It is durable, and older words change nothing.
    folder.stop();
    folder.start();
    CHECK(json::parse(product(folder, "p1")) ==
          json::parse(R"({"id":"p1","name":"Lamp","price":19.9,"stock":2})"));
    const auto late = folder.post(
        "/v1/products", R"({"product_id":"p1","stock":9,"updated_at":"2020-01-01T00:00:00Z"})");
    CHECK(json::parse(late.second)["out_of_date"] == 1);
    CHECK(json::parse(product(folder, "p1"))["stock"] == 2);
    folder.stop();
}

TEST_CASE("products are imported from a table, and come by a shop's webhook", "[.postgres]") {
    ServiceFolder folder{"sources: { shopify: { type: shopify, secret: s3cret } }\n"};
    folder.start();
    std::istringstream text{"product_id,price,stock,available,colour\np1,12.50,3,true,red\n"
                            "p2,,many,,\np3,7,,,\n"};
    auto table = schema::CsvReader::open(text);
    REQUIRE(table.has_value());
    auto rows = open_import("products", *table, {}, journeys::timestamp_max);
    REQUIRE(rows.has_value());
    std::vector<std::string> refused;
    ImportSender sender{folder.socket(),
                        [&](std::uint64_t line, const std::string& why) {
                            refused.push_back(std::to_string(line) + ": " + why);
                        },
                        "/v1/products", "products"};
    while (table->next() == schema::CsvReader::Row::read) {
        std::string made;
        if (const auto appended = (*rows)->append(*table, made))
            sender.add(table->line(), made, *appended);
        else
            refused.push_back(std::to_string(table->line()) + ": " + appended.error().detail);
    }
    CHECK(sender.finish().has_value());
    CHECK(refused == std::vector<std::string>{"3: stock is a whole number"});
    CHECK(json::parse(product(folder, "p1")) ==
          json::parse(R"({"id":"p1","price":12.5,"stock":3,"available":true,
                          "properties":{"colour":"red"}})"));
    CHECK(json::parse(product(folder, "p3")) == json::parse(R"({"id":"p3","price":7})"));

    const auto body =
        support::read_file(support::source_path("tests/data/shopify/products_update.json"));
    const auto answer = folder.post("/v1/sources/shopify", body,
                                    "X-Shopify-Topic: products/update\r\nX-Shopify-Hmac-Sha256: " +
                                        sign_body("s3cret", body) + "\r\n");
    CHECK(answer.first == 200);
    CHECK(json::parse(product(folder, "632910392"))["stock"] == 3);
    folder.stop();
}

TEST_CASE("a catalogue has a bound, and takes a batch whole or not at all", "[.postgres]") {
    ServiceFolder folder;
    folder.start();
    const auto large = [](const std::string& name) {
        return R"({"product_id":"p1",")" + name + R"(":")" + std::string(15'000, 'x') + "\"}";
    };
    for (const auto* name : {"a", "b", "c", "d"})
        CHECK(folder.post("/v1/products", large(name)).first == 200);
    const auto [status, text] =
        folder.post("/v1/products", R"([{"product_id":"p2"},)" + large("e") + "]");
    CHECK(status == 400);
    CHECK(text.find("more than 64 KiB") != std::string::npos);
    CHECK_FALSE(json::parse(product(folder, "p1"))["properties"].contains("e"));
    folder.stop();
}

} // namespace runtime::test
