/// The models against their papers' numbers. Log-likelihoods over CDNOW need the shared data; the
/// single customers stand here.
#include "journeys/models/model_set.hpp"
#include "tests/support/cdnow.hpp"

#include <catch2/catch.hpp>

using namespace journeys::models;

namespace {

// Fader, Hardie, Lee 2005 (BG/NBD), Hoppe and Wagner 2007 (MBG/NBD), Fader and Hardie 2005
// (Pareto/NBD), note 025 (Gamma-Gamma): CDNOW's sample of 2,357 customers.
const BgNbd bg{.r = .2425967, .alpha = 4.413659, .a = .7929869, .b = 2.426164};
const BgNbd mbg{.r = .524843, .alpha = 6.183085, .a = .891359, .b = 1.614002, .modified = true};
const ParetoNbd pareto{.r = .553277, .alpha = 10.577684, .s = .606240, .beta = 11.668735};
const GammaGamma spend{.p = 6.24957, .q = 3.74422, .v = 15.44352};
const History first_customer{.x = 2, .t_x = 30.43, .T = 38.86, .z = 22.345};
const History customer_1516{.x = 26, .t_x = 30.857, .T = 31};

} // namespace

TEST_CASE("single customers have the published expectations") {
    CHECK(bg.expected_orders(first_customer, 39) == Approx(1.22603).margin(2e-4));
    CHECK(bg.p_alive(first_customer) == Approx(.72658).margin(5e-5));
    const BgNbd rounded{.r = .243, .alpha = 4.414, .a = .793, .b = 2.426};
    CHECK(rounded.expected_orders(first_customer, 39) == Approx(1.226).margin(5e-4));
    CHECK(rounded.expected_orders(customer_1516, 52) == Approx(25.7566).margin(1e-2));
    CHECK(rounded.p_alive(customer_1516) == Approx(.96885).margin(2e-5));
    CHECK(pareto.expected_orders(customer_1516, 52) == Approx(25.4565).margin(1e-2));
    CHECK(pareto.p_alive(customer_1516) == Approx(.997874).margin(2e-6));
    CHECK(rounded.p_no_orders(39) == Approx(.5737864).margin(1e-6));
}

TEST_CASE("the spend to expect is as in note 025") {
    CHECK(spend.expected_spend(first_customer) == Approx(24.65).margin(0.005));
    CHECK(spend.expected_spend({.x = 1, .z = 11.77}) == Approx(18.91).margin(0.005));
    CHECK(spend.expected_spend({}) == Approx(35.17).margin(0.005));
    // A repeat order that cost nothing says nothing of what people spend.
    CHECK(spend.expected_spend({.x = 2, .z = 0}) == spend.expected_spend({}));
    CHECK(std::isinf(GammaGamma{.p = 2, .q = .9, .v = 3}.expected_spend({})));
    CHECK(std::isinf(GammaGamma{.p = .1, .q = .9, .v = 3}.expected_spend({.x = 1, .z = 5})));
    CHECK(GammaGamma{.p = 2, .q = .9, .v = 3}.expected_spend({.x = 1, .z = 5}) == Approx(16 / 1.9));
}

TEST_CASE("the log-likelihoods of CDNOW are the published ones") {
    const auto path = support::shared_data("cdnow/CDNOW_sample.txt.gz");
    if (!path) return;
    const auto customers = support::cdnow_purchases(support::cdnow_orders(*path, true),
                                                    support::cdnow_calibration_end);
    REQUIRE(customers.size() == 2357);
    const auto end = support::midnight(support::cdnow_calibration_end);
    double of_bg = 0, of_mbg = 0, of_pareto = 0, of_spend = 0;
    int repeaters = 0;
    for (const auto& [id, purchases] : customers) {
        const auto history = purchases.history(end);
        of_bg += bg.log_likelihood(history);
        of_mbg += mbg.log_likelihood(history);
        of_pareto += pareto.log_likelihood(history);
        if (history.x == 0) continue;
        ++repeaters;
        of_spend += spend.log_likelihood(history);
    }
    CHECK(repeaters == 946);
    CHECK(of_bg == Approx(-9582.429).margin(5e-3));
    CHECK(of_mbg == Approx(-9582.1357).margin(6e-3));
    CHECK(of_pareto == Approx(-9594.976).margin(5e-3));
    CHECK(of_spend == Approx(-4055.918).margin(5e-3));
}

