/// Fits against the papers' results on CDNOW (shared data), and against customers drawn from known
/// parameters.
#include "runtime/fitting/drift.hpp"
#include "runtime/fitting/report.hpp"
#include "schema/model_json.hpp"
#include "tests/support/cdnow.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <ctime>
#include <limits>
#include <random>

using namespace runtime::fitting;
using journeys::models::BgNbd;
using journeys::models::History;

namespace {

OrderTable cdnow(const std::filesystem::path& path, bool sample) {
    OrderTable table;
    for (const auto& order : support::cdnow_orders(path, sample))
        table.rows.push_back({order.customer, order.day, order.spend});
    return table;
}

Periods cdnow_periods() { return {support::cdnow_calibration_end, support::cdnow_end}; }

void check_parameters(const ModelFit& fit, const std::vector<double>& published,
                      double tolerance = 1e-3) {
    REQUIRE(fit.estimate.parameters.size() == published.size());
    for (std::size_t i = 0; i < published.size(); ++i) {
        INFO(to_text(fit.kind) << " " << fit.names[i] << " " << fit.estimate.parameters[i]
                               << " published " << published[i]);
        CHECK(std::abs(fit.estimate.parameters[i] / published[i] - 1) < tolerance);
    }
}

/// Orders of `count` customers over `days`, each of whom stops after an order with a chance of
/// their own.
OrderTable drawn(const BgNbd& m, int count, int days, std::uint32_t seed) {
    std::mt19937 random{seed};
    std::gamma_distribution<double> rates{m.r, 1 / m.alpha}, up{m.a, 1}, down{m.b, 1};
    std::uniform_real_distribution<double> unit{0, 1};
    std::lognormal_distribution<double> spend{3, 0.5};
    OrderTable table;
    for (int i = 0; i < count; ++i) {
        const double rate = rates(random) / 7; // A day.
        const double u = up(random), stop = u / (u + down(random));
        double at = static_cast<double>(random() % 90);
        const auto typical = spend(random);
        while (at < days) {
            table.rows.push_back({"c" + std::to_string(i), static_cast<std::int32_t>(at),
                                  journeys::Money::of(typical)});
            if (unit(random) < stop) break;
            at += std::exponential_distribution<double>{rate}(random);
        }
    }
    return table;
}

} // namespace

TEST_CASE("the fits to CDNOW's sample are the published ones") {
    const auto path = support::shared_data("cdnow/CDNOW_sample.txt.gz");
    if (!path) return;
    const auto table = cdnow(*path, true);
    const auto fitted = [&](ModelKind kind) {
        const auto report = fit_and_validate(table, kind, cdnow_periods());
        REQUIRE(report.has_value());
        CHECK(report->customers == 2357);
        CHECK(report->repeaters == 946);
        if (kind != ModelKind::gamma_gamma) {
            CHECK(report->fit.identifiable);
            CHECK(report->validation->actual == 1882);
            CHECK(report->validation->zero.mae == Approx(.7985).margin(1e-4));
            CHECK(report->validation->zero.rmse == Approx(2.206).margin(1e-3));
            CHECK(report->validation->rate.mae == Approx(1.0237).margin(2e-3));
            CHECK(report->validation->rate.rmse == Approx(2.212).margin(4e-3));
            CHECK(report->validation->rate.predicted == Approx(2930).margin(4));
        }
        return *report;
    };
    SECTION("BG/NBD") {
        const auto report = fitted(ModelKind::bg_nbd);
        check_parameters(report.fit, {.242595, 4.413602, .792922, 2.425907});
        CHECK(report.fit.estimate.log_likelihood == Approx(-9582.429).margin(5e-3));
        REQUIRE(report.fit.estimate.standard_errors.size() == 4);
        // Of r and alpha: what the BTYD literature reports for this sample.
        CHECK(report.fit.estimate.standard_errors[0] == Approx(.0126).margin(.002));
        CHECK(report.fit.estimate.standard_errors[1] == Approx(.378).margin(.05));
        CHECK(report.validation->model.mae == Approx(.7855).margin(1e-3));
        CHECK(report.validation->model.rmse == Approx(1.608).margin(2e-3));
        CHECK(report.validation->model.predicted == Approx(1653).margin(2));
    }
    SECTION("MBG/NBD") {
        const auto report = fitted(ModelKind::mbg_nbd);
        check_parameters(report.fit, {.524843, 6.183085, .891359, 1.614002});
        CHECK(report.fit.estimate.log_likelihood == Approx(-9582.1357).margin(5e-3));
        CHECK(report.validation->model.mae == Approx(.7648).margin(1e-3));
        CHECK(report.validation->model.rmse == Approx(1.607).margin(2e-3));
        CHECK(report.validation->model.predicted == Approx(1577).margin(2));
    }
    SECTION("Pareto/NBD") {
        const auto report = fitted(ModelKind::pareto_nbd);
        check_parameters(report.fit, {.553277, 10.577684, .606240, 11.668735});
        CHECK(report.fit.estimate.log_likelihood == Approx(-9594.976).margin(5e-3));
        CHECK(report.validation->model.mae == Approx(.7545).margin(1e-3));
        CHECK(report.validation->model.rmse == Approx(1.603).margin(2e-3));
        CHECK(report.validation->model.predicted == Approx(1666).margin(2));
    }
    SECTION("Gamma-Gamma") {
        const auto report = fitted(ModelKind::gamma_gamma);
        check_parameters(report.fit, {6.24957, 3.74422, 15.44352});
        CHECK(report.fit.estimate.log_likelihood == Approx(-4055.918).margin(5e-3));
        CHECK(report.correlation == Approx(.114).margin(5e-4));
    }
}

