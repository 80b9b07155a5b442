#include "journeys/models/reward_model.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

using namespace journeys::models;

namespace {

const DecisionFeatures nothing_known = features_of({});

DecisionFeatures with_intent(double intent) { return features_of({.intent = intent}); }

} // namespace

TEST_CASE("features stay between 0 and 1, and what is unknown counts as 0", "[reward_model]") {
    CHECK(nothing_known == DecisionFeatures{1, 0, 0, 0, 0, 0, 0});
    CHECK(features_of({100, 2, .25, .5, true}) == DecisionFeatures{1, 1, .5, 1, .25, .5, 1});
    CHECK(features_of({.cart_value = 0}) == nothing_known);
    CHECK(features_of({.cart_value = -5}) == nothing_known);
    CHECK(features_of({.churn_risk = 7, .intent = -1})[4] == 1);
    CHECK(features_of({.churn_risk = 7, .intent = -1})[5] == 0);
    CHECK(features_of({.intent = std::numeric_limits<double>::quiet_NaN()}) == nothing_known);
    CHECK(features_of({.cart_value = std::numeric_limits<double>::infinity()})[2] == 1);
}

TEST_CASE("an action that nobody has tried is believed what its prior says", "[reward_model]") {
    const auto belief = RewardPosterior{{.rate = .2, .weight = 25}}.belief(nothing_known);
    CHECK(belief.mean == Approx(.2));
    CHECK(belief.deviation == Approx(std::sqrt(.2 * .8 / 25))); // As after 25 decisions.
    const auto known = RewardPosterior{{.rate = .2, .weight = 25}}.belief(with_intent(1));
    CHECK(known.mean == Approx(.2));
    CHECK(known.deviation == Approx(std::sqrt(2 * .2 * .8 / 25))); // Less sure of more.
}

TEST_CASE("one feature alone: the posterior is the weighted mean", "[reward_model]") {
    RewardEvidence evidence;
    for (int i = 0; i < 80; ++i) evidence.add(nothing_known, i < 40 ? 1 : 0);
    CHECK(evidence.decisions() == 80);
    CHECK(evidence.rewards() == 40);
    const auto belief = RewardPosterior{{.rate = .1, .weight = 20}, evidence}.belief(nothing_known);
    const double mean = (20 * .1 + 40) / (20 + 80);
    CHECK(belief.mean == Approx(mean));
    CHECK(belief.deviation == Approx(std::sqrt(mean * (1 - mean) / 100)));
}

TEST_CASE("what was drawn from a line is found again", "[reward_model]") {
    constexpr unsigned seed = 11;
    INFO("seed " << seed);
    std::mt19937 random{seed};
    std::uniform_real_distribution<double> unit{0, 1};
    RewardEvidence evidence;
    for (int i = 0; i < 20'000; ++i) {
        const DecisionContext context{.cart_value = 200 * unit(random), .intent = unit(random)};
        const auto features = features_of(context);
        const double rate = .05 + .2 * features[2] + .3 * features[5];
        evidence.add(features, unit(random) < rate ? 1 : 0);
    }
    const RewardPosterior posterior{{}, evidence};
    for (const double intent : {0.0, .5, 1.0}) {
        const auto features = features_of({.cart_value = 100, .intent = intent});
        const auto belief = posterior.belief(features);
        CHECK(belief.deviation < .02);
        CHECK(std::abs(belief.mean - (.05 + .1 + .3 * intent)) < 4 * belief.deviation);
    }
}

TEST_CASE("evidence from several places adds up to the same posterior", "[reward_model]") {
    RewardEvidence all, first, second;
    for (int i = 0; i < 100; ++i) {
        const auto features = features_of(
            {.cart_value = i * 1.5, .orders = i % 3, .intent = i / 100.0, .is_vip = i % 7 == 0});
        const double reward = i % 4 == 0 ? 1 : 0;
        all.add(features, reward);
        (i % 2 == 0 ? first : second).add(features, reward);
    }
    auto one_way = first, other_way = second;
    one_way += second;
    other_way += first;
    CHECK(one_way.decisions() == 100);
    const auto asked = with_intent(.3);
    const auto expected = RewardPosterior{{}, all}.belief(asked);
    for (const auto& sum : {one_way, other_way}) {
        CHECK(RewardPosterior{{}, sum}.belief(asked).mean == Approx(expected.mean));
        CHECK(RewardPosterior{{}, sum}.belief(asked).deviation == Approx(expected.deviation));
    }
}

TEST_CASE("the chance to be best is that of two normal values, and adds up to 1",
          "[reward_model]") {
    // P(X > Y) = Φ((μx − μy) / √(σx² + σy²)); Φ(1) = .8413447.
    const std::vector<RewardBelief> two{{.5, .3}, {0, .4}};
    const auto chances = chances_to_be_best(two);
    CHECK(chances[0] == Approx(.8413447).margin(1e-6));
    CHECK(chances[0] + chances[1] == Approx(1));

    for (const auto& equal : chances_to_be_best(std::vector<RewardBelief>(16, {.2, .1})))
        CHECK(equal == Approx(1.0 / 16));
    for (const auto& equal : chances_to_be_best(std::vector<RewardBelief>(3, {.2, 0})))
        CHECK(equal == Approx(1.0 / 3)); // Nothing is known to differ.
    const auto certain = chances_to_be_best(std::vector<RewardBelief>{{.3, 0}, {.2, 0}});
    CHECK(certain[0] == Approx(1));
    CHECK(certain[1] == Approx(0).margin(1e-12));
    CHECK(chances_to_be_best(std::vector<RewardBelief>{{-4, 2}}) == std::vector<double>{1});
}

TEST_CASE("the chance to be best is how often a draw is the highest", "[reward_model]") {
    constexpr unsigned seed = 5;
    INFO("seed " << seed);
    const std::vector<RewardBelief> beliefs{{.10, .02}, {.12, .05}, {.05, .10}, {.11, .001}};
    std::mt19937 random{seed};
    std::normal_distribution<double> normal;
    std::vector<double> wins(beliefs.size(), 0);
    constexpr int draws = 100'000;
    for (int i = 0; i < draws; ++i) {
        std::vector<double> drawn;
        for (const auto& belief : beliefs)
            drawn.push_back(belief.mean + belief.deviation * normal(random));
        wins[static_cast<std::size_t>(std::ranges::max_element(drawn) - drawn.begin())] += 1;
    }
    const auto chances = chances_to_be_best(beliefs);
    CHECK(std::accumulate(chances.begin(), chances.end(), 0.0) == Approx(1));
    // Four standard errors, and what the quadrature makes of the very narrow one.
    for (std::size_t i = 0; i < beliefs.size(); ++i)
        CHECK(chances[i] == Approx(wins[i] / draws).margin(.012));
}
