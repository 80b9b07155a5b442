#include "journeys/models/model_set.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <random>

using namespace journeys::models;

TEST_CASE("the table of scores agrees with the sums that it replaces") {
    std::mt19937 random{4};
    std::uniform_real_distribution<double> unit{0, 1};
    for (int fit = 0; fit < 4; ++fit) {
        ModelSet set;
        set.purchases.purchases = BgNbd{.r = .2 + unit(random),
                                        .alpha = 2 + 8 * unit(random),
                                        .a = .4 + unit(random),
                                        .b = 1 + 2 * unit(random),
                                        .modified = fit % 2 == 0};
        set.purchases.spend = GammaGamma{.p = 6.25, .q = 3.74, .v = 15.44};
        set.prepare();
        for (int i = 0; i < 30; ++i) {
            History h;
            h.x = static_cast<double>(random() % 22); // Some lie beyond the table.
            h.T = i == 0   ? 0
                  : i == 1 ? ScoreTable::weeks_max
                  : i == 2 ? 600
                           : 200 * unit(random) * unit(random);
            if (h.x > 0) {
                h.t_x = h.T * unit(random);
                h.z = 5 + 50 * unit(random);
            }
            INFO("x " << h.x << " t_x " << h.t_x << " T " << h.T);
            CHECK(std::abs(*set.clv(h) / *set.purchases.clv(h) - 1) < 1e-8);
            CHECK(std::abs(set.expected_orders_90d(h) /
                               set.purchases.expected_orders(h, 90 * weeks_per_day) -
                           1) < 1e-8);
        }
    }
    ModelSet others;
    others.purchases.purchases = ParetoNbd{.r = .55, .alpha = 10.6, .s = .6, .beta = 11.7};
    others.prepare();
    CHECK(others.expected_orders_90d({.x = 2, .t_x = 5, .T = 9}) ==
          others.purchases.expected_orders({.x = 2, .t_x = 5, .T = 9}, 90 * weeks_per_day));
    CHECK(!others.clv({.x = 2, .t_x = 5, .T = 9}));
}
