#include "tests/cel/world.hpp"

#include <catch2/catch.hpp>

using namespace world;

namespace {

/// Every mistake as "column: message".
std::vector<std::string> mistakes(const std::string& source, Expect expect = Expect::any) {
    const World world;
    std::vector<std::string> out;
    for (const auto& issue : compile(source, world.environment, expect).issues) {
        out.push_back(std::to_string(issue.column) + ": " + issue.message);
    }
    return out;
}

std::string mistake(const std::string& source, Expect expect = Expect::any) {
    const auto all = mistakes(source, expect);
    return all.empty() ? "" : all.front();
}

} // namespace

TEST_CASE("an unknown name is answered with the nearest one", "[cel]") {
    CHECK(mistake("cart.valeu > 20.0") == "6: no name cart.valeu. Nearest: cart.value");
    CHECK(mistake("1 < 2 && custommer.orders > 1") == "10: no name custommer. Nearest: customer");
    CHECK(mistake("siez(cart.items) > 0") == "1: no function siez. Nearest: size");
    CHECK(mistake("customer.zzz == 1") ==
          "10: no name customer.zzz. Known: customer.id, customer.traits, customer.churn_risk, "
          "customer.orders, customer.first_seen");
    CHECK(mistake("True") == "1: no name True. Nearest: true");
    CHECK(mistake("SAVE10") == "1: no name SAVE10. Values under data are expressions; a fixed text "
                               "needs inner quotes: \"'SAVE10'\"");
    CHECK(mistake("size") == "1: no name size. There is a function of this name: size(...)");
    CHECK(mistake("session.views > 1") == "1: there is no session here");
    CHECK(mistake("cart.items.all(item, itm.price > 1.0)") == "22: no name itm. Nearest: item");
}

TEST_CASE("what people write in other languages is explained", "[cel]") {
    CHECK(mistake("cart.value = 20") == "12: \"=\" compares nothing: write \"==\"");
    CHECK(mistake("1 < 2 and 2 < 3") == "7: \"and\" joins nothing: write \"&&\"");
    CHECK(mistake("1 < 2 OR 2 < 3") == "7: \"OR\" joins nothing: write \"||\"");
    CHECK(mistake("not true") == "1: \"not\" negates nothing: write \"!\"");
    CHECK(mistake("1 not in [1]") == "3: \"not\" negates nothing: write \"!\", as in !(x in list)");
    CHECK(mistake("event.properties.x is null") ==
          "20: \"is\" compares nothing: write \"==\", as in x == null");
    CHECK(mistake("event.properties.x is not null") ==
          "20: \"is not\" compares nothing: write \"!=\", as in x != null");
    CHECK(mistake("cart.value > 20,00") == "14: \"20,00\" is no number: write \"20.00\"");
    CHECK(mistake("event.name == “x”") ==
          "15: \"“\" is a typographic quote: write a straight one, \" or '");
    CHECK(mistake("cart.value > €20").starts_with("14: \"€\" belongs to no number: write 20"));
    CHECK(mistake("cart.value <> 20.0") == "12: \"<>\" compares nothing: write \"!=\"");
    CHECK(mistake("count('A', 24h)") ==
          "12: \"24h\" is no number. In an expression a duration is a text: \"24h\"");
    CHECK(mistake("1 +") == "4: the expression ends where a value should follow");
    CHECK(mistake("'abc") == "1: the closing quote of this text is missing");
    CHECK(mistake("has(cart)") == "1: has asks for a field: write has(a.b)");
    CHECK(mistake("cart.items.exists(x)") == "12: exists is written so: list.exists(x, x > 1)");
}

TEST_CASE("types that do not go together are refused before anything runs", "[cel]") {
    CHECK(mistake("cart.value > '20'") ==
          "12: \">\" has no meaning for double and string: write a number without quotes, or "
          "double(text)");
    CHECK(mistake("event.name == 3") == "12: \"==\" compares string and int, which are never equal"
                                        ": write a number without quotes, or double(text)");
    CHECK(mistake("'a' + 1") == "5: \"+\" has no meaning for string and int: write string(number)");
    CHECK(mistake("now - 3 < now") == "5: \"-\" has no meaning for timestamp and int");
    CHECK(mistake("'a' in event.name") ==
          "5: \"in\" looks into a list or a map, not into a string: write text.contains(\"part\")");
    CHECK(mistake("event.name && true") == "7: true or false is needed here; this is string");
    CHECK(
        mistake("size(1)").starts_with("1: no size(int). There is: size(string), size(list(dyn))"));
    CHECK(mistake("event.name.startsWith(1)") ==
          "12: no string.startsWith(int). There is: string.startsWith(string)");
    CHECK(mistake("event.name.startsWith('a', 'b')") == "12: startsWith takes 1 argument, not 2");
    CHECK(mistake("contains('a', 'b')") == "1: no function contains: write value.contains(...)");
    CHECK(mistake("count('A')") == "1: count takes 2 arguments, not 1");
    CHECK(mistake("count('A', 3)") == "1: no count(string, int). There is: count(string, string)");
    CHECK(mistake("{1.5: 2}") == "2: double is no key of a map: bool, int, uint or string");
    CHECK(mistake("event.name.x") == "12: string has no field x");
    CHECK(mistake("1.exists(x, x > 1)") == "3: exists goes through a list or a map, not int");
}

