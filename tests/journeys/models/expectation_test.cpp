/// Expected orders against brute force: a sum over two dimensions of the unseen rates, by the
/// trapezoid rule in their logarithms, which shares nothing with the code under test.
#include "journeys/models/bg_nbd.hpp"
#include "journeys/models/expectation.hpp"
#include "journeys/models/pareto_nbd.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <functional>
#include <random>

using namespace journeys::models;

namespace {

struct Moments {
    double weight = 0, orders = 0, alive = 0;
};

/// Sums `add(lambda, second, prior)` over a grid; `second` is p or mu. Both priors' densities are
/// given by their logarithm over the grid's variables.
Moments sum_over_grid(double low_1, double high_1, double low_2, double high_2,
                      const std::function<Moments(double, double)>& add) {
    constexpr int steps = 350;
    Moments total;
    for (int i = 0; i <= steps; ++i)
        for (int j = 0; j <= steps; ++j) {
            const auto part =
                add(low_1 + (high_1 - low_1) * i / steps, low_2 + (high_2 - low_2) * j / steps);
            total.weight += part.weight;
            total.orders += part.orders;
            total.alive += part.alive;
        }
    return total;
}

/// u = ln lambda and y = ln(p / (1 - p)).
Moments brute_force(const BgNbd& m, const History& h, double weeks) {
    const double u_mode = std::log((m.r + h.x) / (m.alpha + h.T));
    const double reach = 8 / std::sqrt(m.r + h.x) + 25 / (m.r + h.x);
    return sum_over_grid(
        u_mode - reach, u_mode + 8 / std::sqrt(m.r + h.x) + 3, -40 / m.a, 40 / m.b + 3,
        [&](double u, double y) {
            const double lambda = std::exp(u);
            const double p = 1 / (1 + std::exp(-y)), q = 1 / (1 + std::exp(y));
            const double prior = m.r * u - m.alpha * lambda + m.a * std::log(p) + m.b * std::log(q);
            const double went_on = h.x + (m.modified ? 1 : 0);
            const double alive = std::exp(prior + h.x * u - lambda * h.T + went_on * std::log(q));
            const double gone = m.modified || h.x > 0
                                    ? std::exp(prior + h.x * u - lambda * h.t_x + std::log(p) +
                                               (went_on - 1) * std::log(q))
                                    : 0;
            return Moments{alive + gone, alive * -std::expm1(-lambda * p * weeks) / p, alive};
        });
}

/// u = ln lambda and w = ln mu.
Moments brute_force(const ParetoNbd& m, const History& h, double weeks) {
    const double u_mode = std::log((m.r + h.x) / (m.alpha + h.T));
    const double w_mode = std::log(m.s / (m.beta + h.T));
    return sum_over_grid(
        u_mode - 8 / std::sqrt(m.r + h.x) - 25 / (m.r + h.x), u_mode + 8 / std::sqrt(m.r + h.x) + 3,
        w_mode - 30 / m.s, w_mode + 8 / std::sqrt(m.s) + 4, [&](double u, double w) {
            const double lambda = std::exp(u), mu = std::exp(w), both = lambda + mu;
            const double prior = m.r * u - m.alpha * lambda + m.s * w - m.beta * mu + h.x * u;
            const double alive = std::exp(prior - both * h.T);
            const double gone =
                mu / both * std::exp(prior - both * h.t_x) * -std::expm1(-both * (h.T - h.t_x));
            return Moments{alive + gone, alive * lambda / mu * -std::expm1(-mu * weeks), alive};
        });
}

History random_history(std::mt19937& random) {
    std::uniform_real_distribution<double> unit{0, 1};
    History history;
    history.x = static_cast<double>(random() % 12);
    history.T = 5 + 60 * unit(random);
    if (history.x > 0) history.t_x = history.T * (0.05 + 0.95 * unit(random));
    return history;
}

double relative(double value, double expected) { return std::abs(value / expected - 1); }

} // namespace

TEST_CASE("expected orders and P(alive) of BG/NBD and MBG/NBD agree with a sum over both rates") {
    std::mt19937 random{11};
    std::uniform_real_distribution<double> unit{0, 1};
    for (int i = 0; i < 16; ++i) {
        const BgNbd model{.r = 0.4 + 2 * unit(random),
                          .alpha = 2 + 10 * unit(random),
                          .a = 0.6 + unit(random),
                          .b = 0.8 + 3 * unit(random),
                          .modified = i % 2 == 1};
        const auto history = random_history(random);
        const double weeks = 1 + 80 * unit(random);
        const auto sum = brute_force(model, history, weeks);
        INFO("r " << model.r << " alpha " << model.alpha << " a " << model.a << " b " << model.b
                  << " x " << history.x << " t_x " << history.t_x << " T " << history.T << " t "
                  << weeks);
        CHECK(relative(model.p_alive(history), sum.alive / sum.weight) < 1e-8);
        CHECK(relative(model.expected_orders(history, weeks), sum.orders / sum.weight) < 1e-8);
    }
}

