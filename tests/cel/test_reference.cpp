#include "journeys/cel/functions.hpp"
#include "journeys/cel/macros.hpp"
#include "journeys/cel/reference.hpp"
#include "tests/cel/world.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

using namespace world;

namespace {

std::vector<std::string> sorted_names(std::span<const Entry> entries) {
    std::vector<std::string> names;
    for (const auto& entry : entries) names.emplace_back(entry.name);
    std::sort(names.begin(), names.end());
    return names;
}

} // namespace

TEST_CASE("the reference has every function and macro once, and no other", "[cel]") {
    std::vector<std::string> functions;
    for (const auto name : built_in_names()) functions.emplace_back(name);
    std::sort(functions.begin(), functions.end());
    CHECK(sorted_names(function_entries()) == functions);

    std::vector<std::string> macros;
    for (const auto name : macro_names()) {
        if (name == "existsOne") continue; // Told with exists_one.
        macros.emplace_back(name == "bind" ? "cel.bind" : name);
    }
    std::sort(macros.begin(), macros.end());
    CHECK(sorted_names(macro_entries()) == macros);
}

TEST_CASE("every example of the reference gives what it says", "[cel]") {
    const World world;
    for (const auto entries :
         {type_entries(), operator_entries(), macro_entries(), function_entries()}) {
        for (const auto& entry : entries) {
            INFO(entry.name << ": " << entry.example);
            CHECK_FALSE(entry.what.empty());
            CHECK(world.text(std::string{entry.example}) == entry.result);
        }
    }
    for (const auto& entry : function_entries()) {
        INFO(entry.name);
        CHECK(entry.example.find(entry.name) != std::string_view::npos);
    }
    for (const auto& entry : type_entries()) {
        INFO(entry.name);
        CHECK(world.text(std::string{entry.name}) == entry.name);
    }
}

TEST_CASE("the reference follows the rules of its environment", "[cel]") {
    World world;
    const auto has = [&](const std::string& part) {
        return language_reference(world.environment).find(part) != std::string::npos;
    };
    CHECK(has("`string.startsWith(string) → bool`"));
    CHECK(has("`days(int) → duration`"));
    CHECK(has("is done in double"));
    CHECK(has("| bytes of an expression | 16384 |"));
    CHECK(has("| bytes that texts, lists and maps made on the way may take | 1048576 |"));
    world.environment.strict_numbers = true;
    CHECK_FALSE(has("`days(int) → duration`"));
    CHECK(has("never mixes"));
}
