#include "runtime/fitting/maximum_likelihood.hpp"

#include <nlopt.hpp>

#include <algorithm>
#include <cmath>

namespace runtime::fitting {
namespace {

using Point = std::vector<double>;
using Function = std::function<double(const Point&)>;

Point exponentials(const Point& logs) {
    Point values(logs.size());
    std::ranges::transform(logs, values.begin(), [](double log) { return std::exp(log); });
    return values;
}

Point logarithms(const Point& values) {
    Point logs(values.size());
    std::ranges::transform(values, logs.begin(), [](double value) { return std::log(value); });
    return logs;
}

struct Objective {
    const Function& function;
    int evaluations = 0;

    double operator()(const Point& logs) {
        ++evaluations;
        const double value = function(exponentials(logs));
        return std::isfinite(value) ? value : -1e300;
    }
    static double call(const Point& logs, Point&, void* self) {
        return (*static_cast<Objective*>(self))(logs);
    }
};

struct Maximum {
    Point at;
    double value = -HUGE_VAL;
};

/// One search without derivatives from `start`, within the bounds.
Maximum climb(const Problem& problem, Objective& objective, Point start, double step,
              double tolerance, int evaluations_max) {
    const auto low = logarithms(problem.low), high = logarithms(problem.high);
    for (std::size_t i = 0; i < start.size(); ++i) start[i] = std::clamp(start[i], low[i], high[i]);
    nlopt::opt search{nlopt::LN_BOBYQA, static_cast<unsigned>(start.size())};
    search.set_max_objective(Objective::call, &objective);
    search.set_lower_bounds(low);
    search.set_upper_bounds(high);
    search.set_initial_step(step);
    search.set_ftol_abs(tolerance);
    search.set_maxeval(evaluations_max);
    Maximum maximum{start, -HUGE_VAL};
    try {
        search.optimize(maximum.at, maximum.value);
    } catch (const std::exception&) { // Rounding ended it: where it stands is as good as it gets.
        maximum.value = objective(maximum.at);
    }
    return maximum;
}

/// The inverse of a symmetric positive definite matrix; empty where it is not one.
std::vector<Point> inverse(std::vector<Point> m) {
    const auto n = m.size();
    std::vector<Point> result(n, Point(n));
    for (std::size_t i = 0; i < n; ++i) result[i][i] = 1;
    for (std::size_t column = 0; column < n; ++column) {
        const double pivot = m[column][column]; // Positive at every stage, or it is not definite.
        if (!(pivot > 1e-9)) return {};
        for (std::size_t j = 0; j < n; ++j) {
            m[column][j] /= pivot;
            result[column][j] /= pivot;
        }
        for (std::size_t row = 0; row < n; ++row) {
            if (row == column) continue;
            const double factor = m[row][column];
            for (std::size_t j = 0; j < n; ++j) {
                m[row][j] -= factor * m[column][j];
                result[row][j] -= factor * result[column][j];
            }
        }
    }
    return result;
}

/// From the curvature at the maximum, by differences in the logarithms.
Point standard_errors(Objective& objective, const Maximum& maximum) {
    const auto n = maximum.at.size();
    constexpr double h = 2e-3;
    const auto value = [&](std::size_t i, double by_i, std::size_t j, double by_j) {
        auto at = maximum.at;
        at[i] += by_i;
        at[j] += by_j;
        return objective(at);
    };
    std::vector<Point> information(n, Point(n));
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j <= i; ++j) {
            const double curvature =
                i == j ? (value(i, h, i, 0) - 2 * maximum.value + value(i, -h, i, 0)) / (h * h)
                       : (value(i, h, j, h) - value(i, h, j, -h) - value(i, -h, j, h) +
                          value(i, -h, j, -h)) /
                             (4 * h * h);
            information[i][j] = information[j][i] = -curvature;
        }
    const auto covariance = inverse(std::move(information));
    Point errors;
    if (covariance.empty()) return errors;
    for (std::size_t i = 0; i < n; ++i)
        errors.push_back(std::exp(maximum.at[i]) * std::sqrt(std::max(0.0, covariance[i][i])));
    return errors;
}

} // namespace

Estimate maximize(const Problem& problem) {
    Objective rough{problem.rough_log_likelihood ? problem.rough_log_likelihood
                                                 : problem.log_likelihood};
    Objective full{problem.log_likelihood};
    Maximum best;
    for (const auto& start : problem.starts) {
        auto found = climb(problem, rough, logarithms(start), 0.4, 1e-4, 400);
        if (found.value > best.value) best = std::move(found);
    }
    // Again and again from where it stands, as a flat ridge ends a search too early.
    best.value = -HUGE_VAL;
    double step = 0.1;
    for (int round = 0; round < 8; ++round) {
        auto found = climb(problem, full, best.at, step, 1e-8, 500);
        const double gain = found.value - best.value;
        if (gain > 0) best = std::move(found);
        if (gain < 1e-6) break;
        step = 0.03;
    }
    Estimate estimate;
    estimate.parameters = exponentials(best.at);
    estimate.log_likelihood = best.value;
    for (std::size_t i = 0; i < best.at.size(); ++i)
        estimate.at_bound = estimate.at_bound || estimate.parameters[i] < problem.low[i] * 1.01 ||
                            estimate.parameters[i] > problem.high[i] * 0.99;
    if (!estimate.at_bound) estimate.standard_errors = standard_errors(full, best);
    estimate.evaluations = rough.evaluations + full.evaluations;
    return estimate;
}

} // namespace runtime::fitting
