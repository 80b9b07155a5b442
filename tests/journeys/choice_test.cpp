#include "journeys/choice.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace journeys;

namespace {

Action plain(std::string id, double rate, double value = 10, double cost = 0) {
    Action action;
    action.id = std::move(id);
    action.value = value;
    action.cost = cost;
    action.prior = {.rate = rate, .weight = 50};
    return action;
}

/// Ten per cent off; a cart's margin is 30 %, and half of it may go.
Action ten_percent() {
    auto action = plain("ten-percent", .5);
    action.discount_percent = 10;
    return action;
}

DecisionQuestion ask(DecisionPolicy policy, const std::vector<Candidate>& candidates) {
    DecisionQuestion question;
    question.policy = policy;
    question.candidates = candidates;
    question.context.cart_value = 100;
    question.customer = "user:ada";
    question.decision_key = "run 1/offer";
    return question;
}

std::string chosen_id(const Choice& choice) {
    return choice.chosen ? choice.scores[*choice.chosen].id : "nothing";
}

} // namespace

TEST_CASE("fixed takes the first that may be taken, best the one that is worth most", "[choice]") {
    const auto first = plain("first", .1), second = plain("second", .2),
               dear = plain("dear", .9, 10, 8);
    std::vector<Candidate> candidates{{&first}, {&second}, {&dear}};
    CHECK(chosen_id(choose(ask(DecisionPolicy::fixed, candidates))) == "first");
    const auto best = choose(ask(DecisionPolicy::best, candidates));
    CHECK(chosen_id(best) == "second"); // 2 against 1 and 9 − 8.
    CHECK(best.propensity == 1);
    CHECK(best.scores[2].score == Approx(1));
    CHECK(best.reasons ==
          std::vector<std::string>{"second is worth most: 2.00, with 20 % to succeed."});

    candidates[0].is_eligible = false;
    const auto fixed = choose(ask(DecisionPolicy::fixed, candidates));
    CHECK(chosen_id(fixed) == "second");
    CHECK(fixed.reasons == std::vector<std::string>{"first is left out: its condition is not met.",
                                                    "second is the first that may be taken."});

    const std::vector<Candidate> equal{{&second}, {&second}};
    CHECK(choose(ask(DecisionPolicy::best, equal)).chosen == 0);
}

TEST_CASE("where nothing may be taken nothing is done, and it is said why", "[choice]") {
    const auto only = plain("only", .1);
    for (const auto policy :
         {DecisionPolicy::fixed, DecisionPolicy::best, DecisionPolicy::explore}) {
        const auto choice = choose(ask(policy, {{.action = &only, .is_eligible = false}}));
        CHECK(!choice.chosen);
        CHECK(choice.propensity == 1);
        CHECK(choice.reasons.back() == "No action may be taken.");
        CHECK(!choose(ask(policy, {})).chosen);
    }
}

TEST_CASE("nothing is taken where nothing is worth more than it costs, unless the order is fixed",
          "[choice]") {
    const auto loser = plain("loser", .1, 1, 100), even = plain("even", .5, 10, 5),
               winner = plain("winner", .5, 10, 4.99);
    for (const auto policy : {DecisionPolicy::best, DecisionPolicy::explore}) {
        const auto nothing = choose(ask(policy, {{&loser}}));
        CHECK(!nothing.chosen);
        CHECK(nothing.propensity == 1);
        CHECK(nothing.scores[0].chance == 0);
        CHECK(nothing.reasons ==
              std::vector<std::string>{
                  "Nothing is worth more than it costs: loser is expected to bring -99.90."});
        CHECK(!choose(ask(policy, {{&loser}, {&even}})).chosen); // 0 is not more than nothing.
        CHECK(choose(ask(policy, {{&winner}})).chosen == 0);
    }
    CHECK(choose(ask(DecisionPolicy::best, {{&loser}, {&winner}})).chosen == 1);
    CHECK(choose(ask(DecisionPolicy::fixed, {{&loser}})).chosen == 0); // Asked for as it stands.
}

