/// The reference for people is made of the schema that editors read, and its examples load.
#include "schema/journey_keys.hpp"
#include "schema/journey_reference.hpp"
#include "schema/journey_yaml.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <sstream>

namespace {

std::string indented(const std::string& text, const std::string& by) {
    std::string out;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) out += by + line + '\n';
    return out;
}

/// A whole file around the example of a section.
std::string file_of(const std::string& section, const std::string& example) {
    if (section == "journey") return example;
    const std::string head = "id: example\n";
    const std::string enter = "enter: { on: Product Added, reentry: always }\n";
    const std::string steps = "steps:\n  - wait: { for: 1d }\n";
    if (section == "enter" || section == "interested") return head + example + '\n' + steps;
    if (section == "reentry")
        return head + "enter:\n  on: Product Added\n" + indented(example, "  ") + steps;
    if (section == "watch" || section == "sends per day" || section == "exit rule" ||
        section == "goal")
        return head + enter + example + '\n' + steps;
    auto step = indented(example, "    ");
    step[2] = '-';
    return head + enter + "steps:\n" + step;
}

} // namespace

TEST_CASE("each section's reference names each of its keys, in 100 columns, and its example loads",
          "[schema]") {
    const auto names = schema::journey_reference_sections();
    CHECK(names.size() == schema::journey_sections().size());
    for (const auto& section : schema::journey_sections()) {
        CAPTURE(section.name);
        const auto text = schema::journey_reference(section.name);
        REQUIRE(text);
        for (const auto& key : section.keys) CHECK(text->find("\n  " + key) != std::string::npos);
        std::istringstream lines{*text};
        for (std::string line; std::getline(lines, line);) {
            CAPTURE(line);
            const auto code_points = std::count_if(line.begin(), line.end(), [](char c) {
                return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
            });
            CHECK(code_points <= 100);
        }
        const auto example = schema::journey_example(section.name);
        REQUIRE_FALSE(example.empty());
        const auto file = file_of(section.name, example);
        CAPTURE(file);
        const auto loaded = schema::load_journey("example.yaml", file, {});
        for (const auto& mistake : loaded.mistakes) FAIL_CHECK(to_text(mistake));
    }
    CHECK_FALSE(schema::journey_reference("sned"));
}
