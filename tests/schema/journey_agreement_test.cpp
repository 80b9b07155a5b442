/// Editors check a journey by `journey.schema.json`, the service by its loader. They say the same,
/// as far as a schema can: of expressions, events and names of channels it knows nothing.
#include "schema/journey_reference.hpp"
#include "schema/journey_yaml.hpp"
#include "schema/yaml_document.hpp"
#include "tests/support/files.hpp"
#include "tests/support/json_schema.hpp"

#include <catch2/catch.hpp>

#include <charconv>
#include <random>
#include <set>
#include <sstream>

namespace {

using nlohmann::json;

json scalar(const schema::YamlNode& node) {
    if (node.is_empty()) return nullptr;
    if (node.style != schema::YamlNode::Style::plain) return node.text;
    if (node.text == "true" || node.text == "false") return node.text == "true";
    const auto* const end = node.text.data() + node.text.size();
    long long whole = 0;
    if (const auto read = std::from_chars(node.text.data(), end, whole);
        read.ec == std::errc{} && read.ptr == end)
        return whole;
    double real = 0;
    if (const auto read = std::from_chars(node.text.data(), end, real);
        read.ec == std::errc{} && read.ptr == end)
        return real;
    return node.text;
}

json value_of(const schema::YamlNode& node) {
    if (node.is_list()) {
        auto list = json::array();
        for (const auto& item : node.items) list.push_back(value_of(item));
        return list;
    }
    if (!node.is_map()) return scalar(node);
    auto map = json::object();
    for (const auto& [key, value] : node.entries) map[key.text] = value_of(value);
    return map;
}

const support::JsonSchema& editor() {
    static const support::JsonSchema schema{
        json::parse(support::read_file(support::source_path("schema/journey.schema.json")))};
    return schema;
}

struct Verdicts {
    bool is_yaml = false; ///< Else there is nothing to compare.
    std::string editor;   ///< Why it refuses; empty: it does not.
    std::string loader;
};

Verdicts verdicts(const std::string& text) {
    schema::Mistakes of_yaml{"j.yaml"};
    const auto document = schema::YamlDocument::parse(text, of_yaml);
    Verdicts both;
    both.is_yaml = !of_yaml.has_errors();
    if (!both.is_yaml) return both;
    both.editor = editor().refusal(value_of(document.root()));
    for (const auto& mistake : schema::load_journey("j.yaml", text, {}).mistakes)
        if (!mistake.is_warning) both.loader += to_text(mistake) + '\n';
    return both;
}

} // namespace

TEST_CASE("what the examples hold is right for editors and the loader alike", "[schema]") {
    for (const auto& file : support::files_of("config/journeys", ".yaml")) {
        INFO(file.filename().string());
        const auto both = verdicts(support::read_file(file));
        CHECK(both.editor == "");
        CHECK(both.loader == "");
    }
    CHECK(verdicts(schema::journey_example("journey")).editor == "");
}

