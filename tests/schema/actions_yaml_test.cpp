#include "schema/actions_yaml.hpp"
#include "tests/support/files.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace schema;
using namespace std::chrono_literals;

namespace {

/// Two channels, and nothing else that is configured.
const LoadContext& context() {
    static const journeys::Settings settings = [] {
        journeys::Settings made;
        made.channels = {{.name = "email", .type = "sandbox"}, {.name = "push", .type = "sandbox"}};
        return made;
    }();
    static const LoadContext made{.settings = &settings};
    return made;
}

std::string told(std::string_view text) {
    std::string all;
    for (const auto& mistake : load_actions("a.yaml", text, context()).mistakes)
        all += to_text(mistake) + '\n';
    return all;
}

} // namespace

TEST_CASE("a file of actions reaches the rules", "[schema]") {
    const auto loaded = load_actions("a.yaml", R"(
margin: 40%
discount_of_margin: 25%
would_buy_anyway: 0.6
discount_budget: { amount: 30, per: 90d }
floor: 2%
holdout: 10%
actions:
  - id: free-shipping
    surface: cart-page
    when: cart.value > 20.0
    value: 12
    cost: 4.5
    cap: { max: 3, per: 30d }
    prior: { rate: 0.2, weight: 100 }
  - { id: ten-percent-off, channel: email, value: 20, discount: 10%, steps: [{ wait: { for: 1h } }] }
  - { id: five-off, channel: push, value: 20, discount: 5, steps: [{ wait: { for: 1h } }] }
)",
                                     context());
    for (const auto& mistake : loaded.mistakes) FAIL(to_text(mistake));
    CHECK(loaded.guardrails.margin == Approx(.4));
    CHECK(loaded.guardrails.discount_of_margin_max == Approx(.25));
    CHECK(loaded.guardrails.would_buy_anyway == .6);
    CHECK(loaded.guardrails.discount_budget == 30);
    CHECK(loaded.discount_budget_per == 90 * 24h);
    CHECK(loaded.floor == Approx(.02));
    CHECK(loaded.holdout == Approx(.1));
    REQUIRE(loaded.actions.size() == 3);
    const auto& first = loaded.actions[0];
    CHECK(first.action.id == "free-shipping");
    CHECK(first.surface == "cart-page");
    CHECK(first.when->line == 11);
    CHECK(first.action.value == 12);
    CHECK(first.action.cost == 4.5);
    CHECK(first.action.cap == 3u);
    CHECK(first.cap_per == 30 * 24h);
    CHECK(first.action.prior.rate == .2);
    CHECK(first.action.prior.weight == 100);
    CHECK_FALSE(first.action.is_discount());
    CHECK(loaded.actions[1].action.discount_percent == Approx(10));
    CHECK(loaded.actions[1].channel == "email");
    CHECK_FALSE(loaded.actions[1].when);
    CHECK(loaded.actions[2].action.discount_amount == 5);
}

TEST_CASE("without a file there are no actions, and cautious guardrails", "[schema]") {
    const auto loaded = load_actions("a.yaml", "");
    CHECK(loaded.mistakes.empty());
    CHECK(loaded.actions.empty());
    CHECK(loaded.guardrails.margin == .3);
    CHECK_FALSE(loaded.guardrails.discount_budget);
    CHECK(loaded.holdout == 0);
}

TEST_CASE("mistakes in actions are told by their place, and such an action is left out",
          "[schema]") {
    const std::string_view text = R"(actions:
  - { id: Free, channel: emial, value: -1 }
  - { id: a, value: 1 }
  - { id: a, channel: email, surface: cart, value: 1 }
  - { id: b, channel: email, value: 1, when: run.key == "x" }
  - { id: c, channel: email, value: 1, when: cart.valeu > 1.0 }
  - { id: d, channel: email, value: 1, discount: 101%, cap: { max: 0 } }
  - { id: e, channel: email, value: 1, prior: { weight: 0 }, colour: red }
  - { id: f, channel: email, value: 1, steps: { wait: 1h } }
  - { id: g, channel: email, value: 1, discount: 100%, prior: { rate: 1, weight: 1 } }
)";
    const auto loaded = load_actions("a.yaml", text, context());
    REQUIRE(loaded.actions.size() == 1); // Both ends of what is allowed.
    CHECK(loaded.actions[0].action.id == "g");
    const auto all = told(text);
    CAPTURE(all);
    for (const auto* expected :
         {"a.yaml:2:11: \"Free\" is no id: a-z, 0-9 and -, at most 64 characters",
          "a.yaml:2:26: no channel \"emial\". Did you mean \"email\"? Configured in sojourn.yaml: "
          "email, push",
          "a.yaml:2:40: expected a number from 0 to 1000000, found",
          "a.yaml:3:5: an action has a channel or a surface, one of the two",
          "a.yaml:4:11: a second action with the id \"a\"",
          "a.yaml:4:23: an action has a channel or a surface, one of the two",
          "a.yaml:5:46: the shop may ask for an action without a run, so its condition cannot look "
          "at one",
          "a.yaml:6:", "a.yaml:7:50: a discount is from 0% to 100%, or an amount",
          "a.yaml:7:68: expected a whole number from 1 to 1000, found",
          "a.yaml:7:61: a cap needs \"per:\", a window such as 30d",
          "a.yaml:8:47: a prior needs \"rate:\", the share that succeeds, from 0 to 1",
          "a.yaml:8:57: expected a number from 1 to 1000000, found",
          "a.yaml:8:62: unknown key \"colour\" in an action.",
          "a.yaml:9:47: expected a list of steps, each beginning with"}) {
        CAPTURE(expected);
        CHECK(all.find(expected) != std::string::npos);
    }
    CHECK(told("margin: 30%\n").find("needs \"actions:\"") != std::string::npos);
    CHECK(told("actions: { a: 1 }\n").find("a.yaml:1:10: actions is a list") == 0);
    CHECK(told("actions: []\nmargin: 130%\n").find("a.yaml:2:9: ") == 0);
}

