#include "tests/bench/models_bench.hpp"

#include "journeys/lifecycle.hpp"
#include "journeys/models/recommender.hpp"

#include <chrono>
#include <random>

namespace {

using namespace journeys;
using namespace journeys::models;

ModelSet cdnow_models() {
    ModelSet set;
    set.purchases.purchases =
        BgNbd{.r = .524843, .alpha = 6.183085, .a = .891359, .b = 1.614002, .modified = true};
    set.purchases.spend = GammaGamma{.p = 6.24957, .q = 3.74422, .v = 15.44352};
    set.cuts.vip_clv = 150;
    set.prepare();
    return set;
}

/// Customers right after an order, most of them with few.
std::vector<Purchases> buyers() {
    std::mt19937 random{7}; // Fixed: every run measures the same customers.
    std::vector<Purchases> all(512);
    for (auto& purchases : all) {
        std::int32_t day = 19'000 + static_cast<std::int32_t>(random() % 300);
        do {
            add_order(purchases, day,
                      Money::of_ten_thousandths(static_cast<std::int64_t>(random() % 900'000)));
            day += 1 + static_cast<std::int32_t>(random() % 60);
        } while (random() % 3 != 0);
    }
    return all;
}

/// Nanoseconds each, of `count` calls.
template <class Work> double nanoseconds(std::size_t count, Work work) {
    double sum = 0;
    const auto began = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < count; ++i) sum += work(i);
    const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - began;
    volatile double kept = sum; // So that nothing is left out.
    (void)kept;
    return spent.count() / static_cast<double>(count);
}

bench::Figure scoring(int rounds, int scale) {
    const auto set = cdnow_models();
    const auto all = buyers();
    const auto score = [&](const Purchases& purchases, bool by_table) {
        const auto now = purchases.first_day() +
                         std::chrono::days{purchases.days.back().day - purchases.days.front().day};
        const auto h = purchases.history(now);
        const auto& model = set.purchases;
        double sum = model.churn_risk(h) + model.overdue(h) + model.median_gap(h.x, h.t_x);
        sum += by_table ? *set.clv(h) + set.expected_orders_90d(h)
                        : *model.clv(h) + model.expected_orders(h, 90 / 7.0);
        return sum + static_cast<double>(to_millis(*rises_at(set, purchases, .7)));
    };
    const auto count = std::size_t{200'000} / static_cast<std::size_t>(scale);
    auto figure = bench::compare(
        "all scores and the win-back deadline of a customer after an order; raw: without the table "
        "of sums",
        "ns", rounds,
        [&] {
            return nanoseconds(count,
                               [&](std::size_t i) { return score(all[i % all.size()], true); });
        },
        [&] {
            return nanoseconds(count / 50 + 1,
                               [&](std::size_t i) { return score(all[i % all.size()], false); });
        });
    figure.goal = "1000 ns";
    figure.reached = figure.ours.median <= 1000;
    return figure;
}

bench::Figure recommending(int rounds, int scale) {
    std::mt19937 random{9};
    std::geometric_distribution<int> length{.2};
    std::exponential_distribution<double> far{1.0 / 300};
    Recommender recommender;
    ItemRules pairs{ItemRules::Kind::pairs};
    std::vector<std::vector<ItemId>> sessions;
    for (int i = 0; i < 20'000; ++i) {
        auto& items = sessions.emplace_back();
        const auto around = far(random);
        for (auto left = 2 + length(random); left > 0; --left) {
            pairs.add(items, static_cast<ItemId>(around + far(random) / 20));
            items.push_back(static_cast<ItemId>(around + far(random) / 20));
        }
        recommender.add_session(items, i);
    }
    const auto count = std::size_t{2'000} / static_cast<std::size_t>(scale);
    return bench::compare(
        "five recommendations for a session, over 20,000 sessions; raw: pairs with its last "
        "product alone",
        "ns", rounds,
        [&] {
            return nanoseconds(count, [&](std::size_t i) {
                return static_cast<double>(
                    recommender.recommend(sessions[i * 7 % sessions.size()], 5).size());
            });
        },
        [&] {
            return nanoseconds(count, [&](std::size_t i) {
                return static_cast<double>(
                    best(pairs.scores(sessions[i * 7 % sessions.size()].back()), 5).size());
            });
        });
}

} // namespace

namespace bench {

std::vector<Figure> bench_models(int rounds, int scale) {
    return {scoring(rounds, scale), recommending(rounds, scale)};
}

} // namespace bench