TEST_CASE("the instant at which a customer's risk passes a threshold is found in closed form") {
    const auto rises = [](const auto& model, double threshold) {
        return *model.falls_to(threshold, first_customer.x, first_customer.t_x);
    };
    CHECK(rises(bg, .5) == Approx(62.50).margin(.01));
    CHECK(rises(mbg, .5) == Approx(57.56).margin(.01));
    CHECK(rises(pareto, .5) == Approx(63.02).margin(.01));
    CHECK(rises(bg, .3) == Approx(93.22).margin(.01));
    CHECK(rises(mbg, .3) == Approx(82.97).margin(.01));
    CHECK(rises(pareto, .3) == Approx(82.85).margin(.01));

    SECTION("there P(alive) is the threshold") {
        const auto check = [](const auto& model) {
            for (const double x : {1.0, 2.0, 26.0, 200.0})
                for (const double t_x : {0.14, 3.0, 30.0, 400.0})
                    for (const double threshold : {.05, .3, .5, .8, .97}) {
                        const auto T = model.falls_to(threshold, x, t_x);
                        REQUIRE(T);
                        INFO("x " << x << " t_x " << t_x << " threshold " << threshold << " T "
                                  << *T);
                        if (*T > t_x + 1e-9)
                            CHECK(std::abs(model.p_alive({.x = x, .t_x = t_x, .T = *T}) -
                                           threshold) < 1e-9);
                        else // Fallen already, right after the order.
                            CHECK(model.p_alive({.x = x, .t_x = t_x, .T = t_x + 1e-6}) <=
                                  threshold + 1e-5);
                    }
        };
        check(bg);
        check(mbg);
        check(pareto);
    }
    SECTION("who ordered once never stops by BG/NBD, and may by MBG/NBD") {
        CHECK(bg.p_alive({.x = 0, .t_x = 0, .T = 1e5}) == 1);
        CHECK(!bg.falls_to(.5, 0, 0));
        const double T = *mbg.falls_to(.5, 0, 0);
        CHECK(T == Approx(6.183085 * (std::pow(1.614002 / .891359, 1 / .524843) - 1)));
        CHECK(mbg.p_alive({.x = 0, .t_x = 0, .T = T}) == Approx(.5).margin(1e-9));
    }
    SECTION("thresholds at the ends") {
        CHECK(!bg.falls_to(0, 2, 5));
        CHECK(*bg.falls_to(1, 2, 5) == 5);
        CHECK(*PurchaseModel{Nbd{.5, 6}}.rises_to(0, 2, 5) == 5);
        CHECK(!PurchaseModel{Nbd{.5, 6}}.rises_to(1, 2, 5));
    }
}

TEST_CASE("without churn the risk is how far somebody is overdue, and nobody is called alive for "
          "certain") {
    const PurchaseModel model{Nbd{.r = .5, .alpha = 6}};
    const History history{.x = 4, .t_x = 20, .T = 30};
    CHECK(!model.p_alive(history));
    CHECK(model.churn_risk(history) == Approx(1 - std::pow(26.0 / 36.0, 4.5)));
    const double gap = overdue_gap(.5, 6, 4, 20, .9);
    CHECK(model.churn_risk({.x = 4, .t_x = 20, .T = 20 + gap}) == Approx(.9).margin(1e-12));
    CHECK(*model.rises_to(.9, 4, 20) == Approx(20 + gap));
    CHECK(model.median_gap(4, 20) == Approx(26 * (std::pow(.5, -1 / 4.5) - 1)));
    CHECK(model.expected_orders(history, 9) == Approx(4.5 / 36 * 9));
    CHECK(!model.clv(history));
}

TEST_CASE("the value of a year is discounted by weeks") {
    PurchaseModel model{bg};
    model.spend = spend;
    double expected = 0;
    for (int week = 1; week <= 52; ++week)
        expected += (bg.expected_orders(first_customer, week) -
                     bg.expected_orders(first_customer, week - 1)) /
                    std::pow(1.15, week / 52.0);
    CHECK(*model.clv(first_customer) == Approx(expected * spend.expected_spend(first_customer)));
    model.discount_per_year = 0;
    CHECK(*model.clv(first_customer) ==
          Approx(bg.expected_orders(first_customer, 52) * spend.expected_spend(first_customer)));
}

TEST_CASE("a value that has no end is none") {
    PurchaseModel model{BgNbd{.r = .5, .alpha = 6, .a = .9, .b = 1.6, .modified = true},
                        GammaGamma{.p = 2, .q = .9, .v = 3}};
    const History once{.x = 0, .t_x = 0, .T = 10}, again{.x = 2, .t_x = 5, .T = 10, .z = 20};
    CHECK_FALSE(model.clv(once));
    CHECK(std::isfinite(model.clv(again).value()));
    ModelSet set;
    set.purchases = model;
    set.prepare();
    CHECK_FALSE(set.clv(once));
    CHECK(set.clv(again).value() == Approx(*model.clv(again)).epsilon(1e-3));
}
