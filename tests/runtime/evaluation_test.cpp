/// Policies judged by logs: on drawn decisions whose truth is known, and on Hillstrom's and the
/// Open Bandit data (shared data).
#include "runtime/fitting/evaluation.hpp"
#include "tests/support/shared_data.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <random>
#include <sstream>

using namespace runtime::fitting;

namespace {

Table table_of(const std::filesystem::path& path) {
    std::string text;
    for (const auto& line : support::read_lines(path)) text += line + "\n";
    std::istringstream in{text};
    auto table = read_table(in, path.string());
    REQUIRE(table.has_value());
    return std::move(*table);
}

Table table_of(const std::string& text) {
    std::istringstream in{text};
    auto table = read_table(in, "log.csv");
    REQUIRE(table.has_value());
    return std::move(*table);
}

/// Action b is better for those with x = 1, a for the others; b was chosen with .2 and .7.
Table drawn_log(int rows, std::uint32_t seed) {
    std::mt19937 random{seed};
    std::uniform_real_distribution<double> unit{0, 1};
    std::string text = "action,propensity,reward,x\n";
    for (int i = 0; i < rows; ++i) {
        const bool x = unit(random) < .5;
        const double chance_of_b = x ? .2 : .7;
        const bool b = unit(random) < chance_of_b;
        const double rate = b == x ? .3 : .1;
        text += std::string{b ? "b" : "a"} + ',' +
                std::to_string(b ? chance_of_b : 1 - chance_of_b) + ',' +
                (unit(random) < rate ? "1" : "0") + ',' + (x ? "yes" : "no") + '\n';
    }
    return table_of(text);
}

bool covers(const Estimate95& estimate, double truth) {
    return std::abs(estimate.value - truth) < 3.3 * estimate.standard_error;
}

} // namespace