TEST_CASE("a cap holds from its last time on", "[choice]") {
    auto capped = plain("capped", .1);
    capped.cap = 2;
    CHECK(choose(ask(DecisionPolicy::fixed, {{.action = &capped, .times_taken = 1}})).chosen == 0);
    const auto full = choose(ask(DecisionPolicy::fixed, {{.action = &capped, .times_taken = 2}}));
    CHECK(!full.chosen);
    CHECK(full.scores[0].refused == "taken 2 times, its cap");
}

TEST_CASE("where it is not known what was given, nothing that is counted is given", "[choice]") {
    auto capped = plain("capped", .9);
    capped.cap = 1'000;
    const auto discount = ten_percent(), note = plain("note", .1);
    const std::vector<Candidate> candidates{{&capped}, {&discount}, {&note}};
    auto question = ask(DecisionPolicy::best, candidates);
    CHECK(chosen_id(choose(question)) == "capped");
    question.is_given_unknown = true;
    const auto choice = choose(question);
    CHECK(chosen_id(choice) == "note");
    for (const auto i : {0, 1})
        CHECK(choice.scores[static_cast<std::size_t>(i)].refused ==
              "what the customer was given before is not known while their records are parked");
}

TEST_CASE("guardrails bound what is given away", "[choice]") {
    const auto discount = ten_percent();
    const std::vector<Candidate> candidates{{&discount}};
    auto question = ask(DecisionPolicy::fixed, candidates);
    const auto refused = [&] { return choose(question).scores[0].refused; };
    CHECK(refused().empty());

    SECTION("no more than the margin allows") {
        question.guardrails.discount_of_margin_max = 1.0 / 3 + 1e-9;
        CHECK(refused().empty());
        question.guardrails.discount_of_margin_max = 1.0 / 3 - 1e-3;
        CHECK(refused() == "a discount of 10.00 is more than the margin allows, 9.97");
    }
    SECTION("not to somebody who would buy anyway") {
        question.context.intent = .69;
        CHECK(refused().empty());
        question.context.intent = .7;
        CHECK(refused() == "would buy anyway with 70 %, from 70 % on there is no discount");
        const auto reminder = plain("reminder", .1);
        const std::vector<Candidate> others{{&reminder}};
        question.candidates = others;
        CHECK(refused().empty()); // It gives nothing away.
    }
    SECTION("within the customer's budget") {
        question.guardrails.discount_budget = 25;
        question.discount_given = 15;
        CHECK(refused().empty());
        question.discount_given = 15.01;
        CHECK(refused() ==
              "a discount of 10.00 and 15.01 before pass the customer's budget of 25.00");
    }
    SECTION("not where no cart says what the margin is") {
        question.context.cart_value.reset();
        CHECK(refused() == "a discount is measured by the cart's margin, and there is no cart");
    }
    SECTION("a value that is no number allows nothing") {
        question.context.cart_value = std::numeric_limits<double>::quiet_NaN();
        CHECK(!refused().empty());
    }
    SECTION("and what is given counts against the value, where it is taken") {
        question.context.cart_value = 40;
        const auto choice = choose(question);
        CHECK(choice.scores[0].score == Approx(.5 * (10 - 4)));
    }
}

TEST_CASE("explore draws by the chance that it logs, and a replay draws the same", "[choice]") {
    const auto a = plain("a", .10), b = plain("b", .12), c = plain("c", .02);
    const std::vector<Candidate> candidates{{&a}, {&b}, {&c}};
    auto question = ask(DecisionPolicy::explore, candidates);
    const auto odds = choose(question);
    std::vector<int> taken(3, 0);
    constexpr int decisions = 4'000;
    for (int i = 0; i < decisions; ++i) {
        const auto key = "run " + std::to_string(i) + "/offer";
        question.decision_key = key;
        const auto choice = choose(question);
        REQUIRE(choice.chosen);
        CHECK(choice.propensity == choice.scores[*choice.chosen].chance);
        if (i < 50) CHECK(choose(question).chosen == choice.chosen);
        taken[*choice.chosen] += 1;
    }
    double sum = 0;
    for (std::size_t i = 0; i < 3; ++i) {
        const double chance = odds.scores[i].chance;
        sum += chance;
        CHECK(chance >= .05);
        CHECK(std::abs(taken[i] - decisions * chance) <
              4 * std::sqrt(decisions * chance * (1 - chance)));
    }
    CHECK(sum == Approx(1));
}

