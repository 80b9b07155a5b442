/// Other policies are judged rightly by the propensities that our own decisions carry.
#include "journeys/choice.hpp"
#include "runtime/fitting/evaluation.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <random>

namespace {

using namespace journeys;
using namespace runtime::fitting;

Action action(std::string id, double rate) {
    Action made;
    made.id = std::move(id);
    made.value = 10;
    made.prior = {.rate = rate, .weight = 20};
    return made;
}

} // namespace

TEST_CASE("what explore has logged says what each action alone would have earned", "[fitting]") {
    constexpr unsigned seed = 3;
    INFO("seed " << seed);
    std::mt19937 random{seed};
    std::uniform_real_distribution<double> unit{0, 1};
    // It believes in the wrong one, so the log is far from uniform.
    const auto good = action("good", .1), bad = action("bad", .2);
    const std::vector<Candidate> candidates{{&good}, {&bad}};
    Table log{{"action", "propensity", "reward"}, {}};
    for (int i = 0; i < 20'000; ++i) {
        const auto key = "decision " + std::to_string(i);
        DecisionQuestion question;
        question.policy = DecisionPolicy::explore;
        question.candidates = candidates;
        question.decision_key = key;
        const auto choice = choose(question);
        REQUIRE(choice.chosen);
        const bool rewarded = unit(random) < (*choice.chosen == 0 ? .3 : .1);
        log.rows.push_back({candidates[*choice.chosen].action->id,
                            std::to_string(choice.propensity), rewarded ? "1" : "0"});
    }
    for (const auto& [policy, truth] :
         {std::pair{"always:good", .3}, std::pair{"always:bad", .1}}) {
        CAPTURE(policy);
        EvaluationQuestion question;
        question.policy = policy;
        const auto judged = evaluate(log, question);
        REQUIRE(judged.has_value());
        CHECK(judged->policy.is_enough);
        CHECK(judged->policy.logged < .2); // Mostly the bad one was done.
        for (const auto& estimate :
             {judged->policy.ips, judged->policy.snips, judged->policy.doubly_robust})
            CHECK(std::abs(estimate.value - truth) < 4 * estimate.standard_error);
        CHECK(judged->policy.snips.standard_error < .02);
    }
}