TEST_CASE("a policy's value is found from decisions that another one took") {
    const auto log = drawn_log(20'000, 3);
    const auto uniform = evaluate(log, {});
    REQUIRE(uniform.has_value());
    CHECK(covers(uniform->policy.ips, .2));
    CHECK(covers(uniform->policy.snips, .2));
    CHECK(covers(uniform->policy.doubly_robust, .2));
    CHECK(uniform->policy.doubly_robust.standard_error < uniform->policy.ips.standard_error);
    CHECK(uniform->policy.weight_max == Approx(.5 / .2));

    const auto always = evaluate(log, {.policy = "always:b"});
    REQUIRE(always.has_value());
    CHECK(covers(always->policy.ips, .2));
    CHECK(always->policy.effective_sample_size < 20'000 * .45);

    const auto learned = evaluate(log, {.policy = "learned", .context = {"x"}});
    REQUIRE(learned.has_value());
    CHECK(covers(learned->policy.doubly_robust, .3));
    CHECK(learned->difference->low() > 0);
    CHECK(learned->verdict.starts_with("It earns more than"));
}

TEST_CASE("below the floor of effective samples nothing is said of a policy") {
    std::string text = "action,propensity,reward\n";
    for (int i = 0; i < 2'000; ++i) text += "a,0.999,0\n";
    text += "b,0.001,1\n"; // One lucky decision weighs as much as five hundred others.
    const auto found =
        evaluate(table_of(text), {.policy = "always:b", .effective_samples_min = 100});
    REQUIRE(found.has_value());
    CHECK(!found->policy.is_enough);
    CHECK(found->policy.effective_sample_size == Approx(1));
    CHECK(
        found->verdict ==
        "Nothing can be said: the log is worth 1 decisions of this policy, and 100 are asked for; "
        "one decision alone weighs 1000.");
    CHECK(nlohmann::json::parse(to_json(*found))["policy"]["is_enough"] == false);
    CHECK(to_text(*found).find("Nothing can be said") != std::string::npos);
}

TEST_CASE("nothing is said of a policy whose decisions the log could not take") {
    // By a fixed rule: the rich got a, the poor b, and the rich spend more in any case.
    std::string text = "action,propensity,reward,surface\n";
    for (int i = 0; i < 2'000; ++i) {
        text += i % 10 < 6 ? "a,1,1,cart\n" : "b,1,0,cart\n";
        text += i % 2 == 0 ? "a,.5,1,home\n" : "b,.5,0,home\n";
    }
    const auto log = table_of(text);
    const auto of_cart =
        evaluate(log, {.policy = "always:a", .effective_samples_min = 100, .surface = "cart"});
    REQUIRE(of_cart.has_value());
    CHECK(of_cart->policy.is_enough);
    CHECK_FALSE(of_cart->policy.is_supported);
    CHECK(of_cart->policy.mean_weight == Approx(.6));
    CHECK(of_cart->policy.unsupported == Approx(.4));
    CHECK(of_cart->verdict ==
          "Nothing can be said: in 40 % of the decisions the policy would have taken what could "
          "not be taken, as another action had a chance of 1.");
    CHECK(nlohmann::json::parse(to_json(*of_cart))["policy"]["is_supported"] == false);
    const auto of_home =
        evaluate(log, {.policy = "always:a", .effective_samples_min = 100, .surface = "home"});
    REQUIRE(of_home.has_value());
    CHECK(of_home->decisions == 2'000);
    CHECK(of_home->policy.is_supported);
    CHECK(of_home->verdict == "It earns more than what was done.");
    CHECK(evaluate(log, {.surface = "shop"}).error().detail ==
          "no decision was on the surface shop");
    CHECK(evaluate(table_of(std::string{"action,propensity,reward\na,.5,1\n"}), {.surface = "home"})
              .error()
              .detail == "there is no column surface, by which rows could be left out");
}

TEST_CASE("uplift is told from a randomised test, and from nothing else") {
    // Who has a high score buys where they are treated, and nobody else does.
    std::string text = "action,propensity,reward,score\n";
    for (int i = 0; i < 400; ++i) {
        const bool high = i % 4 < 2, is_treated = i % 2 == 0;
        text += std::string{is_treated ? "mail" : "none"} + ",.5," +
                (high && is_treated ? "1," : "0,") + (high ? "2\n" : "1\n");
    }
    const auto found = evaluate(table_of(text), {.control = "none", .qini = "score"});
    REQUIRE(found.has_value());
    REQUIRE(found->qini);
    CHECK(*found->qini > .05);
    CHECK(to_text(*found).find("Qini 0.0") != std::string::npos);
    CHECK(nlohmann::json::parse(to_json(*found))["qini"] == Approx(*found->qini));
    const auto mistake = [](const std::string& log, const EvaluationQuestion& question) {
        const auto refused = evaluate(table_of(log), question);
        return refused ? std::string{"accepted"} : refused.error().detail;
    };
    CHECK(mistake(text, {.qini = "score"}) ==
          "uplift needs --control: the action that does nothing");
    CHECK(mistake(text, {.control = "none", .qini = "age"}) == "there is no column age of scores");
    CHECK(mistake(text + "mail,.5,1,high\n", {.control = "none", .qini = "score"}) ==
          "row 401: \"high\" is no score");
    CHECK(mistake(text + "mail,.6,1,1\n", {.control = "none", .qini = "score"}) ==
          "uplift is read from a randomised test, and the chance of mail was not always the same");
}

TEST_CASE("how much support a policy needs, on both sides of the limits") {
    const auto judged = [](int unsupported, double propensity_of_others) {
        std::vector<Decision> decisions;
        for (int i = 0; i < 1'000; ++i)
            decisions.push_back(i < unsupported
                                    ? Decision{.propensity = 1, .target = 0}
                                    : Decision{.propensity = propensity_of_others, .target = 1});
        return judge_policy(decisions, 10);
    };
    CHECK(judged(50, 1).is_supported);
    CHECK_FALSE(judged(51, 1).is_supported);
    CHECK(judged(0, 1 / 1.09).is_supported);
    CHECK_FALSE(judged(0, 1 / 1.11).is_supported);
    // A few rows say nothing against propensities: 3 of 10 chances of .5.
    std::vector<Decision> few(10, Decision{.propensity = .5, .target = 0});
    for (int i = 0; i < 3; ++i) few[static_cast<std::size_t>(i)].target = 1;
    CHECK(judge_policy(few, 1).mean_weight == Approx(.6));
    CHECK(judge_policy(few, 1).is_supported);
    // Many do.
    std::vector<Decision> many;
    for (int i = 0; i < 100; ++i) many.insert(many.end(), few.begin(), few.end());
    CHECK_FALSE(judge_policy(many, 1).is_supported);
}

TEST_CASE("a log that cannot be judged is refused") {
    const auto mistake = [](const std::string& text, const EvaluationQuestion& question = {}) {
        const auto found = evaluate(table_of(text), question);
        return found ? std::string{"accepted"} : found.error().detail;
    };
    CHECK(mistake("action,reward\na,1\n").find("without which no other policy can be judged") !=
          std::string::npos);
    CHECK(mistake("action,propensity\na,1\n") == "there is no column reward of rewards");
    CHECK(mistake("action,propensity,reward\na,0,1\n") ==
          "row 1: a propensity is above 0 and at most 1");
    CHECK(mistake("action,propensity,reward\na,1.2,1\n") ==
          "row 1: a propensity is above 0 and at most 1");
    CHECK(mistake("action,propensity,reward\na,.5,much\n") == "row 1: \"much\" is no reward");
    CHECK(mistake("action,propensity,reward\n") == "the log is empty");
    CHECK(mistake("action,propensity,reward\na,.5,1\n", {.policy = "always:b"}) ==
          "no decision was b");
    CHECK(mistake("action,propensity,reward\na,.5,1\n", {.policy = "greedy"}) ==
          "a policy is uniform, always:ACTION or learned; found greedy");
    CHECK(mistake("action,propensity,reward\na,.5,1\n", {.policy = "learned"}) ==
          "a learned policy needs --context: the columns that it may look at");
}

TEST_CASE("Open Bandit: the uniform policy valued from the log of another, as published, with its "
          "poor sample") {
    const auto path = support::shared_data("obd_men/bts.csv.gz");
    const auto random = support::shared_data("obd_men/random.csv.gz");
    if (!path || !random) return;
    const auto found =
        evaluate(table_of(*path),
                 {.action = "item_id", .propensity = "propensity_score", .reward = "click"});
    REQUIRE(found.has_value());
    const auto& policy = found->policy;
    CHECK(found->actions.size() == 34);
    CHECK(policy.logged == Approx(.0069));
    CHECK(policy.ips.value == Approx(.00301).margin(5e-6));
    CHECK(policy.ips.standard_error == Approx(.00077).margin(5e-6));
    CHECK(policy.snips.value == Approx(.00319).margin(5e-6));
    CHECK(policy.effective_sample_size == Approx(656).margin(.5));
    CHECK(policy.weight_max == Approx(178).margin(.5));
    CHECK(!policy.is_enough); // A fifteenth of the log: not enough to praise or to blame.
    double clicks = 0;
    const auto truth = table_of(*random);
    const auto column =
        static_cast<std::size_t>(std::ranges::find(truth.header, "click") - truth.header.begin());
    for (const auto& row : truth.rows) clicks += row[column] == "1" ? 1 : 0;
    CHECK(clicks / static_cast<double>(truth.rows.size()) == Approx(.0046));
    CHECK(covers(policy.ips, .0046));
}

TEST_CASE("Hillstrom: arms, effects, a fixed policy, uplift and a learned policy") {
    const auto path = support::shared_data("hillstrom/hillstrom.csv.gz");
    if (!path) return;
    const auto table = table_of(*path);
    struct Row {
        std::string arm;
        double mean, effect, error;
    };
    const auto check = [&](const std::string& reward, const std::vector<Row>& expected) {
        const auto found = evaluate(table, {.action = "segment",
                                            .reward = reward,
                                            .propensity_value = 1.0 / 3,
                                            .policy = "always:Mens E-Mail",
                                            .control = "No E-Mail"});
        REQUIRE(found.has_value());
        for (const auto& row : expected) {
            const auto arm = *std::ranges::find(found->arms, row.arm, &Arm::name);
            INFO(reward << " " << row.arm);
            CHECK(arm.mean.value == Approx(row.mean).margin(6e-6));
            CHECK(arm.effect.value == Approx(row.effect).margin(5e-5));
            CHECK(arm.effect.standard_error == Approx(row.error).margin(5e-5));
        }
        return found->policy;
    };
    const auto mens = check("visit", {{"Mens E-Mail", .18276, .07659, .00339},
                                      {"Womens E-Mail", .15140, .04523, .00323}});
    CHECK(mens.ips.value == Approx(.18253).margin(5e-6));
    check("conversion",
          {{"Mens E-Mail", .012531, .006805, .00092}, {"Womens E-Mail", .008837, .003111, .00082}});
    check("spend",
          {{"Mens E-Mail", 1.42262, .7698, .1452}, {"Womens E-Mail", 1.07720, .4244, .1303}});

    const auto cell = [&](std::size_t row, const std::string& name) -> const std::string& {
        return table.rows[row][static_cast<std::size_t>(std::ranges::find(table.header, name) -
                                                        table.header.begin())];
    };
    SECTION("women's mail to buyers of women's things only, else men's") {
        const auto judged = [&](const std::string& reward) {
            std::vector<Decision> decisions;
            for (std::size_t i = 0; i < table.rows.size(); ++i) {
                const bool womens = cell(i, "womens") == "1" && cell(i, "mens") == "0";
                Decision decision{.propensity = 1.0 / 3, .reward = std::stod(cell(i, reward))};
                decision.target =
                    cell(i, "segment") == (womens ? "Womens E-Mail" : "Mens E-Mail") ? 1 : 0;
                decisions.push_back(decision);
            }
            return judge_policy(decisions, 1000);
        };
        CHECK(judged("visit").ips.value == Approx(.18469).margin(5e-6));
        CHECK(judged("visit").ips.standard_error == Approx(.00285).margin(5e-6));
        CHECK(judged("spend").ips.value == Approx(1.4322).margin(5e-5));
    }
    SECTION("women's mail moves the buyers of women's things") {
        const auto of = [&](const std::string& score) {
            std::vector<double> scores, responses;
            std::vector<bool> treated;
            for (std::size_t i = 0; i < table.rows.size(); ++i) {
                if (cell(i, "segment") == "Mens E-Mail") continue;
                scores.push_back(std::stod(cell(i, score)));
                treated.push_back(cell(i, "segment") == "Womens E-Mail");
                responses.push_back(std::stod(cell(i, "visit")));
            }
            return qini(scores, treated, responses);
        };
        CHECK(of("womens") == Approx(.00393).margin(5e-6));
        Table two{table.header, {}};
        for (std::size_t i = 0; i < table.rows.size(); ++i)
            if (cell(i, "segment") != "Mens E-Mail") two.rows.push_back(table.rows[i]);
        const auto found = evaluate(two, {.action = "segment",
                                          .reward = "visit",
                                          .propensity_value = .5,
                                          .control = "No E-Mail",
                                          .qini = "womens"});
        REQUIRE(found.has_value());
        CHECK(*found->qini == Approx(.00393).margin(5e-6));
        CHECK(of("mens") == Approx(-.00313).margin(5e-6));
        CHECK(of("history") == Approx(.00013).margin(5e-6));
    }
    SECTION("a learned policy says whether it beats men's mail for all") {
        const auto found = evaluate(table, {.action = "segment",
                                            .reward = "visit",
                                            .propensity_value = 1.0 / 3,
                                            .policy = "learned",
                                            .context = {"recency", "history", "mens", "womens",
                                                        "zip_code", "newbie", "channel"}});
        REQUIRE(found.has_value());
        WARN("learned policy on Hillstrom: " << to_text(*found));
        CHECK(found->best_fixed == "Mens E-Mail");
        CHECK(found->policy.is_enough);
        CHECK(found->policy.effective_sample_size > 9'000);
        // Never praised for a difference within its error.
        CHECK(found->verdict.starts_with("It earns more") == (found->difference->low() > 0));
    }
}
