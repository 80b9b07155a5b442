#include "journeys/cel/parser.hpp"
#include "journeys/cel/print.hpp"
#include "tests/cel/world.hpp"

#include <random>

#include <catch2/catch.hpp>

using namespace world;

namespace {

/// Expressions at random, right and wrong types alike.
class Generator {
public:
    explicit Generator(unsigned seed) : random_(seed) {}

    std::string expression(int depth) {
        if (depth == 0) return leaf();
        const auto inner = [&] { return expression(depth - 1); };
        switch (pick(19)) {
        case 0: return "(" + inner() + ")";
        case 1: return inner() + " ? " + leaf() + " : " + inner();
        case 2: return inner() + " && " + inner();
        case 3: return inner() + " || " + inner();
        case 4: return "(" + inner() + ") " + binary() + " " + inner();
        case 5: return inner() + " " + binary() + " (" + inner() + ")";
        case 6: return "!(" + inner() + ")";
        case 7: return "-(" + inner() + ")";
        case 8: return "[" + inner() + ", ?optional.of(" + leaf() + ")]";
        case 9: return "{'k': " + inner() + ", " + leaf() + ": 2}";
        case 10: return "(" + inner() + ")[" + inner() + "]";
        case 11: return "[1, 2, 3].map(x, " + inner() + ")";
        case 12: return "[1, 2].exists(i, v, " + inner() + " == v)";
        case 13: return "size(" + inner() + ")";
        case 14: return "has(({'a': " + inner() + "}).a)";
        case 15: return "({'a': " + inner() + "}).?a.orValue(" + leaf() + ")";
        case 16: return "cel.bind(b, " + inner() + ", b == b)";
        case 17: return "math.greatest(" + inner() + ", 2)";
        default: return "string(" + inner() + ").startsWith('1')";
        }
    }

private:
    unsigned pick(unsigned count) { return static_cast<unsigned>(random_() % count); }
    std::string leaf() {
        static const std::vector<std::string> leaves{"1",
                                                     "-7",
                                                     "2u",
                                                     "0x1F",
                                                     "1.5",
                                                     "-0.25",
                                                     "1e300",
                                                     "'text'",
                                                     "\"q\\\"\\n\"",
                                                     "b'\\xff'",
                                                     "true",
                                                     "false",
                                                     "null",
                                                     "event.properties.price",
                                                     "cart.value",
                                                     "customer.traits.`a-b`",
                                                     "now",
                                                     "[]",
                                                     "{}",
                                                     "-9223372036854775808",
                                                     "duration('90m')",
                                                     "r'\\d'",
                                                     "'ä€😀'"};
        return leaves[pick(static_cast<unsigned>(leaves.size()))];
    }
    std::string binary() {
        static const std::vector<std::string> signs{
            "+", "-", "*", "/", "%", "==", "!=", "<", ">", "<=", ">=", "in"};
        return signs[pick(static_cast<unsigned>(signs.size()))];
    }
    std::mt19937 random_;
};

std::string printed(const std::string& source) {
    const auto parsed = parse(source);
    REQUIRE(parsed.root);
    return print(*parsed.root);
}

} // namespace

TEST_CASE("an expression means the same after printing and parsing again", "[cel]") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    Generator generator{seed};
    World world;
    world.environment.check_types =
        false; // Wrong types are errors of evaluation, the same on both sides.
    for (int i = 0; i < 2000; ++i) {
        const auto source = generator.expression(4);
        INFO(source);
        const auto parsed = parse(source);
        REQUIRE(parsed.root);
        const auto text = print(*parsed.root);
        INFO(text);
        REQUIRE(parse(text).root);
        REQUIRE(printed(text) == text);
        REQUIRE(world.text(text) == world.text(source));
    }
}

TEST_CASE("only needed brackets are printed", "[cel]") {
    CHECK(printed("((1 + 2)) * (3)") == "(1 + 2) * 3");
    CHECK(printed("1 - (2 - 3) - 4") == "1 - (2 - 3) - 4");
    CHECK(printed("(a && b) || (c && d)") == "a && b || c && d");
    CHECK(printed("(a || b) && !(!c)") == "(a || b) && !!c");
    CHECK(printed("-(5) + -(-5) + -x.y") == "-(5) + -(-5) + -x.y");
    CHECK(printed("m.`a-b`.?c[?'d'].for") == "m.`a-b`.?c[?\"d\"].for");
    CHECK(printed("[1,?x,].exists(v,v>1)?{'a':1,}:.root") ==
          "[1, ?x].exists(v, v > 1) ? {\"a\": 1} : .root");
    CHECK(printed("cel.bind(x, 1, x+x) + f(2.0, 3u, b'\\xff')") ==
          "cel.bind(x, 1, x + x) + f(2.0, 3u, b\"\\xff\")");
}
