#include "journeys/ids.hpp"
#include "journeys/models/learned_rewards.hpp"
#include "journeys/packed.hpp"
#include "runtime/event_files.hpp"
#include "runtime/publication.hpp"
#include "runtime/simulation.hpp"
#include "schema/reward_json.hpp"
#include "schema/timeline_json.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

using namespace runtime;
namespace fs = std::filesystem;

namespace {

const fs::path source{SOJOURN_SOURCE_DIR};

journeys::CatalogPtr example_journeys() {
    const auto files = read_files(std::nullopt, source / "config" / "journeys");
    REQUIRE(files.has_value());
    CompileOptions options;
    options.trial = true;
    auto compiled = compile(*files, options);
    for (const auto& mistake : compiled.mistakes)
        if (!mistake.is_warning) FAIL(schema::to_text(mistake));
    return compiled.catalog;
}

std::string simulated(const std::vector<journeys::Record>& records,
                      const SimulationOptions& options) {
    std::string lines;
    simulate(example_journeys(), records, options,
             [&](const journeys::CustomerId& customer, const journeys::TimelineEntry& entry) {
                 if (schema::is_simulated(entry.kind))
                     lines += schema::to_json_line(customer, entry) + '\n';
             });
    return lines;
}

} // namespace

TEST_CASE("the example journeys over recorded shop traffic do what was checked by hand",
          "[golden]") {
    const auto recorded = read_events({source / "tests" / "data" / "otto" / "stream.jsonl"});
    REQUIRE(recorded.has_value());
    CHECK(recorded->refused_count == 0);
    const auto lines = simulated(recorded->records, {});
    CHECK(lines == simulated(recorded->records, {})); // To the byte.

    const auto golden = source / "tests" / "golden" / "simulate" / "otto.jsonl";
    if (std::getenv("UPDATE_GOLDEN")) std::ofstream{golden} << lines;
    const auto expected = read_file(golden);
    REQUIRE(expected.has_value());
    CHECK(lines == *expected);
}

TEST_CASE("each example journey does over its own story what was checked by hand", "[golden]") {
    CompileOptions options;
    options.trial = true;
    options.directory = source / "config";
    const auto shelf = std::make_shared<ProductShelf>();
    options.products = shelf;
    const auto files = read_files(source / "config" / "sojourn.yaml", std::nullopt);
    REQUIRE(files.has_value());
    const auto compiled = compile(*files, options);
    for (const auto& mistake : compiled.mistakes)
        if (!mistake.is_warning) FAIL_CHECK(schema::to_text(mistake));
    REQUIRE(compiled.catalog);
    std::size_t cases = 0;
    for (const auto& folder : fs::directory_iterator{source / "tests" / "golden" / "journeys"}) {
        const auto id = folder.path().filename().string();
        INFO(id);
        REQUIRE(compiled.catalog->journey(id));
        ++cases;
        const auto recorded =
            read_events({folder.path() / "events.jsonl"}, compiled.config->identity);
        REQUIRE(recorded.has_value());
        CHECK(recorded->refused_count == 0);
        // Beside all the others, as customers meet it.
        std::string lines;
        simulate(compiled.catalog, recorded->records,
                 {.until = recorded->records.back().accepted_at + std::chrono::hours{24 * 150},
                  .products = recorded->products,
                  .shelf = shelf},
                 [&](const journeys::CustomerId& customer, const journeys::TimelineEntry& entry) {
                     if (entry.journey == id && schema::is_simulated(entry.kind))
                         lines += schema::to_json_line(customer, entry) + '\n';
                 });
        const auto golden = folder.path() / "expected.jsonl";
        if (std::getenv("UPDATE_GOLDEN")) std::ofstream{golden} << lines;
        const auto expected = read_file(golden);
        REQUIRE(expected.has_value());
        CHECK(lines == *expected);
    }
    CHECK(cases == 18); // Every one of config/journeys.
}

TEST_CASE("the clock stops just before timers due at the last event's instant", "[golden]") {
    const auto recorded = read_events({source / "tests" / "data" / "otto" / "stream.jsonl"});
    REQUIRE(recorded.has_value());
    const auto last = recorded->records.back().accepted_at;
    CHECK(simulated(recorded->records, {}) ==
          simulated(recorded->records, {.until = last - journeys::Duration{1}}));
    CHECK(simulated(recorded->records, {}).size() <
          simulated(recorded->records, {.until = last + std::chrono::hours{24 * 100}}).size());
}

TEST_CASE("what was learned decides in a simulation as it does live, and nothing else changes",
          "[golden]") {
    Files files;
    files.journeys["j.yaml"] = "id: j\nstatus: live\n"
                               "enter: { on: Product Viewed, reentry: always }\n"
                               "steps:\n  - name: offer\n    decide: { actions: [gift, note] }\n";
    const auto recorded = read_events({source / "tests" / "data" / "otto" / "stream.jsonl"});
    REQUIRE(recorded.has_value());
    const auto decided = [&](const std::optional<std::string>& rewards) {
        auto with = files;
        with.rewards = rewards;
        CompileOptions options;
        options.trial = true;
        const auto compiled = compile(with, options);
        for (const auto& mistake : compiled.mistakes)
            if (!mistake.is_warning) FAIL(schema::to_text(mistake));
        std::map<std::string, std::size_t> actions;
        std::string lines;
        simulate(compiled.catalog, recorded->records, {},
                 [&](const journeys::CustomerId& customer, const journeys::TimelineEntry& entry) {
                     lines += schema::to_json_line(customer, entry) + '\n';
                     if (entry.kind != journeys::EntryKind::decide) return;
                     const journeys::PackedView data{entry.data};
                     ++actions[entry.reason + ' ' + std::string{data.string_at("learned")}];
                 });
        return std::pair{actions, lines};
    };
    // Of two alike the first is taken, until the second is known to bring more.
    const auto [before, lines_before] = decided(std::nullopt);
    REQUIRE(before.size() == 1);
    CHECK(before.begin()->first == "gift ");
    journeys::models::LearnedRewards learned;
    learned.settled_until = journeys::from_millis(1'700'000'000'000);
    for (int i = 0; i < 100; ++i) {
        learned.evidence[{"gift", "Order Completed"}].add({1}, 0);
        learned.evidence[{"note", "Order Completed"}].add({1}, i % 2);
    }
    const auto text = schema::to_json(learned);
    const auto version = schema::parse_rewards(text).value().version;
    const auto [after, lines_after] = decided(text);
    REQUIRE(after.size() == 1);
    CHECK(after.begin()->first == "note " + journeys::version_text(version));
    CHECK(after.begin()->second == before.begin()->second);
    CHECK(decided(text).second == lines_after); // To the byte.
    // What is no such file is refused, and says so.
    files.rewards = "{}";
    CHECK_FALSE(compile(files, {.trial = true}).catalog);
}

TEST_CASE("the sample messages of the field run through without a crash", "[golden]") {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator{source / "tests" / "data" / "events"}) {
        const auto name = entry.path().filename().string();
        if (name.ends_with(".jsonl") && name < "07") files.push_back(entry.path());
    }
    std::ranges::sort(files);
    CHECK(files.size() == 6);
    const auto recorded = read_events(files);
    REQUIRE(recorded.has_value());
    CHECK(recorded->events > 60);
    simulated(recorded->records, {});
}
