/// The next best action of a person to whom things happen.
#include "journeys/counters.hpp"
#include "journeys/decision.hpp"
#include "journeys/profile.hpp"
#include "tests/journeys/person.hpp"

#include <catch2/catch.hpp>

using namespace tests;

namespace {

OfferedAction offered(std::string id, double value, std::string surface) {
    OfferedAction made;
    made.action.id = std::move(id);
    made.action.value = value;
    made.action.prior = {.rate = .5, .weight = 20};
    made.surface = std::move(surface);
    return made;
}

/// `ada` with two pieces of 30.00 in her cart.
Person with_cart() {
    Person ada;
    ada.meets(
        track("Product Added", noon,
              R"({"cart_id":"c","product_id":"p","price":30,"quantity":2,"currency":"EUR"})"));
    return ada;
}

/// Decides, and lets the customer know, as the service does.
Decision decided(Person& person, const Offers& offers, Timestamp at, const std::string& key,
                 DecisionRequest request = {}) {
    request.key = key;
    auto decision = decide(offers, person.customer, catalog(), at, request);
    auto event = track(std::string{action_decided}, at);
    event.properties = decision_properties(decision, request, catalog());
    event.message_hash = hash(key);
    person.meets(event);
    return decision;
}

std::string id_of(const Decision& decision) {
    return decision.taken ? decision.taken->action.id : "nothing";
}

/// The same under a publication that has these offers; what was taken.
std::string asked(Person& person, const Offers& offers, Timestamp at,
                  std::string_view surface = {}) {
    const Catalog rules{0, {}, {}, {}, {}, nullptr, {}, std::make_shared<const Offers>(offers)};
    const DecisionRequest request{.surface = surface, .key = "k"};
    const auto decision = decide(offers, person.customer, rules, at, request);
    auto event = track(std::string{action_decided}, at);
    event.properties = decision_properties(decision, request, rules);
    observe_made_here(person.customer, event, rules);
    return id_of(decision);
}

} // namespace

TEST_CASE("a decision knows the cart, and only one that can still be ordered", "[decision]") {
    Person ada;
    CHECK_FALSE(decision_context(ada.customer, catalog(), noon).cart_value);
    ada = with_cart();
    CHECK(decision_context(ada.customer, catalog(), noon).cart_value == 60);
    CHECK_FALSE(decision_context(ada.customer, catalog(), noon).churn_risk); // No model says it.
    CHECK_FALSE(decision_context(ada.customer, catalog(), noon).intent);
    ada.meets(track("Order Completed", noon + 1min,
                    R"({"cart_id":"c","order_id":"o","total":60,"currency":"EUR",
                        "products":[{"product_id":"p","quantity":2}]})"));
    const auto after = decision_context(ada.customer, catalog(), noon + 2min);
    CHECK_FALSE(after.cart_value);
    CHECK(after.orders == 1);
}

TEST_CASE("only actions of the surface and of the list are candidates, and those that are eligible "
          "are taken",
          "[decision]") {
    Offers offers;
    offers.actions = {offered("big", 20, "cart-page"), offered("small", 10, "cart-page"),
                      offered("home", 90, "home-page")};
    offers.actions[0].when =
        Expression{cel::compile("cart.value > 60.0", environment(Scope::step)).program, 1};
    auto ada = with_cart();
    const auto ask = [&](DecisionRequest request) {
        request.key = "k";
        return decide(offers, ada.customer, catalog(), noon, request);
    };
    const auto on_page = ask({.surface = "cart-page"});
    CHECK(id_of(on_page) == "small");
    REQUIRE(on_page.choice.scores.size() == 2);
    CHECK(on_page.choice.scores[0].refused == "its condition is not met");
    CHECK(id_of(ask({})) == "home");
    offers.actions.push_back(offered("mail", 900, ""));
    offers.actions.back().channel = "email";
    CHECK(id_of(ask({})) == "home"); // The shop's pages send no mail, unless they name it.
    CHECK(ask({}).choice.scores.size() == 3);
    const std::vector<std::string> named{"mail", "home"};
    CHECK(id_of(ask({.only = named})) == "mail");
    CHECK(id_of(ask({.surface = "home-page", .only = named})) == "home");
    const std::vector<std::string> only{"big"};
    CHECK(id_of(ask({.only = only})) == "nothing");
    CHECK(id_of(ask({.surface = "elsewhere"})) == "nothing");

    ada.meets(track("Product Added", noon + 1min,
                    R"({"cart_id":"c","product_id":"q","price":1,"quantity":1,"currency":"EUR"})"));
    CHECK(id_of(ask({.surface = "cart-page"})) == "big");
}