TEST_CASE("the floor of exploration keeps every allowed action alive", "[choice]") {
    const auto good = plain("good", .9, 1000), bad = plain("bad", .0, 1000);
    std::vector<Candidate> candidates{{&good}, {&bad}};
    auto question = ask(DecisionPolicy::explore, candidates);
    question.floor = .1;
    CHECK(choose(question).scores[1].chance == Approx(.1).margin(1e-6));
    question.floor = 0;
    CHECK(choose(question).scores[1].chance == Approx(0).margin(1e-6));
    question.floor = .9; // More than all can have: then all have the same.
    CHECK(choose(question).scores[1].chance == Approx(.5));
    candidates[1].is_eligible = false;
    question.candidates = candidates;
    CHECK(choose(question).scores[1].chance == 0);
    CHECK(choose(question).propensity == Approx(1));
}

TEST_CASE("the holdout is the customer's, in every decision", "[choice]") {
    const auto only = plain("only", .1);
    const std::vector<Candidate> candidates{{&only}};
    auto question = ask(DecisionPolicy::best, candidates);
    question.holdout = .1;
    int held_out = 0;
    for (int i = 0; i < 5'000; ++i) {
        const auto customer = "user:" + std::to_string(i);
        question.customer = customer;
        question.decision_key = "one";
        const auto choice = choose(question);
        CHECK(choice.is_held_out != choice.chosen.has_value());
        held_out += choice.is_held_out ? 1 : 0;
        question.decision_key = "another";
        CHECK(choose(question).is_held_out == choice.is_held_out);
    }
    CHECK(std::abs(held_out - 500) < 4 * std::sqrt(5'000 * .1 * .9));
    question.customer = "user:1";
    question.holdout = 1;
    CHECK(choose(question).is_held_out);
    question.holdout = 0;
    CHECK(!choose(question).is_held_out);
}

TEST_CASE("beyond the bound of actions none is weighed", "[choice]") {
    const auto only = plain("only", .1);
    std::vector<Candidate> candidates(actions_max + 1, Candidate{&only});
    const auto choice = choose(ask(DecisionPolicy::explore, candidates));
    CHECK(choice.scores[actions_max - 1].refused.empty());
    CHECK(choice.scores[actions_max].refused == "too many actions to weigh");
    CHECK(choice.scores[actions_max].chance == 0);
}

TEST_CASE("exploring finds out which action works for whom", "[choice]") {
    // b works for those with intent, a for the others; told apart by rewards alone.
    constexpr unsigned seed = 21;
    INFO("seed " << seed);
    std::mt19937 random{seed};
    std::uniform_real_distribution<double> unit{0, 1};
    const auto a = plain("a", .2), b = plain("b", .2);
    std::vector<models::RewardEvidence> evidence(2);
    double late_rewards = 0;
    constexpr int rounds = 60, size = 100, late = 20;
    for (int round = 0; round < rounds; ++round) {
        // A posterior stays as it is while it is in force.
        const models::RewardPosterior of_a{a.prior, evidence[0]}, of_b{b.prior, evidence[1]};
        const std::vector<Candidate> candidates{{.action = &a, .posterior = &of_a},
                                                {.action = &b, .posterior = &of_b}};
        for (int i = 0; i < size; ++i) {
            auto question = ask(DecisionPolicy::explore, candidates);
            const bool keen = unit(random) < .5;
            question.context.intent = keen ? .6 : 0;
            const auto key = std::to_string(round) + '/' + std::to_string(i);
            question.decision_key = key;
            const auto chosen = *choose(question).chosen;
            const double reward = unit(random) < ((chosen == 1) == keen ? .4 : .1) ? 1 : 0;
            evidence[chosen].add(models::features_of(question.context), reward);
            if (round >= rounds - late) late_rewards += reward;
        }
    }
    // Either action for all earns .25; the right one, but for a floor of 5 %, .385.
    CHECK(late_rewards / (late * size) > .35);
}
