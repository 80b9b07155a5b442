/// Expressions and values that are meant to hang, to crash or to eat memory.
#include "tests/cel/world.hpp"

#include <catch2/catch.hpp>

using namespace world;

namespace {

constexpr auto too_many = "error: the expression takes too many steps";

std::string repeated(std::string_view part, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += part;
    return out;
}

/// `a` bound to a list of `size` ints in packed form, as properties hold them.
struct Wide : World {
    std::string packed;
    explicit Wide(int size) {
        PackedWriter writer;
        const auto mark = writer.begin_list();
        for (int i = 0; i < size; ++i) writer.integer(i);
        writer.end_list(mark, static_cast<std::size_t>(size));
        packed = writer.take();
        environment.add_variable("a", Type::dyn());
        variables.push_back(Value::packed(PackedView{packed}));
    }
};

} // namespace

TEST_CASE("an item of a macro costs what the macro puts to it", "[cel]") {
    const Wide world{100'000};
    CHECK(world.text("a.all(x, x >= 0)") == "true");
    CHECK(world.text("a.all(x, x >= 0" + repeated(" && true", 1500) + ")") == too_many);
}

TEST_CASE("functions that walk lists pay for them", "[cel]") {
    const Wide world{50'000};
    CHECK(world.text("a.map(x, math.greatest(a)).size() > 0") == too_many);
    CHECK(world.text("a.distinct().size()") == too_many);
    CHECK(world.text("a.sort().size()") == "error: the result is too large");
    const Wide narrow{20'000};
    CHECK(narrow.text("a.sort()[19999]") == "19999");
    CHECK(narrow.text("a.all(x, [3, 2, 1].sort()[0] + a.size() > a.sort()[0])")
              .starts_with("error: "));
    CHECK(world.text("a.exists(x, a == a && false)") == too_many);
    CHECK(world.text("a.exists(x, a[49999] < 0)") == too_many);
}

TEST_CASE("patterns are bounded in number, in length and in what they search", "[cel]") {
    const World world;
    const auto mistake = [&](const std::string& source) {
        const auto compiled = compile(source, world.environment);
        return compiled.program ? std::string{} : compiled.issues.front().message;
    };
    const std::string one = "event.name.matches('a+') || ";
    CHECK(mistake(repeated(one, 32) + "false").empty());
    CHECK(mistake(repeated(one, 33) + "false") ==
          "an expression holds at most 32 patterns, of 2000 bytes together");
    CHECK(mistake("event.name.matches('" + repeated("a", 1000) + "')").empty());
    CHECK(mistake("event.name.matches('" + repeated("a", 1001) + "')")
              .ends_with("is no regular expression of RE2, or too large a one"));
    CHECK(mistake("event.name.matches('((((a{10}){10}){10}){10}){10}')") != "");
    // The automaton of this one does not fit, so every byte meets every instruction.
    const std::string text =
        "cel.bind(t, '" + repeated("ab", 2000) + "', cel.bind(u, t + t, (u + u)";
    CHECK(world.text(text + ".matches('a(?:a|b){200}c')))") == too_many);
    CHECK(world.text("['a', 'b', 'c', 'd'].all(x, 'text'.matches(x + '" + repeated("\\\\pL", 250) +
                     "'))") == too_many);
}

TEST_CASE("texts grow to the limit and no further", "[cel]") {
    const World world;
    const auto grown = [](std::string source, const std::string& by, int times) {
        for (int i = 0; i < times; ++i) source = "cel.bind(a, " + source + ", " + by + ")";
        return source;
    };
    const auto too_large = "error: the result is too large";
    const std::string x = "'xxxxxxxxxxxxxxxx'";
    CHECK(world.text(grown(x, "a.replace('x', 'xxxxxxxx')", 12)).starts_with("error: "));
    CHECK(world.text(grown(x, "a.split('').join('xxxxxxxx')", 12)).starts_with("error: "));
    CHECK(world.text(grown(x, "'%s%s%s%s'.format([a, a, a, a])", 20)) == too_large);
    CHECK(world.text(grown(x, "[a, a, a, a].join()", 20)) == too_large);
    CHECK(world.text(grown(x, "strings.quote(a + a)", 20)) == too_large);
    CHECK(world.text(grown("b'xxxxxxxx'", "bytes(base64.encode(a + a))", 20)) == too_large);
    CHECK(world.text("'%.101f'.format([1.0])") ==
          "error: the precision in the format is not 0 to 100");
    CHECK(world.text("'%.99999999999999999999f'.format([1.0])").starts_with("error: "));
    CHECK(world.text("'%.100f'.format([1e308])").size() > 400);
}

TEST_CASE("many mistakes in one expression take no long time", "[cel]") {
    const World world;
    CHECK(compile("[" + repeated("zz,", 5000) + "zz]", world.environment).issues.size() == 5001);
    CHECK(compile(repeated("n", 16'000), world.environment).issues.size() == 1);
}