TEST_CASE("expected orders and P(alive) of Pareto/NBD agree with a sum over both rates") {
    std::mt19937 random{12};
    std::uniform_real_distribution<double> unit{0, 1};
    for (int i = 0; i < 12; ++i) {
        const ParetoNbd model{.r = 0.5 + 2 * unit(random),
                              .alpha = 2 + 15 * unit(random),
                              .s = 0.5 + 1.5 * unit(random),
                              .beta = 2 + 15 * unit(random)};
        const auto history = random_history(random);
        const double weeks = 1 + 80 * unit(random);
        const auto sum = brute_force(model, history, weeks);
        INFO("r " << model.r << " alpha " << model.alpha << " s " << model.s << " beta "
                  << model.beta << " x " << history.x << " t_x " << history.t_x << " T "
                  << history.T << " t " << weeks);
        CHECK(relative(model.p_alive(history), sum.alive / sum.weight) < 1e-7);
        CHECK(relative(model.expected_orders(history, weeks), sum.orders / sum.weight) < 1e-7);
    }
}

TEST_CASE("a = 1 and s = 1, where the published formulas divide by zero, are ordinary values") {
    const History history{.x = 3, .t_x = 20, .T = 35};
    const auto bg = [&](double a) {
        return BgNbd{.r = .5, .alpha = 5, .a = a, .b = 2}.expected_orders(history, 30);
    };
    CHECK(relative(bg(1), (bg(1 - 1e-6) + bg(1 + 1e-6)) / 2) < 1e-10);
    const auto pareto = [&](double s) {
        return ParetoNbd{.r = .5, .alpha = 5, .s = s, .beta = 9}.expected_orders(history, 30);
    };
    CHECK(relative(pareto(1), (pareto(1 - 1e-6) + pareto(1 + 1e-6)) / 2) < 1e-10);
}

TEST_CASE("short and long sums of expected orders meet where one takes over from the other") {
    // The derivative by c must not jump: the integral takes over at some c between these ends.
    for (const double a : {0.05, 0.8, 1.0, 30.0})
        for (const double shape : {0.3, 4.0, 90.0}) {
            double before = 0, c_before = 0, slope_before = 0;
            for (double c = 0.5; c < 400; c *= 1.05) {
                const double orders = expected_orders(shape, a, 3, c);
                const double slope = (orders - before) / (c - c_before);
                INFO("a " << a << " shape " << shape << " c " << c);
                CHECK(orders > before * (1 - 1e-12));
                if (slope_before > 0)
                    CHECK(slope < slope_before * (1 + 1e-6) + 1e-9); // Concave in time.
                before = orders;
                c_before = c;
                slope_before = slope;
            }
        }
}

TEST_CASE("scores stay finite and in range at the ends of what can occur") {
    const BgNbd bg{.r = .2426, .alpha = 4.4137, .a = .793, .b = 2.4262};
    const BgNbd mbg{.r = .5248, .alpha = 6.1831, .a = .8914, .b = 1.614, .modified = true};
    const ParetoNbd pareto{.r = .5533, .alpha = 10.578, .s = .6062, .beta = 11.669};
    for (const double x : {0.0, 1.0, 50.0, 1000.0, 1e5})
        for (const double T : {0.0, 0.001, 1.0, 500.0, 1e6})
            for (const double part : {0.0, 0.5, 1.0}) {
                const History h{.x = x, .t_x = x > 0 ? part * T : 0, .T = T};
                INFO("x " << x << " t_x " << h.t_x << " T " << T);
                const auto check = [&](const auto& model) {
                    const double alive = model.p_alive(h), orders = model.expected_orders(h, 52);
                    CHECK((alive >= 0 && alive <= 1));
                    CHECK((std::isfinite(orders) && orders >= 0));
                    CHECK(std::isfinite(model.log_likelihood(h)));
                    CHECK(model.expected_orders(h, 53) >= orders);
                };
                check(bg);
                check(mbg);
                check(pareto);
            }
    CHECK(std::isfinite(BgNbd{.r = 10.465, .alpha = .00799, .a = .5, .b = 1}.log_likelihood(
        {.x = 50, .t_x = 3, .T = 4})));
    CHECK(pareto.p_alive({.x = 2, .t_x = 7, .T = 7}) == 1);
}
