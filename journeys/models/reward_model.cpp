#include "journeys/models/reward_model.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace journeys::models {
namespace {

constexpr std::size_t at(std::size_t row, std::size_t column) {
    return row * (row + 1) / 2 + column;
}

double share(const std::optional<double>& value) {
    return value && std::isfinite(*value) ? std::clamp(*value, 0.0, 1.0) : 0;
}

/// The standard normal distribution.
double cumulative(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

} // namespace

DecisionFeatures features_of(const DecisionContext& context) {
    const bool has_cart = context.cart_value && *context.cart_value > 0;
    const double value = has_cart ? *context.cart_value : 0;
    return {1,
            has_cart ? 1.0 : 0.0,
            std::isfinite(value) ? value / (value + 100) : 1,
            context.orders > 0 ? 1.0 : 0.0,
            share(context.churn_risk),
            share(context.intent),
            context.is_vip ? 1.0 : 0.0};
}

void RewardEvidence::add(const DecisionFeatures& features, double reward) {
    ++decisions_;
    rewards_ += reward;
    for (std::size_t row = 0; row < decision_features; ++row) {
        weighted_[row] += reward * features[row];
        for (std::size_t column = 0; column <= row; ++column)
            squares_[at(row, column)] += features[row] * features[column];
    }
}

void RewardEvidence::correct(const DecisionFeatures& features, double difference) {
    rewards_ += difference;
    for (std::size_t row = 0; row < decision_features; ++row)
        weighted_[row] += difference * features[row];
}

RewardEvidence RewardEvidence::of(std::uint64_t decisions, double rewards, const Squares& squares,
                                  const DecisionFeatures& weighted) {
    RewardEvidence made;
    made.decisions_ = decisions;
    made.rewards_ = rewards;
    made.squares_ = squares;
    made.weighted_ = weighted;
    return made;
}

RewardEvidence& RewardEvidence::operator+=(const RewardEvidence& other) {
    decisions_ += other.decisions_;
    rewards_ += other.rewards_;
    for (std::size_t i = 0; i < pairs; ++i) squares_[i] += other.squares_[i];
    for (std::size_t i = 0; i < decision_features; ++i) weighted_[i] += other.weighted_[i];
    return *this;
}

RewardPosterior::RewardPosterior(const RewardPrior& prior, const RewardEvidence& evidence) {
    root_ = evidence.squares_;
    auto weighted = evidence.weighted_;
    weighted[0] += prior.weight * prior.rate;
    for (std::size_t i = 0; i < decision_features; ++i) root_[at(i, i)] += prior.weight;

    // In place. The prior keeps the matrix positive definite, whatever the evidence.
    for (std::size_t row = 0; row < decision_features; ++row)
        for (std::size_t column = 0; column <= row; ++column) {
            double rest = root_[at(row, column)];
            for (std::size_t k = 0; k < column; ++k)
                rest -= root_[at(row, k)] * root_[at(column, k)];
            root_[at(row, column)] =
                row == column ? std::sqrt(std::max(rest, 1e-12)) : rest / root_[at(column, column)];
        }
    for (std::size_t row = 0; row < decision_features; ++row) {
        mean_[row] = weighted[row];
        for (std::size_t k = 0; k < row; ++k) mean_[row] -= root_[at(row, k)] * mean_[k];
        mean_[row] /= root_[at(row, row)];
    }
    for (std::size_t row = decision_features; row-- > 0;) {
        for (std::size_t k = row + 1; k < decision_features; ++k)
            mean_[row] -= root_[at(k, row)] * mean_[k];
        mean_[row] /= root_[at(row, row)];
    }
    const double rate = std::clamp((prior.weight * prior.rate + evidence.rewards_) /
                                       (prior.weight + static_cast<double>(evidence.decisions_)),
                                   0.0, 1.0);
    variance_ = std::max(rate * (1 - rate), 1e-4);
}

RewardBelief RewardPosterior::belief(const DecisionFeatures& features) const {
    RewardBelief belief;
    double spread = 0;
    DecisionFeatures solved{};
    for (std::size_t row = 0; row < decision_features; ++row) {
        belief.mean += mean_[row] * features[row];
        solved[row] = features[row];
        for (std::size_t k = 0; k < row; ++k) solved[row] -= root_[at(row, k)] * solved[k];
        solved[row] /= root_[at(row, row)];
        spread += solved[row] * solved[row];
    }
    belief.mean = std::clamp(belief.mean, 0.0, 1.0);
    belief.deviation = std::sqrt(variance_ * spread);
    return belief;
}

std::vector<double> chances_to_be_best(std::span<const RewardBelief> beliefs) {
    constexpr int steps = 200;
    constexpr double reach = 8, width = 2 * reach / steps;
    const auto deviation = [&](std::size_t i) { return std::max(beliefs[i].deviation, 1e-12); };
    std::vector<double> chances(beliefs.size(), 0);
    for (std::size_t i = 0; i < beliefs.size(); ++i)
        for (int step = 0; step <= steps; ++step) {
            const double z = -reach + step * width;
            const double value = beliefs[i].mean + deviation(i) * z;
            double density = std::exp(-z * z / 2);
            for (std::size_t other = 0; other < beliefs.size(); ++other)
                if (other != i)
                    density *= cumulative((value - beliefs[other].mean) / deviation(other));
            chances[i] += density;
        }
    const double sum = std::accumulate(chances.begin(), chances.end(), 0.0);
    for (auto& chance : chances) chance /= sum;
    return chances;
}

} // namespace journeys::models
