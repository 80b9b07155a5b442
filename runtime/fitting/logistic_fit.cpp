#include "runtime/fitting/logistic_fit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace runtime::fitting {
namespace {

using journeys::models::Logistic;

/// Solves a x = b for a symmetric positive definite `a` (row by row), in place, by Cholesky.
std::vector<double> solve(std::vector<double>& a, std::vector<double> b) {
    const auto n = b.size();
    for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t i = j; i < n; ++i) {
            double sum = a[i * n + j];
            for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
            a[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / a[j * n + j];
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < i; ++k) b[i] -= a[i * n + k] * b[k];
        b[i] /= a[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
        for (std::size_t k = i + 1; k < n; ++k) b[i] -= a[k * n + i] * b[k];
        b[i] /= a[i * n + i];
    }
    return b;
}

double objective(const Logistic& model, const std::vector<Observation>& observations,
                 double ridge) {
    double sum = 0;
    for (const double weight : model.weights) sum += ridge / 2 * weight * weight;
    for (const auto& each : observations) {
        double score = model.intercept;
        for (const auto& [number, value] : each.features) score += model.weights[number] * value;
        sum += journeys::models::log1p_exp(each.happened ? -score : score);
    }
    return sum;
}

} // namespace

Logistic fit_logistic(const std::vector<Observation>& observations, std::vector<std::string> names,
                      double ridge) {
    Logistic model;
    model.names = std::move(names);
    model.weights.assign(model.names.size(), 0);
    const auto n = model.weights.size() + 1; // The intercept is last.
    double before = objective(model, observations, ridge);
    for (int round = 0; round < 50; ++round) {
        std::vector<double> curvature(n * n), slope(n);
        for (const auto& each : observations) {
            const double p = model.probability(each.features);
            const double error = (each.happened ? 1 : 0) - p, weight = p * (1 - p);
            for (std::size_t i = 0; i < each.features.size(); ++i) {
                const auto [row, x] = each.features[i];
                slope[row] += error * x;
                for (std::size_t j = 0; j <= i; ++j)
                    curvature[row * n + each.features[j].first] +=
                        weight * x * each.features[j].second;
                curvature[(n - 1) * n + row] += weight * x;
            }
            slope[n - 1] += error;
            curvature[n * n - 1] += weight;
        }
        for (std::size_t i = 0; i + 1 < n; ++i) {
            slope[i] -= ridge * model.weights[i];
            curvature[i * n + i] += ridge;
        }
        const auto step = solve(curvature, slope);
        // Half the step until it is an improvement: far out Newton's may overshoot.
        const Logistic start = model;
        double now = before;
        for (double length = 1; length > 1e-4; length /= 2) {
            for (std::size_t i = 0; i + 1 < n; ++i)
                model.weights[i] = start.weights[i] + length * step[i];
            model.intercept = start.intercept + length * step[n - 1];
            now = objective(model, observations, ridge);
            if (now < before) break;
        }
        if (!(now < before)) {
            model = start;
            break;
        }
        const bool is_done = before - now < 1e-9 * (1 + std::abs(now));
        before = now;
        if (is_done) break;
    }
    return model;
}

Quality judge(const std::vector<double>& predictions, const std::vector<bool>& happened) {
    Quality quality;
    const auto n = predictions.size();
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) { return predictions[i]; });
    // Ranks of those that happened; equal predictions share the mean of their ranks.
    double rank_sum = 0, positives = 0;
    for (std::size_t i = 0; i < n;) {
        auto end = i;
        while (end < n && predictions[order[end]] == predictions[order[i]]) ++end;
        const double rank = static_cast<double>(i + end + 1) / 2;
        for (; i < end; ++i) {
            if (!happened[order[i]]) continue;
            rank_sum += rank;
            positives += 1;
        }
    }
    const auto count = static_cast<double>(n);
    quality.auc = (rank_sum - positives * (positives + 1) / 2) / (positives * (count - positives));
    for (std::size_t i = 0; i < n; ++i) {
        const double p = predictions[i], y = happened[i] ? 1 : 0;
        quality.brier += (p - y) * (p - y) / count;
        quality.log_loss -= std::log(std::clamp(happened[i] ? p : 1 - p, 1e-15, 1.0)) / count;
        quality.accuracy += (p >= 0.5) == happened[i] ? 1 / count : 0;
    }
    quality.rate = positives / count;
    for (std::size_t part = 0; part < 10; ++part) {
        Quality::Class each;
        for (auto i = n * part / 10; i < n * (part + 1) / 10; ++i) {
            each.predicted += predictions[order[i]];
            each.happened += happened[order[i]] ? 1 : 0;
            each.count += 1;
        }
        if (each.count == 0) continue;
        each.predicted /= static_cast<double>(each.count);
        each.happened /= static_cast<double>(each.count);
        quality.calibration.push_back(each);
    }
    return quality;
}

} // namespace runtime::fitting