TEST_CASE("no guardrail is switched off without a word", "[schema]") {
    const auto with = [](const std::string& rules,
                         const std::string& action = "cap: { max: 1, per: 1s }") {
        return told(rules + "\nactions:\n  - { id: a, surface: s, value: 1, " + action + " }\n");
    };
    CHECK(with("discount_budget: { amount: 10, per: 1s }").empty());
    const std::string nothing_counts =
        "in a window of 0s nothing is ever counted, so nothing would be held back\n";
    CHECK(with("discount_budget: { amount: 10, per: 0s }") == "a.yaml:1:37: " + nothing_counts);
    CHECK(with("margin: 30%", "cap: { max: 1, per: 0s }") == "a.yaml:3:56: " + nothing_counts);

    const std::string no_time = "a reward needs time to come: within is longer than 0s\n";
    CHECK(with("within: 1s").empty());
    CHECK(with("within: 0s") == "a.yaml:1:9: " + no_time);
    CHECK(with("margin: 30%", "within: 1s").empty());
    CHECK(with("margin: 30%", "within: 0s") == "a.yaml:3:44: " + no_time);

    CHECK(told("actions:\n  - { id: nothing, surface: s, value: 1 }\n") ==
          "a.yaml:2:11: \"nothing\" is what reports and the export call it where no action was "
          "taken\n");
    CHECK(told("actions:\n  - { id: nothing-more, surface: s, value: 1 }\n").empty());

    CHECK(with("recommend: { when: product.price < 3 && product.in_stock == true }").empty());
    CHECK(with("recommend: { when: [product.id != 'x', product.prce < 3] }") ==
          "a.yaml:1:40: product has no \"prce\". Did you mean \"price\"? A rule of recommendations "
          "sees: id, name, category, price, in_stock\n");
}

TEST_CASE("a floor that not all actions of a place can have is told of", "[schema]") {
    const auto with = [](const std::string& floor, int actions) {
        std::string text = "floor: " + floor + "\nactions:\n  - { id: b, surface: t, value: 1 }\n";
        for (int i = 0; i < actions; ++i)
            text += "  - { id: a" + std::to_string(i) + ", surface: s, value: 1 }\n";
        return told(text);
    };
    CHECK(with("50%", 2).empty());
    CHECK(with("51%", 1) ==
          "a.yaml:1:8: a floor is at most 50%: no two actions can each have more\n");
    CHECK(with("33%", 3).empty());
    CHECK(with("34%", 3) ==
          "a.yaml:1:8: warning: \"s\" has 3 actions, which cannot each have 34%: "
          "where all may be taken each gets the same chance, and nothing that was "
          "learned counts\n");
    CHECK(with("6%", 16).empty());
    CHECK(with("6%", 40).empty()); // No more than 16 are weighed.
    CHECK(with("7%", 40).find("has 16 actions") != std::string::npos);
}

TEST_CASE("steps that would not run, and places that have none, are warned of", "[schema]") {
    CHECK(told("actions:\n  - { id: a, surface: s, value: 1, steps: [{ wait: { for: 1h } }] }\n") ==
          "a.yaml:2:43: warning: the steps of an action on a surface run only where a journey "
          "decides, not where the shop asks\n");
    CHECK(
        told("actions:\n  - { id: a, channel: push, value: 1 }\n") ==
        "a.yaml:2:5: warning: an action on a channel without steps: a journey that takes it sends "
        "nothing\n");
    CHECK(told("actions:\n  - { id: a, channel: push, value: 1, steps: [{ wait: { for: 1h } }] }\n")
              .empty());
}

