/// The schema for editors and the loader know the same keys.
#include "schema/journey_keys.hpp"
#include "tests/support/files.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

TEST_CASE("journey.schema.json has every key of the loader, and no other", "[schema]") {
    const auto json = nlohmann::json::parse(
        support::read_file(support::source_path("schema/journey.schema.json")));
    CHECK(json.at("$schema") == "https://json-schema.org/draft/2020-12/schema");
    std::map<std::string, const nlohmann::json*> sections;
    sections["journey"] = &json;
    for (const auto& [name, definition] : json.at("$defs").items())
        if (definition.contains("x-section")) sections[definition.at("x-section")] = &definition;
    for (const auto& section : schema::journey_sections()) {
        CAPTURE(section.name);
        REQUIRE(sections.contains(section.name));
        const auto& properties = sections.at(section.name)->at("properties");
        CHECK(sections.at(section.name)->at("additionalProperties") == false);
        for (const auto& key : section.keys) {
            CAPTURE(key);
            REQUIRE(properties.contains(key));
            CHECK_FALSE(properties.at(key).value("description", "").empty());
        }
        CHECK(properties.size() == section.keys.size());
    }
    CHECK(sections.size() == schema::journey_sections().size());
}
