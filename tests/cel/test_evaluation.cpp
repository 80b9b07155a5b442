#include "tests/cel/world.hpp"

#include <cstdlib>
#include <new>

#include <catch2/catch.hpp>

using namespace world;

namespace {
std::size_t allocations = 0;
}

// Counted in this whole program; a test reads the difference.
void* operator new(std::size_t bytes) {
    ++allocations;
    if (void* const made = std::malloc(bytes)) return made;
    throw std::bad_alloc{};
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(bytes);
}
void operator delete(void* made) noexcept { std::free(made); }
void operator delete(void* made, std::size_t) noexcept { std::free(made); }

TEST_CASE("records, host lists and packed data are read in place", "[cel]") {
    const World world;
    CHECK(world.text("event.name") == "\"Product Added\"");
    CHECK(world.text("event.properties.price") == "19.9");
    CHECK(world.text("event['properties']['quantity']") == "2");
    CHECK(world.text("event.properties.sizes[1]") == "42.5");
    CHECK(world.text("event.properties.sizes.map(s, s + 1)") == "[42, 43.5]");
    CHECK(world.text("event.properties.exists(k, v, k == 'url' && v.contains('shoes'))") == "true");
    CHECK(world.text("size(cart.items)") == "2");
    CHECK(world.text("cart.items.filter(i, i.quantity > 1)[0].price") == "25.0");
    CHECK(world.text("cart.items[5].price") == "error: index out of range");
    CHECK(world.text("consent.email") == "\"subscribed\"");
    CHECK(world.text("consent.sms") == "null");
    CHECK(world.text("'email' in consent && !('sms' in consent)") == "true");
    CHECK(world.text("dyn(cart).items.size()") == "2");
    CHECK(world.text("now - customer.first_seen == days(1)") == "true");
    CHECK(world.text("type(cart) == type(cart)") == "true");
}

TEST_CASE("numbers of JSON are computed in double unless the numbers are strict", "[cel]") {
    World world;
    CHECK(world.text("event.properties.price * event.properties.quantity") == "39.8");
    CHECK(world.text("event.properties.quantity * 2") == "4");
    CHECK(world.text("cart.value + 1") == "85.9");
    CHECK(world.text("2u * 1.5") == "3.0");
    CHECK(world.text("math.round(event.properties.quantity)") == "2.0");
    CHECK(world.text("1 + 1u").find("no meaning for int and uint") != std::string::npos);
    world.environment.strict_numbers = true;
    CHECK(world.text("event.properties.price * event.properties.quantity").starts_with("error:"));
    CHECK(world.text("cart.value + 1").find("write double(number)") != std::string::npos);
    CHECK(world.text("days(1)").find("no function days") != std::string::npos);
}

TEST_CASE("what is missing is null, and null meets no condition", "[cel]") {
    World world;
    CHECK(world.text("event.properties.nothing") == "null");
    CHECK(world.text("event.properties.nothing.further['x']") == "null");
    CHECK(world.text("event.properties.nothing == null") == "true");
    CHECK(world.text("event.properties.nothing > 3").starts_with("error:"));
    CHECK(world.text("event.properties.nothing > 3 || true") == "true");
    CHECK(world.text("customer.churn_risk > 0.6").starts_with("error:"));
    CHECK(world.text("has(event.properties.none)") == "true");
    CHECK(world.text("has(event.properties.nothing)") == "false");
    CHECK(world.text("has(event.properties.nothing.further)") == "false");
    CHECK(world.text("event.properties.?nothing.orValue(7)") == "7");
    CHECK(world.text("date(customer.traits.birthday)") == "null");
    world.environment.missing_is_null = false;
    CHECK(world.text("event.properties.nothing") == "error: no such key: nothing");
    CHECK(world.text("has(event.properties.nothing)") == "false");
}

TEST_CASE("host functions get checked arguments and their context", "[cel]") {
    World world;
    world.factor = 10;
    CHECK(world.text("count('abc', '7d')") == "30");
    CHECK(world.text("count(event.properties.url, '7d') > 0") == "true");
    CHECK(world.text("count(event.properties.price, '7d')") ==
          "error: count does not take values of these kinds");
}

TEST_CASE("values are written as packed JSON", "[cel]") {
    const World world;
    Arena arena;
    const auto json = [&](const std::string& source) {
        PackedWriter writer;
        append_packed(writer, world.run(source, arena));
        const auto bytes = writer.take();
        CHECK(PackedView::validate(bytes));
        return to_json(PackedView{bytes});
    };
    CHECK(json("{'a': [1, 2.5, null], 2: now, 'b': duration('1500ms'), 'c': b'hi', 'd': 3u}") ==
          R"({"a":[1,2.5,null],"2":"2023-11-15T22:13:20Z","b":"1.5s","c":"aGk=","d":3})");
    CHECK(json("cart.items") == R"([{"price":10,"quantity":1,"weight":1.25,"name":"hat"},)"
                                R"({"price":25,"quantity":3,"weight":0.25,"name":"coat"}])");
    CHECK(json("event.properties.sizes") == "[41,42.5]");
}