TEST_CASE("a file of actions is bounded", "[schema]") {
    std::string text = "actions:\n";
    for (std::size_t i = 0; i < actions_file_max; ++i)
        text += "  - { id: a" + std::to_string(i) + ", surface: s, value: 1 }\n";
    CHECK(told(text).empty());
    text += "  - { id: more, surface: s, value: 1 }\n";
    CHECK(told(text) == "a.yaml:202:5: more than 200 actions\n");
}

TEST_CASE("actions.schema.json has every key of the loader, and no other", "[schema]") {
    const auto json = nlohmann::json::parse(
        support::read_file(support::source_path("schema/actions.schema.json")));
    std::map<std::string, const nlohmann::json*> sections;
    sections[json.at("x-section")] = &json;
    for (const auto& [name, definition] : json.at("$defs").items())
        sections[definition.at("x-section")] = &definition;
    for (const auto& section : actions_sections()) {
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
    CHECK(sections.size() == actions_sections().size());
}

TEST_CASE("the actions of config/ load without a mistake or a warning", "[schema]") {
    const auto loaded = load_actions(
        "actions.yaml", support::read_file(support::source_path("config/actions.yaml")), context());
    for (const auto& mistake : loaded.mistakes) FAIL_CHECK(to_text(mistake));
    CHECK(loaded.actions.size() == 6);
}

TEST_CASE("the reward of an action is its own, else that of all", "[schema]") {
    const auto loaded = load_actions("a.yaml", R"(
reward: Product Viewed
within: 2h
actions:
  - { id: a, surface: x, value: 1 }
  - { id: b, surface: x, value: 1, reward: Order Completed, within: 90d }
  - { id: c, surface: x, value: 1, within: 1h }
)");
    for (const auto& mistake : loaded.mistakes) FAIL(to_text(mistake));
    CHECK(loaded.reward.event == "Product Viewed");
    CHECK(loaded.reward.within == 2h);
    CHECK_FALSE(loaded.actions[0].reward);
    CHECK(loaded.actions[1].reward->event == "Order Completed");
    CHECK(loaded.actions[1].reward->within == 90 * 24h);
    CHECK(loaded.actions[2].reward->event == "Product Viewed");
    CHECK(loaded.actions[2].reward->within == 1h);
    CHECK(told("within: 91d\nactions: []\n") ==
          "a.yaml:1:9: a reward is waited for 90 days, and no longer\n");
}

TEST_CASE("an action's steps are checked where they stand", "[schema]") {
    const auto loaded = load_actions("a.yaml", R"(
actions:
  - id: gift
    channel: email
    value: 1
    steps:
      - name: mail
        send: { channel: email, template: gift, topic: cart }
      - branch:
          - when: customer.orders > 3
            steps: [{ wait: { for: 1h } }]
      - call: { channel: push }
  - { id: note, surface: home, value: 1 }
)",
                                     context());
    for (const auto& mistake : loaded.mistakes) FAIL(to_text(mistake));
    REQUIRE(loaded.steps.size() == 2);
    CHECK(loaded.steps.at("gift").steps.size() == 4);
    CHECK(loaded.steps.at("note").steps.empty());

    CHECK(told(R"(
actions:
  - id: gift
    channel: email
    value: 1
    steps:
      - name: mail
        send: { channel: emial, template: gift, topic: cart }
      - name: again
        decide: { actions: gift }
      - name: seen
        branch:
          - when: run.sent.mail != null
            steps: []
      - wait: { for: 30 }
  - { id: note, channel: emial, value: 1 }
)") == R"(a.yaml:8:26: no channel "emial". Did you mean "email"? Configured in sojourn.yaml: email, push
a.yaml:10:17: an action makes no decision of its own
a.yaml:13:19: an action is taken in many journeys, so its steps know of no send by name
a.yaml:15:22: "30" has no unit: s m h d w. In an expression a duration is a text: "24h"
a.yaml:16:5: warning: an action on a channel without steps: a journey that takes it sends nothing
a.yaml:16:26: no channel "emial". Did you mean "email"? Configured in sojourn.yaml: email, push
)");
}

TEST_CASE("an action's condition sees what the shop says, and neither run nor event", "[schema]") {
    CHECK(told(R"(
actions:
  - { id: a, surface: x, value: 1, when: context.device == 'phone' && context.items > 2 }
)")
              .empty());
    const auto mistakes = told(R"(
actions:
  - { id: a, surface: x, value: 1, when: event.name == 'x' }
)");
    CHECK(mistakes.find("a.yaml:3:42: ") == 0);
    CHECK(mistakes.find("no event is being applied where an action is chosen") != mistakes.npos);
}