TEST_CASE("a cap holds within its window, by what was decided before", "[decision]") {
    Offers offers;
    offers.actions = {offered("gift", 20, "cart-page"), offered("note", 10, "cart-page")};
    offers.actions[0].action.cap = 2;
    offers.actions[0].cap_per = 24h;
    auto ada = with_cart();
    CHECK(id_of(decided(ada, offers, noon, "1")) == "gift");
    CHECK(id_of(decided(ada, offers, noon + 1h, "2")) == "gift");
    CHECK(id_of(decided(ada, offers, noon + 2h, "3")) == "note");
    CHECK(id_of(decided(ada, offers, noon + 24h - 1ms, "4")) == "note");
    CHECK(id_of(decided(ada, offers, noon + 24h, "5")) == "gift"); // The first has left it.
    CHECK(id_of(decided(ada, offers, noon + 24h + 1s, "6")) == "note");
}

TEST_CASE("a cap holds however often something else was decided meanwhile", "[decision]") {
    Offers offers;
    offers.actions = {offered("gift", 20, "cart-page"), offered("note", 10, "cart-page")};
    offers.actions[0].action.cap = 1;
    offers.actions[0].cap_per = 24h;
    auto ada = with_cart();
    CHECK(asked(ada, offers, noon) == "gift");
    for (int i = 1; i <= 300; ++i) CHECK(asked(ada, offers, noon + i * 1min) == "note");
    CHECK(asked(ada, offers, noon + 24h - 1ms) == "note");
    CHECK(asked(ada, offers, noon + 24h) == "gift"); // To the instant, not to the hour.
    CHECK(asked(ada, offers, noon + 24h + 1ms) == "note");
}

TEST_CASE("decisions of nothing use up no cap and no budget, be they ever so many", "[decision]") {
    Offers offers;
    offers.actions = {offered("gift", 20, "cart-page"), offered("off", 90, "checkout")};
    offers.actions[0].action.cap = 1;
    offers.actions[0].cap_per = 24h * 30;
    offers.actions[1].action.discount_amount = 4;
    offers.guardrails.discount_budget = 10;
    offers.discount_budget_per = 24h * 30;
    auto ada = with_cart();
    const auto ask = [&](Timestamp at, std::string_view surface) {
        return asked(ada, offers, at, surface);
    };
    for (int i = 0; i < 200; ++i) CHECK(ask(noon + i * 1s, "nowhere") == "nothing");
    CHECK(ask(noon + 1h, "cart-page") == "gift");
    CHECK(ask(noon + 1h, "checkout") == "off");
    CHECK(ask(noon + 2h, "checkout") == "off");
    CHECK(ask(noon + 3h, "checkout") == "nothing"); // 8 of 10.
    // And what was given is not forgotten behind as many.
    for (int i = 0; i < 200; ++i) CHECK(ask(noon + 4h + i * 1s, "nowhere") == "nothing");
    CHECK(ask(noon + 5h, "cart-page") == "nothing");
    CHECK(ask(noon + 5h, "checkout") == "nothing");
    const auto refused = decide(offers, ada.customer, catalog(), noon + 5h, {.key = "k"});
    REQUIRE(refused.choice.scores.size() == 2);
    CHECK(refused.choice.scores[0].refused == "taken 1 times, its cap");
    CHECK(refused.choice.scores[1].refused ==
          "a discount of 4.00 and 8.00 before pass the customer's budget of 10.00");
}

TEST_CASE("what was given more often than is known one by one is counted by the hour",
          "[decision]") {
    Offers offers;
    offers.actions = {offered("off", 90, "checkout")};
    offers.actions[0].action.cap = 100;
    offers.actions[0].cap_per = 24h * 30;
    offers.actions[0].action.discount_amount = .5;
    offers.guardrails.discount_budget = 45;
    offers.discount_budget_per = 24h * 30;
    auto ada = with_cart();
    const auto ask = [&](Timestamp at) { return asked(ada, offers, at); };
    // 45 of the budget are 90 times; and then the cap.
    for (int i = 0; i < 90; ++i) CHECK(ask(noon + i * 30min) == "off");
    CHECK(ask(noon + 46h) == "nothing");
    CHECK(given_since(ada.customer, noon - 1ms, "off").times == 90);
    CHECK(given_since(ada.customer, noon - 1ms, "").discounts == Approx(45));
    offers.guardrails.discount_budget.reset();
    for (int i = 0; i < 10; ++i) CHECK(ask(noon + 47h + i * 1s) == "off");
    CHECK(ask(noon + 48h) == "nothing");
    // The first left the window: their hours leave it with the last of them, and never sooner.
    CHECK(ask(noon + 24h * 30 + 1h - 1ms) == "nothing");
    CHECK(ask(noon + 24h * 30 + 1h) == "off");
    CHECK(ask(noon + 24h * 30 + 1h) == "off");
    CHECK(ask(noon + 24h * 30 + 1h) == "nothing");
}

