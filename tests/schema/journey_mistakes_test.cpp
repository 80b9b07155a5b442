/// The sentences: each file of tests/golden/mistakes with the mistakes that it is told.
#include "schema/actions_yaml.hpp"
#include "schema/audiences_yaml.hpp"
#include "schema/events_yaml.hpp"
#include "schema/journey_yaml.hpp"
#include "schema/settings_yaml.hpp"
#include "schema/table_csv.hpp"
#include "schema/vars_yaml.hpp"
#include "tests/support/files.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <set>

namespace {

class Names final : public journeys::Template {
public:
    explicit Names(std::set<std::string> names) : names_(std::move(names)) {}
    const std::set<std::string>& names() const override { return names_; }
    journeys::Result<journeys::Rendered> render(journeys::PackedView,
                                                std::string_view) const override {
        return journeys::Rendered{};
    }

private:
    std::set<std::string> names_;
};

} // namespace

TEST_CASE("every mistake is told by its place, what was found, and what is allowed",
          "[schema][golden]") {
    const auto config = schema::load_settings("sojourn.yaml", R"(
topics: [cart, offers]
channels:
  email: { type: sandbox }
  sms: { type: sandbox }
quiet_hours: { from: "21:00", to: "08:00" }
)",
                                              {});
    REQUIRE(config.config);
    std::map<std::string, schema::TemplateText> templates;
    templates["cart-1"] = {
        "---\nsubject: x\n---\nHello {{first_name}}, {{#items}}{{name}}{{/items}}",
        std::make_shared<Names>(std::set<std::string>{"first_name", "items"})};
    templates["plain"] = {"Hello", std::make_shared<Names>(std::set<std::string>{})};
    schema::LoadContext context;
    context.settings = &config.config->settings;
    const auto events = schema::load_events(
        "events.yaml", "events:\n  Wishlist Made:\n  Wishlist Shared:\n    properties: { list_id: "
                       "string, items: number, at: time }\n");
    REQUIRE(events.mistakes.empty());
    context.events = events.names();
    context.declared = &events.events;
    context.templates = &templates;
    context.seen_traits = {"firstName", "email"};
    const auto offers = schema::load_actions("actions.yaml", R"(
actions:
  - { id: gift, channel: email, value: 1, steps: [{ name: mail, send: { channel: email, template: plain, topic: cart } }] }
  - { id: note, surface: home, value: 1 }
)",
                                             context);
    REQUIRE(offers.mistakes.empty());
    context.actions = &offers.steps;
    context.journeys.emplace().insert("cart-abandon");
    context.coupons = {"save-ten", "spring"};
    journeys::Lookups lookups;
    lookups.vars = schema::load_vars("vars.yaml", "free_shipping_from: 50").values;
    lookups.tables["refills"] =
        schema::load_table("refills.csv", "product_id,days:int\np1,30").table;
    lookups.audiences =
        schema::load_audiences("a.yaml", "loyal: customer.orders >= 3", {}).audiences;
    context.lookups = &lookups;
    context.now = journeys::Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2}};

    const auto files = support::files_of("tests/golden/mistakes", ".yaml");
    REQUIRE(files.size() > 10);
    for (const auto& file : files) {
        std::string told;
        for (const auto& mistake :
             schema::load_journey(file.filename().string(), support::read_file(file), context)
                 .mistakes)
            told += to_text(mistake) + '\n';
        auto expected = file;
        expected.replace_extension(".txt");
        if (std::getenv("UPDATE_GOLDEN") != nullptr)
            std::ofstream{expected, std::ios::binary} << told;
        INFO(file.filename().string());
        CHECK(told == support::read_file(expected));
    }
}
