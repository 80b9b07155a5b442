/// Conditions over records in memory say what the same conditions say of values.
#include "journeys/cel/checker.hpp"
#include "journeys/cel/parser.hpp"
#include "journeys/cel/record_condition.hpp"
#include "tests/cel/world.hpp"

#include <random>

#include <catch2/catch.hpp>

using namespace world;

namespace {

/// Whether `cart.items.exists(i, condition)` searches memory.
bool is_of_memory(const World& world, const std::string& condition) {
    const auto parsed = parse("cart.items.exists(i, " + condition + ")");
    REQUIRE(parsed.root);
    REQUIRE(check(*parsed.root, world.environment, Expect::any).faults.empty());
    return make_record_condition(*parsed.root->arguments[1], parsed.root->slot,
                                 world.environment) != nullptr;
}

class Conditions {
public:
    explicit Conditions(unsigned seed) : random_(seed) {}
    std::string boolean(int depth) {
        switch (pick(depth > 0 ? 7 : 4)) {
        case 0: return number(2) + comparison() + number(2);
        case 1: return "i.name" + std::string{pick(2) ? " == " : " != "} + text();
        case 2: return "i.name in [" + text() + ", " + text() + "]";
        case 3: return number(1) + comparison() + number(0);
        case 4: return "!(" + boolean(depth - 1) + ")";
        case 5: return "(" + boolean(depth - 1) + " && " + boolean(depth - 1) + ")";
        default: return "(" + boolean(depth - 1) + " || " + boolean(depth - 1) + ")";
        }
    }

private:
    unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
    std::string text() {
        static const char* const texts[] = {"'hat'", "'coat'", "''", "'a much longer name'"};
        return texts[pick(4)];
    }
    std::string comparison() {
        static const char* const signs[] = {" < ", " <= ", " > ", " >= ", " == ", " != "};
        return signs[pick(6)];
    }
    std::string number(int depth) {
        static const char* const leaves[] = {
            "i.price", "i.quantity", "i.weight", "i.price", "10",  "2.5",
            "0.0",     "-3",         "75.0",     "3u",      "1e3", "9223372036854775807"};
        static const char* const signs[] = {" + ", " - ", " * ", " / "};
        if (depth == 0 || pick(2) == 0) return leaves[pick(12)];
        return "(" + number(depth - 1) + signs[pick(4)] + number(depth - 1) + ")";
    }
    std::mt19937 random_;
};

} // namespace

TEST_CASE("the conditions that people put to carts are searched for in memory", "[cel]") {
    World world;
    for (const std::string condition :
         {"i.price * i.quantity > 900.0", "i.price > 20", "i.quantity >= 3", "i.name == 'coat'",
          "!(i.name in ['hat', 'coat']) && i.weight / 2.0 < 1.0",
          "i.price - 1 >= i.weight || i.quantity != 1"}) {
        INFO(condition);
        CHECK(is_of_memory(world, condition));
    }
    for (const std::string condition :
         {"i.quantity * 2 > 4", "i.name.startsWith('c')", "event.name == i.name",
          "i.price > now.getHours()", "i.quantity > i.quantity - 1",
          "i.quantity < 9223372036854775807"}) {
        INFO(condition); // May fail, needs more than memory, or is not exact in double.
        CHECK_FALSE(is_of_memory(world, condition));
    }
    world.environment.strict_numbers = true;
    CHECK_FALSE(is_of_memory(world, "i.price * 2.0 > 3"
                                    " && i.quantity > 1.5 && i.quantity * i.quantity > 1"));
    CHECK(is_of_memory(world, "i.price * 2.0 > 3"));
}

TEST_CASE("a condition says the same of memory and of values", "[cel]") {
    World world;
    const unsigned seed = GENERATE(1u, 2u);
    world.environment.strict_numbers = seed == 2;
    Conditions conditions{seed};
    int of_memory = 0;
    for (int i = 0; i < 2000; ++i) {
        const auto condition = conditions.boolean(2);
        const auto typed = "cart.items.exists(i, " + condition + ")";
        if (!compile(typed, world.environment).program) continue; // Refused for its types.
        of_memory += is_of_memory(world, condition) ? 1 : 0;
        for (const std::string macro : {"exists", "all", "exists_one"}) {
            const auto put_to = [&](const std::string& range) {
                return world.text(range + "." + macro + "(i, " + condition + ")");
            };
            INFO(seed << ": " << macro << ": " << condition);
            const auto expected = put_to("dyn(cart.items)");
            REQUIRE(put_to("cart.items") == expected);                     // Rows.
            REQUIRE(put_to("[cart.items[0], cart.items[1]]") == expected); // Records, bound.
            REQUIRE(put_to("[cart.items[0]]") == put_to("[dyn(cart.items[0])]"));
        }
    }
    CHECK(of_memory > 300);
}

TEST_CASE("what is no record among records is asked as a value", "[cel]") {
    const World world;
    CHECK(world.text("(true ? [cart.items[0], null] : cart.items).exists(i, i.price > 5.0)") ==
          "true");
    CHECK(world.text("(true ? [cart.items[0], null] : cart.items).all(i, i.price > 5.0)") ==
          "error: null has no order");
}

TEST_CASE("items searched in memory cost steps too", "[cel]") {
    const World world;
    CHECK(world.text("cart.items.all(i, i.price > 5.0)", {.steps = 2}) == "true");
    CHECK(world.text("cart.items.all(i, i.price > 5.0)", {.steps = 1}) ==
          "error: the expression takes too many steps");
}