TEST_CASE("a slip of form is refused by editors and the loader alike", "[schema]") {
    struct Slip {
        std::string from, to;
    };
    static const std::vector<Slip> slips{
        {"\nenter:", "\nentr:"},
        {"\nsteps:", "\nstep:"},
        {"reentry:", "rentry:"},
        {"status: live", "status: lvie"},
        {"holdout: 10%", "holdout: 10"},
        {"holdout: 10%", "holdout: ten"},
        {"priority: ", "priority: 1"},
        {"channel: email", "chanel: email"},
        {"within: ", "within: x"},
        {"within: ", "withn: "},
        {"wait: { for: ", "wait: { fro: "},
        {"wait: { for: ", "wait: { for: x"},
        {"wait: { for: ", "wait: { for: -"},
        {"timezone: customer", "timzone: customer"},
        {"purpose: transactional", "purpose: transactonal"},
        {"time: \"", "time: \"9"},
        {"  - name: ", "  - nmae: "},
        {"expires: 12h", "expires: 12"},
        {"every: year", "every: week"},
        {"every: once", "every: day"},
        {"otherwise:", "otherwhise:"},
        {"weekdays: [", "weekdays: [fryday, "},
        {"at_most: ", "at_most: soon"},
        {"did: ", "dit: "},
        {"within: 30d }", "within: 30 }"},
        {"pace: 200/s", "pace: 200"},
        {"pace: 200/s", "pace: fast"},
        {"audience: vips", "audience: "},
        {"interested: {", "interested: [] #"},
        {"time: \"10:00\"", "time: \"25:00\""},
        {"reason: ", "reson: "},
        {"coupon: ", "copuon: "},
        {"watch: {", "wacth: {"},
        {"sends_per_day: ", "sends_per_day: x"},
        {"suppressed_below: 90%", "suppressed_below: 90"},
        {"holdout: 10%", "holdout: 110%"},
        {"holdout: 10%", "holdout: 1e1%"},
        {"status: live", "status: live\nfrom: 01.02.2027"},
        {"status: live", "status: live\nuntil: tomorrow"},
        {"goal:", "goals: []\ngoal:"},
        {"enter:\n  on: ", "enter:\n  pace: 200/s\n  on: "},
        {"enter:\n  on: ", "enter:\n  every: year\n  on: "},
        {"enter:\n  on: ", "enter:\n  weekdays: mon\n  on: "},
        {"enter:\n  on: ", "enter:\n  becomes: customer.orders > 3\n  on: "},
        {"p.product_id) != null)\n", "p.product_id) != null)\n  # "},
        {"\n      at_most: ", "\n      # "},
        {"wait: { for: ", "wait: { timeout: [], for: "},
        {"until: { time:", "until: { past: skip, time:"},
        {"\n        date: ", "\n        weekdays: mon\n        date: "}};
    std::size_t tried = 0;
    std::set<std::string> of_use;
    for (const auto& file : support::files_of("config/journeys", ".yaml")) {
        const auto text = support::read_file(file);
        for (const auto& [from, to] : slips) {
            auto at = text.find(from);
            while (at != text.npos && text[text.rfind('\n', at) + 1] == '#')
                at = text.find(from, at + 1); // Of a comment.
            if (at == std::string::npos) continue;
            auto changed = text;
            changed.replace(at, from.size(), to);
            INFO(file.filename().string() << ": " << from << " -> " << to);
            const auto both = verdicts(changed);
            REQUIRE(both.is_yaml);
            CHECK(both.editor != "");
            CHECK(both.loader != "");
            of_use.insert(from + to);
            ++tried;
        }
    }
    CHECK(of_use.size() == slips.size());
    CHECK(tried > 100);
}

TEST_CASE("an editor never marks what the loader takes", "[schema]") {
    const unsigned seed = 20261126;
    INFO("seed " << seed);
    std::mt19937 random{seed};
    std::size_t refused = 0, taken = 0;
    const auto compare = [&](const std::string& text) {
        const auto both = verdicts(text);
        if (!both.is_yaml) return;
        if (both.loader.empty()) {
            INFO(text);
            CHECK(both.editor == "");
            ++taken;
        } else if (!both.editor.empty()) {
            ++refused;
        }
    };
    for (const auto& file : support::files_of("tests/golden/mistakes", ".yaml"))
        compare(support::read_file(file));
    // Lines of one example in another: mostly well-formed, and often wrong.
    std::vector<std::string> lines;
    std::vector<std::string> texts;
    for (const auto& file : support::files_of("config/journeys", ".yaml")) {
        texts.push_back(support::read_file(file));
        std::istringstream in{texts.back()};
        for (std::string line; std::getline(in, line);)
            if (line.find_first_not_of(" ") != std::string::npos) lines.push_back(line);
    }
    for (const auto& text : texts)
        for (int i = 0; i < 60; ++i) {
            std::vector<std::string> changed;
            std::istringstream in{text};
            for (std::string line; std::getline(in, line);) changed.push_back(line);
            const auto at = random() % changed.size();
            if (random() % 3 == 0)
                changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(at));
            else
                changed[at] = lines[random() % lines.size()];
            std::string joined;
            for (const auto& line : changed) joined += line + '\n';
            compare(joined);
        }
    CHECK(refused > 100);
    CHECK(taken > 50);
}