TEST_CASE("constants are looked at when the expression is loaded", "[cel]") {
    CHECK(mistake("event.name.matches('(')") ==
          "20: \"(\" is no regular expression of RE2, or too large a one");
    CHECK(mistake("duration('7d') > duration('1h')").starts_with("10: \"7d\" is no duration"));
    CHECK(mistake("timestamp('yesterday') < now").starts_with("11: \"yesterday\" is no timestamp"));
    CHECK(mistake("date('17.5.1990') < now").starts_with("6: \"17.5.1990\" is no date"));
    CHECK(
        mistake("now.getHours('Europe/Berln') > 8").starts_with("14: \"Europe/Berln\" is no time"));
    CHECK(mistake("count('A', '30') > 1") == "12: \"30\" has no unit: s m h d w");
    CHECK(mistake("now.getHours('Europe/Berlin') > 8 && now - date('2024-01-01') > days(3)") == "");
}

TEST_CASE("every mistake is told, each with its line and column", "[cel]") {
    CHECK(mistakes("foo + 1 > 2 || bar.x && cart.valeu > 1.0").size() == 3);
    const World world;
    const auto issues = compile("true &&\n  'ä' == 'ö' && nam == 1", world.environment).issues;
    REQUIRE(issues.size() == 1);
    CHECK(issues[0].line == 2);
    CHECK(issues[0].column == 17);
}

TEST_CASE("the place of an expression asks for its type", "[cel]") {
    CHECK(mistake("cart.value", Expect::boolean) ==
          "6: a condition is true or false; this is double");
    CHECK(mistake("event.properties.vip", Expect::boolean) == "");
    CHECK(mistake("null", Expect::boolean) != "");
    CHECK(mistake("cart.value", Expect::string) == "");
    CHECK(mistake("true", Expect::string) == "1: a text is needed here; this is bool");
    CHECK(mistake("event.name", Expect::list) == "7: a list is needed here; this is string");
    CHECK(mistake("cart.items", Expect::list) == "");
    CHECK(mistake("event.name", Expect::timestamp) ==
          "7: a point in time is needed here; this is string: write date(...)");
    CHECK(mistake("date(customer.traits.birthday)", Expect::timestamp) == "");
}

TEST_CASE("a program tells what it reads and calls", "[cel]") {
    const World world;
    const auto compiled =
        compile("event.properties['price'] > 1 && count('Order Completed', '7d') > 1 "
                "&& cart.items.exists(i, i.price > 2.0) && event.properties.price < 9 "
                "&& has(customer.traits.country)",
                world.environment);
    REQUIRE(compiled.program);
    std::vector<std::string> paths;
    for (const auto& path : compiled.program->paths()) {
        std::string text;
        for (const auto& segment : path.segments) text += (text.empty() ? "" : ".") + segment;
        paths.push_back(text);
    }
    CHECK(paths == std::vector<std::string>{"event.properties.price", "cart.items",
                                            "customer.traits.country"});
    REQUIRE(compiled.program->calls().size() == 1);
    CHECK(compiled.program->calls()[0].function == "count");
    CHECK(compiled.program->calls()[0].constant_strings ==
          std::vector<std::optional<std::string>>{"Order Completed", "7d"});
    CHECK(compiled.program->uses_variable("cart"));
    CHECK_FALSE(compiled.program->uses_variable("now"));
    std::vector<unsigned> slots;
    for (unsigned slot = 0; slot < 5; ++slot)
        if (compiled.program->reads_slot(slot)) slots.push_back(slot);
    CHECK(slots == std::vector<unsigned>{0, 1, 2}); // event, customer, cart
    CHECK(compile("dyn(now) == null", world.environment).program->reads_slot(4));
    CHECK(compiled.program->type().text() == "bool");
}

TEST_CASE("the reference is made from the declarations", "[cel]") {
    const World world;
    const auto text = markdown(world.environment);
    CHECK(text.find("| `customer` | customer | who |") != std::string::npos);
    CHECK(text.find("| `churn_risk` | double or null | 0 to 1 |") != std::string::npos);
    CHECK(text.find("| `count(string, string) → int` | how often |") != std::string::npos);
}