TEST_CASE("every limit ends the evaluation in an error", "[cel]") {
    const World world;
    const std::string ten = "[0,1,2,3,4,5,6,7,8,9]";
    std::string bomb = "true";
    for (int i = 0; i < 12; ++i) {
        bomb = ten + ".all(x" + std::to_string(i) + ", " + bomb + ")";
    }
    CHECK(world.text(bomb) == "error: the expression takes too many steps");
    std::string growth = "['0123456789']";
    for (int i = 0; i < 20; ++i) growth = "cel.bind(a, " + growth + ", a + a)";
    CHECK(world.text(growth) == "error: the result is too large");
    std::string text = "'0123456789'";
    for (int i = 0; i < 20; ++i) text = "cel.bind(a, " + text + ", a + a)";
    CHECK(world.text(text) == "error: the result is too large");
    CHECK(world.text("'%s'.format([1, 2, 3]) + 'aaaaaaaaaa'", {.result_bytes = 4}) ==
          "error: the result is too large");
    CHECK(world.text("[1, 2, 3].all(x, x > 0)", {.steps = 3}) == "true");
    CHECK(world.text("[1, 2, 3].all(x, x > 0)", {.steps = 2}) ==
          "error: the expression takes too many steps");
}

TEST_CASE("a value that holds itself many times over is written out only so far", "[cel]") {
    const World world;
    Arena arena;
    std::string source = "a39";
    for (int i = 39; i > 0; --i) {
        const auto before = i == 1 ? std::string{"1"} : "a" + std::to_string(i - 1);
        source = "cel.bind(a" + std::to_string(i) + ", [" + before + ", " + before + "], " +
                 source + ")";
    }
    const auto value = world.run(source, arena);
    REQUIRE(value.is(Kind::list));
    PackedWriter writer;
    append_packed(writer, value);
    CHECK(writer.bytes().size() < std::size_t{5} << 20);
    CHECK(PackedView::validate(writer.bytes()));
    CHECK(to_text(value).size() < std::size_t{5} << 20);
    arena.reset();
    const auto bound = "cel.bind(x, " + source + ", x == x)";
    CHECK(world.text(bound) == "error: the expression takes too many steps");
    CHECK(world.text("cel.bind(x, " + source + ", '%s'.format([x]))").starts_with("error: "));
}

TEST_CASE("what is nested too deep or too long is refused", "[cel]") {
    const World world;
    const auto is_refused = [&](const std::string& source) {
        return !compile(source, world.environment).program;
    };
    const auto repeated = [](std::string_view part, int times) {
        std::string out;
        for (int i = 0; i < times; ++i) out += part;
        return out;
    };
    CHECK_FALSE(is_refused(repeated("(", 63) + "1" + repeated(")", 63)));
    CHECK(is_refused(repeated("(", 64) + "1" + repeated(")", 64)));
    CHECK(is_refused(repeated("(", 8000)));
    CHECK(is_refused(repeated("[", 8000)));
    CHECK(is_refused(repeated("-", 8000) + "1"));
    CHECK(is_refused(repeated("!", 8000) + "true"));
    CHECK(is_refused("1" + repeated(" + 1", 300)));
    CHECK_FALSE(is_refused("true" + repeated(" && true", 1500)));
    CHECK(is_refused("event" + repeated(".x", 4000)));
    CHECK(is_refused(repeated("true ? true : ", 1000) + "true"));
    CHECK(is_refused("'" + repeated("x", 20'000) + "'"));
}

TEST_CASE("a warm evaluation asks for no memory", "[cel]") {
    const World world;
    Arena arena;
    for (const std::string source :
         {R"(event.properties.value > 20.0 && customer.traits.country in ["DE", "AT"])",
          R"(event.properties.price > 15.0 && customer.traits.country in ["DE", "AT"])",
          "cart.items.exists(i, i.price * i.quantity > 50.0)",
          "cart.items.map(i, i.price * 2.0).size() == 2 && [1, 2] + [3] == [1, 2, 3]",
          "event.properties.url.startsWith('https://') && event.properties.url.matches('s[h]oes$')",
          "now - days(3) > customer.first_seen || now.getHours('Europe/Berlin') > 8",
          "count('Order Completed', '7d') > 3", "{'a': event.properties.sizes}.a.size() == 2"}) {
        INFO(source);
        const auto program = compile(source, world.environment, Expect::boolean).program;
        REQUIRE(program);
        const Activation activation{world.variables, &world.factor};
        for (int i = 0; i < 3; ++i) {
            arena.reset();
            program->evaluate(activation, arena);
        }
        const auto before = allocations;
        for (int i = 0; i < 100; ++i) {
            arena.reset();
            program->evaluate(activation, arena);
        }
        CHECK(allocations == before);
    }
}
