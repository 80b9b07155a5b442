/// What shops say of products.
#include "journeys/packed.hpp"
#include "schema/product_json.hpp"
#include "schema/stock_level.hpp"
#include "schema/timestamp_text.hpp"

#include <catch2/catch.hpp>

using journeys::PackedView;
using journeys::to_json;
using schema::products_from_json;

namespace {

std::string fields_of(std::string_view json) {
    const auto body = products_from_json(json);
    REQUIRE(body.has_value());
    if (!body->refused.empty()) return "refused: " + body->refused[0].why;
    REQUIRE(body->products.size() == 1);
    return to_json(PackedView{body->products[0].fields});
}

} // namespace

TEST_CASE("a product has fields of its own, and properties for the rest", "[products]") {
    CHECK(fields_of(R"({"product_id": 7, "price": "19.90", "stock": 3, "available": true,
                        "colour": "red", "properties": {"size": "L", "colour": "blue"}})") ==
          R"({"id":"7","price":19.9,"stock":3,"available":true,)"
          R"("properties":{"colour":"red","size":"L"}})");
    CHECK(fields_of(R"({"id": "p1", "price": null})") == R"({"id":"p1","price":null})");
    const auto at = products_from_json(R"({"id":"p1","updated_at":"2026-11-20T05:59:00-05:00"})");
    CHECK(at->products.at(0).said_at == schema::parse_producer_time("2026-11-20T10:59:00Z"));
    CHECK(at->is_one);
}

TEST_CASE("a product, a list and an object with a list are read; a wrong one costs itself",
          "[products]") {
    const auto body = products_from_json(
        R"({"products":[{"id":"a","stock":1},{"id":"b","stock":"many"},{"stock":1},7,{"id":"c"}]})");
    REQUIRE(body.has_value());
    CHECK_FALSE(body->is_one);
    REQUIRE(body->products.size() == 2);
    CHECK(body->products[1].id == "c");
    REQUIRE(body->refused.size() == 3);
    CHECK(body->refused[0].index == 1);
    CHECK(body->refused[0].why == "stock is a whole number");
    CHECK(body->refused[1].why == "product_id is missing, or no text of 1 to 256 bytes");
    CHECK(body->refused[2].index == 3);
    CHECK(products_from_json(R"([{"id":"a"}])")->products.size() == 1);
}

TEST_CASE("what no product may say is refused by name", "[products]") {
    CHECK(fields_of(R"({"id":"a","price":-1})") ==
          "refused: price is a number from 0 on, in units of the currency");
    CHECK(fields_of(R"({"id":"a","price":"19,90"})") ==
          "refused: price is a number from 0 on, in units of the currency");
    CHECK(fields_of(R"({"id":"a","price":"nan"})") ==
          "refused: price is a number from 0 on, in units of the currency");
    CHECK(fields_of(R"({"id":"a","stock":1.5})") == "refused: stock is a whole number");
    CHECK(fields_of(R"({"id":"a","stock":1e300})") == "refused: stock is a whole number");
    CHECK(fields_of(R"({"id":"a","available":"yes"})") == "refused: available is true or false");
    CHECK(fields_of(R"({"id":"a","name":1})") == "refused: name is a text");
    CHECK(fields_of(R"({"id":"a","updated_at":"soon"})") ==
          "refused: updated_at is no time such as 2026-11-27T08:00:00Z");
    CHECK(fields_of(R"({"id":"a\u0000b"})").starts_with("refused"));
    CHECK(fields_of("{\"id\":\"" + std::string(256, 'x') + "\"}").starts_with("{"));
    CHECK(fields_of("{\"id\":\"" + std::string(257, 'x') + "\"}").starts_with("refused"));
    CHECK_FALSE(products_from_json("{").has_value());
    CHECK_FALSE(products_from_json("7").has_value());
}

TEST_CASE("a body and a product are bounded", "[products]") {
    const auto many = [](std::size_t count) {
        std::string text = "[";
        for (std::size_t i = 0; i < count; ++i) text += (i ? ",{\"id\":1}" : "{\"id\":1}");
        return text + "]";
    };
    CHECK(products_from_json(many(schema::products_per_body)).has_value());
    CHECK_FALSE(products_from_json(many(schema::products_per_body + 1)).has_value());
    const auto large = [](std::size_t bytes) {
        return R"({"id":"a","text":")" + std::string(bytes, 'x') + "\"}";
    };
    CHECK(fields_of(large(schema::product_bytes_max - 100)).starts_with("{"));
    CHECK(fields_of(large(schema::product_bytes_max)) ==
          "refused: a product has at most 16 KiB; this one has more");
}

TEST_CASE("what is not said stays, and null takes it back", "[products]") {
    const auto fields = [](std::string_view json) {
        return products_from_json(json)->products.at(0).fields;
    };
    auto product = schema::changed_product(
        "", fields(R"({"id":"a","price":20,"stock":1,"colour":"red","size":"L"})"));
    product = schema::changed_product(product, fields(R"({"id":"a","stock":0,"colour":null})"));
    CHECK(to_json(PackedView{product}) ==
          R"({"id":"a","price":20,"stock":0,"properties":{"size":"L"}})");
    product = schema::changed_product(product, fields(R"({"id":"a","price":null})"));
    CHECK(to_json(PackedView{product}) == R"({"id":"a","stock":0,"properties":{"size":"L"}})");
}

TEST_CASE("levels of single places make a product's stock as far as they can", "[products]") {
    std::string product = products_from_json(R"({"id":"p1","stock":0})")->products[0].fields;
    const auto stock_after = [&](const std::string& place, std::int64_t available) {
        const auto change = schema::change_by(product, {"a1", place, available, {}});
        CHECK(change.id == "p1");
        product = schema::changed_product(product, change.fields);
        return PackedView{product}.find("stock").as_int();
    };
    CHECK(stock_after("berlin", 4) == 4); // There are four at least.
    CHECK(stock_after("berlin", 1) == 1); // They were all.
    CHECK(stock_after("wien", 2) == 3);
    CHECK(stock_after("berlin", 0) == 2);

    // The product says that there are more, at places of which nothing was told.
    product = schema::changed_product(
        product, products_from_json(R"({"id":"p1","stock":9})")->products[0].fields);
    CHECK(stock_after("wien", 1) == 9); // It will say itself that one has gone.
    product = schema::changed_product(
        product, products_from_json(R"({"id":"p1","stock":0})")->products[0].fields);
    CHECK(stock_after("wien", 0) == 0);
    CHECK(stock_after("graz", 5) == 5);
}
