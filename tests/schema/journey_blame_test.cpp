/// One mistake in a valid journey, wherever it can stand: it is told, and by its own line.
#include "schema/journey_keys.hpp"
#include "schema/journey_yaml.hpp"
#include "schema/settings_yaml.hpp"
#include "tests/support/files.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines{""};
    for (const char c : text)
        if (c == '\n')
            lines.emplace_back();
        else
            lines.back() += c;
    return lines;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text += line + '\n';
    return text;
}

/// A line `  - key: value`, without its comment.
struct Line {
    std::size_t indent = 0;    ///< Where its key begins.
    std::size_t key_end = 0;   ///< Where the colon stands; 0: it has no key.
    std::size_t value_end = 0; ///< Behind the last character of the value.
    std::string key, value;
};

Line read(const std::string& text) {
    Line line;
    const auto comment = text.find(" #");
    line.value_end = text.find_last_not_of(' ', comment == text.npos ? text.npos : comment);
    line.value_end = line.value_end == text.npos ? 0 : line.value_end + 1;
    line.indent = text.find_first_not_of(" -");
    if (line.indent == text.npos || text[line.indent] == '#') return {};
    const auto colon = text.find(':', line.indent);
    if (colon == text.npos || (colon + 1 < text.size() && text[colon + 1] != ' ')) return {};
    line.key = text.substr(line.indent, colon - line.indent);
    if (line.key.find_first_of(" {[\"'") != line.key.npos) return {};
    line.key_end = colon;
    if (line.value_end > colon + 2) line.value = text.substr(colon + 2, line.value_end - colon - 2);
    return line;
}

} // namespace

TEST_CASE("a single mistake anywhere in the example journeys is told by its own line", "[schema]") {
    const auto config = schema::load_settings(
        "sojourn.yaml", support::read_file(support::source_path("config/sojourn.yaml")), {});
    REQUIRE(config.config);
    schema::LoadContext context;
    context.settings = &config.config->settings;
    context.events.emplace().insert("Subscription Renewed");
    context.coupons = {"welcome-back"};
    std::set<std::string> keys;
    for (const auto& section : schema::journey_sections())
        keys.insert(section.keys.begin(), section.keys.end());
    static const std::set<std::string> free_names{"data", "set", "vars", "variants"};
    static const std::set<std::string> of_conditions{"when", "for_condition", "becomes"};
    static const std::set<std::string> of_events{"on", "for_event", "restart_on"};
    std::size_t tried = 0;
    for (const auto& file : support::files_of("config/journeys", ".yaml")) {
        const auto text = support::read_file(file);
        const auto lines = lines_of(text);
        const auto is_told = [&](std::size_t at, const std::string& changed) {
            auto broken = lines;
            broken[at] = changed;
            INFO(file.filename().string() << ':' << at + 1 << ": " << changed);
            const auto result = schema::load_journey("j.yaml", joined(broken), context);
            std::string told;
            bool is_blamed = false;
            for (const auto& mistake : result.mistakes) {
                told += to_text(mistake) + '\n';
                is_blamed = is_blamed || (!mistake.is_warning && mistake.line == at + 1);
            }
            INFO(told);
            CHECK_FALSE(result.journey);
            CHECK(is_blamed);
            ++tried;
        };
        std::size_t free_until = std::string::npos; // The indent of a map whose names are free.
        for (std::size_t at = 0; at < lines.size(); ++at) {
            const auto line = read(lines[at]);
            if (line.key_end == 0) continue;
            if (free_until != std::string::npos && line.indent > free_until) continue;
            free_until = free_names.contains(line.key) ? line.indent : std::string::npos;
            if (!keys.contains(line.key)) continue;
            const auto with_value = [&](const std::string& value) {
                return lines[at].substr(0, line.key_end + 2) + value;
            };
            auto misspelled = lines[at];
            misspelled.insert(line.key_end, "x");
            is_told(at, misspelled);
            if (line.value.empty() || line.value.starts_with("{") || line.value.starts_with("["))
                continue;
            if (of_conditions.contains(line.key)) {
                is_told(at, with_value("customer.trait.x == 1"));
                is_told(at, with_value("cart.value >"));
                is_told(at, with_value("\"'a'\""));
            }
            if (of_events.contains(line.key)) is_told(at, with_value("Placed Order"));
            if (line.key == "channel") is_told(at, with_value("emial"));
            if (line.key == "coupon") is_told(at, with_value("welcome-bakc"));
            if (line.key == "topic") is_told(at, with_value("cartt"));
            if (line.key == "status") is_told(at, with_value("lvie"));
            if (line.key == "reentry") is_told(at, with_value("sometimes"));
            if (line.key == "expires" || line.key == "within") is_told(at, with_value("30"));
            if (line.key == "holdout") is_told(at, with_value("150%"));
            if (line.key == "time") is_told(at, with_value("\"25:00\""));
        }
    }
    CHECK(tried > 300);
}
