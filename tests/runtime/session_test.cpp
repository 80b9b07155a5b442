/// Intent in the session: the published set of online shoppers (shared data), and recorded visits.
#include "journeys/intent.hpp"
#include "runtime/event_files.hpp"
#include "runtime/fitting/session_samples.hpp"
#include "runtime/fitting/table_features.hpp"
#include "schema/model_json.hpp"
#include "tests/support/shared_data.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <sstream>

using namespace runtime::fitting;

TEST_CASE(
    "online shoppers, folds by row: better than the plain model with page values and without") {
    const auto path = support::shared_data("online_shoppers/online_shoppers_intention.csv.gz");
    if (!path) return;
    std::string text;
    for (const auto& line : support::read_lines(*path)) text += line + "\n";
    std::istringstream in{text};
    const auto table = read_table(in, "shoppers.csv");
    REQUIRE(table.has_value());
    const auto judged = [&](const std::vector<std::string>& left_out) {
        const auto features = features_of(
            *table, "Revenue", {"OperatingSystems", "Browser", "Region", "TrafficType"}, left_out);
        REQUIRE(features.has_value());
        std::vector<bool> happened;
        for (const auto& each : features->observations) happened.push_back(each.happened);
        return judge(cross_validated(*features, 10, 3), happened);
    };
    const auto all = judged({});
    WARN("all features: AUC " << all.auc << " Brier " << all.brier << " accuracy " << all.accuracy);
    CHECK(all.rate == Approx(.1547).margin(5e-5));
    CHECK(all.auc >= .916);
    CHECK(all.brier <= .0758);
    for (const auto& part : all.calibration)
        CHECK(part.predicted == Approx(part.happened).margin(.05));
    // Google Analytics works page values out from pages that precede an order: partly a leak.
    const auto without = judged({"PageValues"});
    WARN("without PageValues: AUC " << without.auc << " Brier " << without.brier);
    CHECK(without.auc >= .757);
}

TEST_CASE(
    "weights from which outcomes were drawn are found again, and predictions are judged right") {
    std::mt19937 random{8};
    std::normal_distribution<double> normal;
    std::uniform_real_distribution<double> unit{0, 1};
    std::vector<Observation> seen;
    for (int i = 0; i < 20'000; ++i) {
        const double x = normal(random), y = unit(random) < .3 ? 1 : 0;
        Observation one;
        one.features.emplace_back(0, x);
        if (y > 0) one.features.emplace_back(1, y);
        one.happened = unit(random) < 1 / (1 + std::exp(2 - 1.5 * x - .7 * y));
        seen.push_back(std::move(one));
    }
    const auto model = fit_logistic(seen, {"x", "y"}, .1);
    CHECK(model.intercept == Approx(-2).margin(.1));
    CHECK(model.weights[0] == Approx(1.5).margin(.1));
    CHECK(model.weights[1] == Approx(.7).margin(.12));

    const auto quality = judge({.9, .8, .3, .3, .1}, {true, false, true, false, false});
    CHECK(quality.auc == Approx((3 + 1.5) / 6));
    CHECK(quality.brier == Approx((.01 + .64 + .49 + .09 + .01) / 5));
    CHECK(quality.rate == Approx(.4));
}

TEST_CASE("a model of nothing but one outcome does not run away") {
    const std::vector<Observation> seen(50, Observation{{{0, 1.0}}, true});
    const auto model = fit_logistic(seen, {"x"}, 1);
    CHECK(std::isfinite(model.intercept));
    CHECK(model.probability(seen[0].features) > .9);
}

TEST_CASE("observations of recorded sessions know only what had happened, and what followed in the "
          "session") {
    const auto recorded = runtime::read_events(
        {std::filesystem::path{SOJOURN_SOURCE_DIR} / "tests/data/otto/stream.jsonl"});
    REQUIRE(recorded.has_value());
    const auto samples = session_samples(recorded->records);
    CHECK(samples.session_count >= 144); // As counted without journeys.
    CHECK(samples.with_order == 5);
    CHECK(samples.observations.size() == samples.sessions.size());
    std::size_t positive = 0;
    for (const auto& each : samples.observations) positive += each.happened ? 1 : 0;
    CHECK(positive > samples.with_order);
    CHECK(positive < samples.observations.size() / 2);
    const auto fit = fit_intent(samples);
    WARN("intent on 20 OTTO visitors: AUC " << fit.quality.auc << " Brier " << fit.quality.brier
                                            << ", rate " << fit.quality.rate);
    CHECK(fit.quality.auc > .5);

    journeys::models::ModelSet set;
    set.has_purchases = false;
    set.intent = fit.model;
    const auto read = schema::parse_models(schema::to_json(set));
    REQUIRE(read.has_value());
    CHECK(!read->has_purchases);
    CHECK(read->intent->probability(samples.observations[3].features) ==
          fit.model.probability(samples.observations[3].features));
    CHECK(schema::parse_models(R"({"intent": {"intercept": 1, "weights": {"mood": 2}}})")
              .error()
              .detail == "this is no model: intent has no feature mood");
}

TEST_CASE("intent is 0 before and after a session") {
    journeys::Customer customer;
    const journeys::models::Logistic model{.intercept = 1, .names = {"views"}, .weights = {1}};
    const auto now = journeys::from_millis(1'800'000'000'000);
    const auto idle = std::chrono::minutes{30};
    CHECK(journeys::intent_of(model, customer, now, idle) == 0);
    customer.session.id = "s";
    customer.session.started_at = customer.session.last_at = now;
    customer.session.views = 3;
    CHECK(journeys::intent_of(model, customer, now, idle) ==
          Approx(1 / (1 + std::exp(-1 - std::log(4)))));
    CHECK(journeys::intent_of(model, customer, now + idle - journeys::Duration{1}, idle) > .5);
    CHECK(journeys::intent_of(model, customer, now + idle, idle) == 0);
}
