#include "journeys/environment.hpp"

#include <catch2/catch.hpp>

using namespace journeys;

TEST_CASE("whatever an expression may name is documented", "[environment]") {
    for (const auto scope : {Scope::entry, Scope::event, Scope::step}) {
        const auto& environment = journeys::environment(scope);
        for (const auto& variable : environment.variables()) {
            CAPTURE(variable.name);
            const bool is_offered = variable.name.find(' ') == std::string::npos;
            CHECK(is_offered == !variable.doc.empty());
        }
        for (const auto& object : environment.objects()) {
            CAPTURE(object->name);
            CHECK_FALSE(object->doc.empty());
            for (const auto& field : object->fields) {
                CAPTURE(field.name);
                CHECK_FALSE(field.doc.empty());
            }
        }
        for (const auto& function : environment.functions()) {
            CAPTURE(function.name);
            CHECK_FALSE(function.doc.empty());
        }
    }
}

TEST_CASE("the reference names everything, and says where something is missing", "[environment]") {
    const auto reference = expressions_reference();
    const auto has = [&](const std::string& part) {
        return reference.find(part) != std::string::npos;
    };
    for (const auto& variable : environment(Scope::event).variables())
        CHECK(has("| `" + variable.name + "` |"));
    for (const auto& object : environment(Scope::event).objects()) CHECK(has(object->name));
    for (const auto& function : environment(Scope::event).functions())
        CHECK(has("`" + function.name + "("));
    CHECK(has("`enter.when`, `enter.key` | `run`: there is no run yet"));
    CHECK(has("everything else in a step | `event`: no event is being applied here"));
    CHECK_FALSE(has("(none)"));
}