TEST_CASE("all of CDNOW is fitted in time") {
    const auto path = support::shared_data("cdnow/CDNOW_master.txt.gz");
    if (!path) return;
    const auto table = cdnow(*path, false);
    const auto began = std::clock();
    const auto report = fit_and_validate(table, ModelKind::bg_nbd, cdnow_periods());
    WARN("CPU time of the fit of 23,570 customers with its model of spend and validation: "
         << static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC << " s");
    REQUIRE(report.has_value());
    CHECK(report->customers == 23'570);
    check_parameters(report->fit, {.251624, 4.788943, .723434, 2.161088});
    CHECK(report->fit.estimate.log_likelihood == Approx(-95368.44).margin(5e-2));
    CHECK(report->validation->actual == 19684);
    CHECK(report->validation->model.mae == Approx(.8187).margin(1e-3));
    CHECK(report->validation->model.rmse == Approx(1.733).margin(2e-3));
}

TEST_CASE("parameters from which customers were drawn are found again, within their errors") {
    const BgNbd truth{.r = .8, .alpha = 6, .a = .8, .b = 2.5, .modified = true};
    const auto report = fit_and_validate(drawn(truth, 6000, 500, 3), ModelKind::mbg_nbd, {});
    REQUIRE(report.has_value());
    CHECK(report->fit.identifiable);
    CHECK(!report->fallback);
    const std::vector<double> expected{truth.r, truth.alpha, truth.a, truth.b};
    REQUIRE(report->fit.estimate.standard_errors.size() == 4);
    for (std::size_t i = 0; i < 4; ++i) {
        INFO(report->fit.names[i] << " " << report->fit.estimate.parameters[i] << " ± "
                                  << report->fit.estimate.standard_errors[i]);
        // Whole days, and orders of one day as one, bias a little beside the sampling error.
        CHECK(std::abs(report->fit.estimate.parameters[i] - expected[i]) <
              4 * report->fit.estimate.standard_errors[i] + 0.05 * expected[i]);
    }
    REQUIRE(report->validation.has_value());
    CHECK(report->validation->model.predicted == Approx(report->validation->actual).epsilon(.1));
    CHECK(report->validation->model.rmse < report->validation->rate.rmse);
}

TEST_CASE(
    "where nobody stops, churn is said not to be identifiable and the overdue measure is used") {
    const BgNbd nobody_stops{.r = 1.5, .alpha = 6, .a = 1e-9, .b = 1};
    const auto table = drawn(nobody_stops, 1500, 400, 4);
    for (const auto kind : {ModelKind::bg_nbd, ModelKind::mbg_nbd, ModelKind::pareto_nbd}) {
        const auto report = fit_and_validate(table, kind, {});
        REQUIRE(report.has_value());
        INFO(to_text(kind));
        CHECK(!report->fit.identifiable);
        REQUIRE(report->fallback.has_value());
        CHECK(report->fallback->estimate.parameters[0] == Approx(1.5).epsilon(.15));
        const auto usable = report->usable();
        CHECK(!usable.p_alive({.x = 3, .t_x = 10, .T = 12}));
        CHECK(usable.churn_risk({.x = 3, .t_x = 10, .T = 60}) > .8);
        CHECK(std::ranges::any_of(report->warnings, [](const std::string& warning) {
            return warning.find("churn not identifiable") != warning.npos;
        }));
        CHECK(nlohmann::json::parse(to_json(*report))["identifiable"] == false);
    }
}

TEST_CASE("what cannot be fitted is refused with its reason") {
    const auto read = [](const std::string& text, const std::string& currency = {}) {
        std::istringstream in{text};
        return read_orders(in, "orders.csv", currency);
    };
    const auto mistake = [&](const std::string& text) {
        const auto table = read(text);
        return table ? std::string{"accepted"} : table.error().detail;
    };
    CHECK(mistake("") ==
          "orders.csv:0: the file is empty: the first line must name customer_id, date and amount");
    CHECK(mistake("a,b\n1,2\n") ==
          "orders.csv:1: the first line must name customer_id, date and amount");
    CHECK(mistake("customer_id,date,amount\n1,2024-02-30,5\n") ==
          "orders.csv:2: \"2024-02-30\" is no date: 2024-05-31 or 2024-05-31T12:00:00Z");
    CHECK(mistake("customer_id,date,amount\n1,2024-02-28,5 EUR\n") ==
          "orders.csv:2: \"5 EUR\" is no amount: 19.99");
    CHECK(mistake("customer_id,date,amount\n1,2024-02-28\n") ==
          "orders.csv:2: there are 2 cells, fewer than the header names");
    CHECK(mistake("customer_id,date,amount\n,2024-02-28,5\n") ==
          "orders.csv:2: customer_id is empty");
    CHECK(mistake("customer_id,date,amount\n\"1,2024-02-28,5\n") ==
          "orders.csv:2: a quoted cell does not end on its line");

    const std::string mixed = "currency,amount,date,customer_id\nEUR,5,2024-01-01,\"a "
                              "\"\"1\"\"\"\nUSD,6,2024-01-01T23:59:00+02:00,b\n";
    const auto both = read(mixed);
    REQUIRE(both.has_value());
    CHECK(both->rows[0].customer == "a \"1\"");
    CHECK(both->rows[1].day == both->rows[0].day);
    const auto refused = fit_and_validate(*both, ModelKind::mbg_nbd, {});
    REQUIRE(!refused);
    CHECK(refused.error().detail == "the orders are in several currencies (EUR, USD), which do not "
                                    "add up; choose one by --currency");
    CHECK(read(mixed, "USD")->rows.size() == 1);

    const auto none = read("customer_id,date,amount\n");
    REQUIRE(none.has_value());
    CHECK(fit_and_validate(*none, ModelKind::mbg_nbd, {}).error().detail == "there are no orders");
    Periods backwards{20'000, 19'000};
    CHECK(!fit_and_validate(*read("customer_id,date,amount\n1,2024-02-28,5\n"), ModelKind::mbg_nbd,
                            backwards));
    CHECK(fit_and_validate(*read("customer_id,date,amount\n1,2024-02-28,5\n"),
                           ModelKind::gamma_gamma, {})
              .error()
              .detail == "nobody has ordered a second time for money");
}

TEST_CASE("what is published reads back as it was fitted, with the cuts of the population") {
    const auto report = fit_and_validate(
        drawn({.r = .8, .alpha = 6, .a = .8, .b = 2.5, .modified = true}, 2000, 400, 9),
        ModelKind::mbg_nbd, {});
    REQUIRE(report.has_value());
    const auto& models = report->models;
    const auto text = schema::to_json(models);
    const auto read = schema::parse_models(text);
    REQUIRE(read.has_value());
    CHECK(schema::to_json(*read) == text);
    CHECK(read->version != 0);
    const journeys::models::History history{.x = 3, .t_x = 20, .T = 30, .z = 25};
    CHECK(*read->purchases.clv(history) == *models.purchases.clv(history));
    CHECK(read->purchases.churn_risk(history) == models.purchases.churn_risk(history));
    CHECK(std::ranges::is_sorted(read->cuts.recency_days));
    CHECK(read->cuts.orders.front() == 1);
    CHECK(read->cuts.vip_clv > 0);

    const auto mistake = [&](const std::string& from, const std::string& to) {
        auto changed = text;
        changed.replace(changed.find(from), from.size(), to);
        const auto refused = schema::parse_models(changed);
        return refused ? std::string{"accepted"} : refused.error().detail;
    };
    CHECK(mistake("mbgnbd", "other") ==
          "this is no model: model must be bgnbd, mbgnbd, paretonbd or nbd");
    CHECK(mistake("\"alpha\": ", "\"alpha\": -") == "this is no model: alpha must be positive");
    CHECK(mistake("\"alpha\"", "\"beta\"") == "this is no model: alpha is missing or no number");
    CHECK(schema::parse_models("[]").error().detail == "this is no model: it is no object");
    CHECK(!schema::parse_models("{").has_value());
}

TEST_CASE("a spend without a mean is told of and left out, and what is written reads back") {
    OrderTable table;
    constexpr int people = 400;
    for (int i = 0; i < people; ++i) { // So many times as many who spend so much the less.
        const double typical = std::pow((i + .5) / people, -1 / .6);
        for (int day = 0; day <= 60; day += i % 3 == 0 ? 61 : 20)
            table.rows.push_back({std::to_string(i), day + i % 30,
                                  journeys::Money::of(typical * (.7 + .1 * (day / 20)))});
    }
    const auto report = fit_and_validate(table, ModelKind::mbg_nbd, {});
    REQUIRE(report.has_value());
    REQUIRE(report->spend.has_value());
    CHECK(report->spend->spend().q < 1);
    CHECK_FALSE(report->spend->identifiable);
    CHECK(std::ranges::any_of(report->warnings, [](const std::string& warning) {
        return warning.find("spend not identifiable") != warning.npos;
    }));
    CHECK(to_text(*report).find("spend not identifiable") != std::string::npos);
    CHECK_FALSE(report->models.purchases.spend);
    CHECK_FALSE(report->models.cuts.vip_clv);
    CHECK(schema::parse_models(schema::to_json(report->models)).has_value());

    auto models = report->models; // As they were once written: with a cut without end.
    models.purchases.spend = report->spend->spend();
    models.cuts.vip_clv = std::numeric_limits<double>::infinity();
    auto text = schema::to_json(models);
    CHECK(schema::parse_models(text).has_value());
    text.insert(text.find('{') + 1, "\"vip_clv\": null,");
    const auto read = schema::parse_models(text);
    REQUIRE(read.has_value());
    CHECK_FALSE(read->cuts.vip_clv);
}

TEST_CASE("a model that still fits shows no drift, and one whose customers stay away does") {
    const BgNbd truth{.r = .8, .alpha = 6, .a = .8, .b = 2.5, .modified = true};
    const auto table = drawn(truth, 3000, 500, 3);
    const auto report = fit_and_validate(table, ModelKind::mbg_nbd, {300, 300});
    REQUIRE(report.has_value());
    CHECK(report->models.fitted_until == "1970-10-28");
    const auto calm = drift_of(report->models, table, 360);
    REQUIRE(calm.has_value());
    CHECK(calm->customers == report->customers);
    CHECK(calm->predicted == Approx(calm->realised).epsilon(.15));
    CHECK(calm->orders < .1);
    CHECK(!drift_of(report->models, table, 300));

    auto silent = table;
    std::erase_if(silent.rows, [](const OrderRow& row) { return row.day > 310; });
    const auto changed = drift_of(report->models, silent, 460);
    REQUIRE(changed.has_value());
    CHECK(changed->is_notable());
    CHECK(changed->recency > .25);
    CHECK(changed->realised < changed->predicted / 2);
}

TEST_CASE("a return lowers what was spent and is no order") {
    std::istringstream in{"customer_id,date,amount\n1,2024-01-01,10\n1,2024-01-08,20\n1,2024-01-09,"
                          "-5\n1,2024-02-01,-100\n"};
    const auto table = read_orders(in, "orders.csv");
    REQUIRE(table.has_value());
    CHECK(table->returns == 2);
    const auto customers = purchases_of(*table, 30'000);
    const auto history = customers.at("1").history(support::midnight(30'000));
    CHECK(history.x == 1);
    CHECK(history.z == 0);
    CHECK(purchases_of(
              *table, journeys::models::day_of(support::midnight(support::day_of_text("20240110"))))
              .at("1")
              .history(support::midnight(30'000))
              .z == 15);
}

TEST_CASE("spend that grows with frequency is warned of") {
    OrderTable table;
    for (int customer = 0; customer < 600; ++customer)
        for (int i = 0; i <= customer % 6; ++i)
            table.rows.push_back({std::to_string(customer), i * 50 + customer % 40,
                                  journeys::Money::of(10.0 + 8 * (customer % 6))});
    const auto report = fit_and_validate(table, ModelKind::mbg_nbd, {});
    REQUIRE(report.has_value());
    CHECK(report->correlation > .9);
    CHECK(std::ranges::any_of(report->warnings, [](const std::string& warning) {
        return warning.find("correlated") != warning.npos;
    }));
}
