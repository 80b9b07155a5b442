/// Files as people break them. Whatever comes in, nothing may crash, and what is accepted must be
/// whole.
#include "schema/journey_yaml.hpp"
#include "schema/settings_yaml.hpp"
#include "tests/support/files.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace journeys;

namespace {

void check_whole(const Journey& journey) {
    const auto size = journey.steps.size();
    const auto is_place = [&](StepIndex at) { return at == end_of_run || at < size; };
    REQUIRE(size > 0);
    REQUIRE(journey.first < size);
    std::set<std::string> paths;
    for (std::size_t i = 0; i < size; ++i) {
        const auto& step = journey.steps[i];
        REQUIRE(paths.insert(step.path).second);
        REQUIRE(is_place(step.next));
        // A run only moves forward, so it ends.
        const auto is_ahead = [&](StepIndex at) { return is_place(at) && at > i; };
        REQUIRE(is_ahead(step.next));
        if (const auto* wait = std::get_if<WaitForEvent>(&step.action)) {
            REQUIRE(is_ahead(wait->then));
            REQUIRE(is_ahead(wait->timeout));
            REQUIRE(wait->at_most.has_value());
            REQUIRE_FALSE(wait->events.empty());
        }
        if (const auto* wait = std::get_if<WaitForCondition>(&step.action)) {
            REQUIRE(is_ahead(wait->then));
            REQUIRE(is_ahead(wait->timeout));
            REQUIRE(wait->condition.program);
        }
        if (const auto* wait = std::get_if<WaitUntilDate>(&step.action)) {
            REQUIRE(is_ahead(wait->after_skip));
            REQUIRE(wait->date.program);
        }
        if (const auto* branch = std::get_if<Branch>(&step.action))
            for (const auto& arm : branch->arms) {
                REQUIRE(is_ahead(arm.first));
                if (arm.when) REQUIRE(arm.when->program);
            }
        if (const auto* split = std::get_if<Split>(&step.action)) {
            double sum = 0;
            for (const auto& variant : split->variants) {
                REQUIRE(is_ahead(variant.first));
                sum += variant.weight;
            }
            REQUIRE(sum == Approx(100));
        }
        if (const auto* decide = std::get_if<Decide>(&step.action))
            for (const auto& way : decide->ways) REQUIRE(is_ahead(way.first));
        if (const auto* send = std::get_if<Send>(&step.action))
            REQUIRE_FALSE(send->channel.empty());
    }
    if (const auto& watch = journey.watch) {
        REQUIRE((watch->sends_min || watch->sends_max || watch->suppressed_below));
        if (watch->suppressed_below) REQUIRE(*watch->suppressed_below > 0);
    }
    for (const auto& when : journey.enter.when) REQUIRE(when.program);
    if (journey.enter.audience) REQUIRE_FALSE(journey.enter.audience->audience.empty());
    if (journey.enter.interested) REQUIRE_FALSE(journey.enter.interested->did.empty());
    REQUIRE((!journey.enter.on.empty() || journey.enter.on_churn_risk || journey.enter.audience ||
             (journey.enter.date && journey.enter.date->date.program)));
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines{""};
    for (const char c : text)
        if (c == '\n')
            lines.emplace_back();
        else
            lines.back() += c;
    return lines;
}

template <class Random> std::string broken(const std::string& text, Random& random) {
    auto lines = lines_of(text);
    const auto pick = [&](std::size_t size) {
        return static_cast<std::size_t>(random() % std::max<std::size_t>(1, size));
    };
    static const std::vector<std::string> pieces{
        "!",   "&x",  "*x", "{",   "}",          "[",         "]",    "- ",  ": ",   "\"",
        "'",   "|\n", "#",  "\t",  ",",          "null",      "100%", "45m", "\xff", "<<",
        " ? ", "\\",  "%",  "---", "cart.value", "\"\\u00fc", "''",   "\n",  "0"};
    for (std::size_t n = 1 + pick(3); n > 0; --n) {
        const auto at = pick(lines.size());
        switch (random() % 7) {
        case 0: lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(at)); break;
        case 1: lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(at), lines[at]); break;
        case 2: std::swap(lines[at], lines[pick(lines.size())]); break;
        case 3: { // Another line's value.
            const auto& from = lines[pick(lines.size())];
            const auto source = from.find(": "), target = lines[at].find(": ");
            if (source != std::string::npos && target != std::string::npos)
                lines[at] = lines[at].substr(0, target) + from.substr(source);
            break;
        }
        case 4: lines[at].insert(pick(lines[at].size() + 1), pieces[pick(pieces.size())]); break;
        case 5: lines[at] = "  " + lines[at]; break;
        case 6:
            if (!lines[at].empty()) lines[at].erase(pick(lines[at].size()), 1 + pick(4));
            break;
        }
        if (lines.empty()) lines.emplace_back();
    }
    std::string joined;
    for (const auto& line : lines) joined += line + '\n';
    return joined;
}

} // namespace

TEST_CASE("a broken journey never crashes the loader, and an accepted one is whole", "[schema]") {
    const auto config = schema::load_settings(
        "sojourn.yaml", support::read_file(support::source_path("config/sojourn.yaml")), {});
    REQUIRE(config.config);
    schema::LoadContext context;
    context.settings = &config.config->settings;
    context.events.emplace();
    const unsigned seed = 20261120;
    INFO("seed " << seed);
    std::mt19937 random{seed};
    std::size_t accepted = 0, refused = 0;
    for (const auto& file : support::files_of("config/journeys", ".yaml")) {
        const auto text = support::read_file(file);
        for (int i = 0; i < 300; ++i) {
            const auto changed = broken(text, random);
            CAPTURE(changed);
            const auto result = schema::load_journey(file.filename().string(), changed, context);
            if (result.journey) {
                ++accepted;
                check_whole(*result.journey);
            } else {
                ++refused;
                REQUIRE_FALSE(result.mistakes.empty());
            }
            for (const auto& mistake : result.mistakes) REQUIRE_FALSE(mistake.message.empty());
        }
    }
    CHECK(accepted > 100);
    CHECK(refused > 100);
}

TEST_CASE("broken settings never crash the loader", "[schema]") {
    const auto text = support::read_file(support::source_path("config/sojourn.yaml"));
    std::mt19937 random{7};
    for (int i = 0; i < 300; ++i) {
        const auto result = schema::load_settings("s.yaml", broken(text, random), {});
        REQUIRE((result.config.has_value() || !result.mistakes.empty()));
    }
}
