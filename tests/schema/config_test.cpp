/// What people get to edit works as it stands.
#include "journeys/template.hpp"
#include "schema/actions_yaml.hpp"
#include "schema/audiences_yaml.hpp"
#include "schema/coupon_csv.hpp"
#include "schema/coupons_yaml.hpp"
#include "schema/events_yaml.hpp"
#include "schema/journey_yaml.hpp"
#include "schema/settings_yaml.hpp"
#include "schema/table_csv.hpp"
#include "schema/vars_yaml.hpp"
#include "tests/support/files.hpp"

#include <catch2/catch.hpp>

#include <sstream>

TEST_CASE("the journeys of config/ load without a mistake or a warning, under both settings",
          "[schema]") {
    for (const std::string name : {"config/sojourn.yaml", "config/demo.yaml"}) {
        const auto config =
            schema::load_settings(name, support::read_file(support::source_path(name)), {});
        for (const auto& mistake : config.mistakes) FAIL_CHECK(to_text(mistake));
        REQUIRE(config.config);
        const auto events = schema::load_events(
            "events.yaml", support::read_file(support::source_path("config/events.yaml")));
        CHECK(events.mistakes.empty());
        std::map<std::string, schema::TemplateText> templates;
        for (const auto& file : support::files_of("config/templates", ".mustache")) {
            auto text = support::read_file(file);
            auto parsed = journeys::Template::parse(text);
            if (!parsed) FAIL_CHECK(file.filename().string() << ": " << parsed.error().detail);
            templates[file.stem().string()] = {text, parsed ? *parsed : nullptr};
        }
        journeys::Lookups lookups;
        const auto vars = schema::load_vars(
            "vars.yaml", support::read_file(support::source_path("config/vars.yaml")));
        for (const auto& mistake : vars.mistakes) FAIL_CHECK(to_text(mistake));
        lookups.vars = vars.values;
        for (const auto& file : support::files_of("config/tables", ".csv")) {
            auto table = schema::load_table(file.filename().string(), support::read_file(file));
            for (const auto& mistake : table.mistakes) FAIL_CHECK(to_text(mistake));
            lookups.tables[file.stem().string()] = std::move(table.table);
        }
        const auto coupons = schema::load_coupons(
            "coupons.yaml", support::read_file(support::source_path("config/coupons.yaml")));
        for (const auto& mistake : coupons.mistakes) FAIL_CHECK(to_text(mistake));
        for (const auto& [pool, told] : coupons.pools) {
            std::istringstream codes{
                support::read_file(support::source_path("config/" + told.file))};
            const auto read = schema::read_coupon_codes(codes);
            REQUIRE(read.has_value());
            CHECK(read->refused.empty());
            CHECK(std::ssize(read->codes) > told.low);
        }
        schema::LoadContext context;
        context.coupons = coupons.names();
        context.lookups = &lookups;
        context.settings = &config.config->settings;
        context.events = events.names();
        context.declared = &events.events;
        context.journeys.emplace();
        for (const auto& file : support::files_of("config/journeys", ".yaml"))
            context.journeys->insert(
                schema::journey_id_in(support::read_file(file)).value_or("none"));
        context.now = journeys::Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2}};
        context.templates = &templates;
        const auto actions = schema::load_actions(
            "actions.yaml", support::read_file(support::source_path("config/actions.yaml")),
            context);
        for (const auto& mistake : actions.mistakes) FAIL_CHECK(to_text(mistake));
        CHECK(actions.actions.size() == 6);
        context.actions = &actions.steps;
        auto audiences = schema::load_audiences(
            "audiences.yaml", support::read_file(support::source_path("config/audiences.yaml")),
            context);
        for (const auto& mistake : audiences.mistakes) FAIL_CHECK(to_text(mistake));
        lookups.audiences = std::move(audiences.audiences);
        std::vector<journeys::JourneyPtr> all;
        for (const auto& file : support::files_of("config/journeys", ".yaml")) {
            auto result =
                schema::load_journey(file.filename().string(), support::read_file(file), context);
            for (const auto& mistake : result.mistakes) FAIL_CHECK(to_text(mistake));
            if (result.journey) all.push_back(result.journey);
        }
        CHECK(all.size() == 18);
        CHECK(schema::check_together(all).empty());
    }
}