TEST_CASE("a state from before given counters is read by the decisions that it remembers",
          "[decision]") {
    Offers offers;
    offers.actions = {offered("gift", 20, "cart-page")};
    offers.actions[0].action.cap = 2;
    offers.actions[0].cap_per = 24h;
    auto ada = with_cart();
    CHECK(id_of(decided(ada, offers, noon, "1")) == "gift"); // A catalogue without offers.
    CHECK(given_since(ada.customer, noon - 1ms, "gift").times == 1);
    CHECK(given_since(ada.customer, noon, "gift").times == 0);
    CHECK(id_of(decided(ada, offers, noon + 1h, "2")) == "gift");
    CHECK(id_of(decided(ada, offers, noon + 2h, "3")) == "nothing");
}

TEST_CASE("a customer whose records are parked is given nothing that is counted", "[decision]") {
    Offers offers;
    offers.actions = {offered("gift", 20, "cart-page"), offered("note", 10, "cart-page")};
    offers.actions[0].action.cap = 3;
    offers.actions[0].cap_per = 24h;
    const auto ada = with_cart();
    CHECK(id_of(decide(offers, ada.customer, catalog(), noon, {.key = "k"})) == "gift");
    CHECK(id_of(decide(offers, ada.customer, catalog(), noon, {.key = "k", .is_parked = true})) ==
          "note");
}

TEST_CASE("discounts are counted against the customer's budget", "[decision]") {
    Offers offers;
    offers.actions = {offered("ten-percent", 90, "cart-page"), offered("note", 1, "cart-page")};
    offers.actions[0].action.discount_percent = 10;
    offers.guardrails.discount_budget = 12;
    offers.discount_budget_per = 24h * 30;
    auto ada = with_cart();
    const auto first = decided(ada, offers, noon, "1");
    CHECK(id_of(first) == "ten-percent");
    CHECK(first.discount == 6);
    CHECK(id_of(decided(ada, offers, noon + 1h, "2")) == "ten-percent"); // 12 of 12.
    CHECK(id_of(decided(ada, offers, noon + 2h, "3")) == "note");
    ada.meets(track("Product Viewed", noon + 24h * 30, R"({"product_id":"p"})"));
    CHECK(id_of(decide(offers, ada.customer, catalog(), noon + 24h * 30, {.key = "4"})) ==
          (current_cart(ada.customer) ? "ten-percent" : "note"));
}

TEST_CASE("a decision is no visit, and says all that another policy is judged by", "[decision]") {
    Offers offers;
    offers.actions = {offered("a", 20, "cart-page"), offered("b", 20, "cart-page")};
    auto ada = with_cart();
    const auto visit = ada.customer.session;
    const auto decision = decided(ada, offers, noon + 10min, "d-1",
                                  {.policy = DecisionPolicy::explore, .surface = "cart-page"});
    CHECK(ada.customer.session.last_at == visit.last_at);
    CHECK(ada.customer.session.events == visit.events);
    CHECK(decision.choice.propensity == Approx(.5));

    const DecisionRequest request{
        .policy = DecisionPolicy::explore, .surface = "cart-page", .key = "d-1"};
    const auto bytes = decision_properties(decision, request, catalog());
    CHECK(PackedView::validate(bytes));
    const PackedView said{bytes};
    CHECK(said.string_at("decision_id") == "d-1");
    CHECK(said.string_at("action") == id_of(decision));
    CHECK(said.string_at("policy") == "explore");
    CHECK(said.find("propensity").as_double() == decision.choice.propensity);
    CHECK(said.find("has_cart").as_double() == 1);
    CHECK(said.find("cart_value").as_double() == Approx(60.0 / 160));

    offers.holdout = 1;
    const auto held_out = decide(offers, ada.customer, catalog(), noon, request);
    CHECK(id_of(held_out) == "nothing");
    const auto empty = decision_properties(held_out, request, catalog());
    CHECK(PackedView{empty}.find("action").is_null());
    CHECK(PackedView{empty}.find("held_out").as_bool());
}

TEST_CASE("a cart in another currency than the workspace's is worth an unknown sum", "[decision]") {
    Offers offers;
    offers.actions = {offered("ten-off", 100, "cart-page"), offered("news", 10, "cart-page")};
    offers.actions[0].action.discount_amount = 3;
    const auto ada = with_cart(); // 60.00 EUR
    const auto decided_in = [&](const std::string& currency) {
        Settings settings;
        settings.currency = currency;
        const Catalog rules{0,  settings, {}, {},
                            {}, nullptr,  {}, std::make_shared<const Offers>(offers)};
        return decide(offers, ada.customer, rules, noon, {.surface = "cart-page", .key = "k"});
    };
    for (const auto* same : {"", "EUR"}) {
        const auto decision = decided_in(same);
        CHECK(decision.context.cart_value == 60);
        CHECK(id_of(decision) == "ten-off");
    }
    const auto foreign = decided_in("USD");
    CHECK_FALSE(foreign.context.cart_value);
    CHECK(id_of(foreign) == "news");
    CHECK(foreign.choice.scores[0].refused.find("the cart is in another currency") !=
          std::string::npos);
    REQUIRE_FALSE(foreign.choice.reasons.empty());
    CHECK(foreign.choice.reasons[0].find("another currency than the workspace's") !=
          std::string::npos);
}
