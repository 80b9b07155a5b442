/// What an action brings, learned from what it brought: Bayesian linear regression of the reward on
/// what was known when it was decided (the disjoint model of Li et al. 2010, read as a posterior).
///
/// Evidence is sums, so it adds up in any order and from any number of places; the posterior is
/// worked out from it once and is immutable from then on.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace journeys::models {

inline constexpr std::size_t decision_features = 7;

/// The features of a decision, each between 0 and 1, in this order. Their order and meaning are
/// part of every stored posterior: new ones are added at the end, under another version.
inline constexpr std::array<std::string_view, decision_features> decision_feature_names{
    "one", "has_cart", "cart_value", "has_ordered", "churn_risk", "intent", "vip"};

using DecisionFeatures = std::array<double, decision_features>;

/// What is known of the customer when it is decided. What is unknown counts as 0.
struct DecisionContext {
    std::optional<double> cart_value; ///< In the workspace's currency; nothing: no cart, or a
                                      ///< foreign one.
    std::int64_t orders = 0;
    std::optional<double> churn_risk; ///< 0 to 1.
    std::optional<double> intent;     ///< The chance of an order in this session, 0 to 1.
    bool is_vip = false;
    bool is_cart_foreign = false; ///< There is a cart, in another currency.
};

/// `cart_value` is v / (v + 100): it rises with the value and never dominates.
DecisionFeatures features_of(const DecisionContext& context);

/// What is taken for granted of an action that nobody has tried: `rate`, as sure as after `weight`
/// decisions. The other features begin at no influence, equally sure.
struct RewardPrior {
    double rate = 0.05;
    double weight = 20; ///< Above 0.
};

/// What came of the decisions for one action.
class RewardEvidence {
public:
    /// `reward`: 1 where the event came within its window, else 0; shares of it in between.
    void add(const DecisionFeatures& features, double reward);
    /// The reward of a decision that was added is another by `difference`, of which it was not
    /// known yet. Precondition: what is left is no less than nothing.
    void correct(const DecisionFeatures& features, double difference);
    RewardEvidence& operator+=(const RewardEvidence& other);
    std::uint64_t decisions() const { return decisions_; }
    double rewards() const { return rewards_; }

    static constexpr std::size_t pairs = decision_features * (decision_features + 1) / 2;
    using Squares = std::array<double, pairs>;
    /// Σxx', the lower triangle row by row, and Σrx: as they are stored.
    const Squares& squares() const { return squares_; }
    const DecisionFeatures& weighted() const { return weighted_; }
    static RewardEvidence of(std::uint64_t decisions, double rewards, const Squares& squares,
                             const DecisionFeatures& weighted);
    bool operator==(const RewardEvidence&) const = default;

private:
    friend class RewardPosterior;

    std::uint64_t decisions_ = 0;
    double rewards_ = 0;
    Squares squares_{};
    DecisionFeatures weighted_{};
};

/// A normal distribution of the mean reward.
struct RewardBelief {
    double mean = 0;      ///< Within 0 and 1.
    double deviation = 0; ///< Of the mean, not of single rewards.
};

class RewardPosterior {
public:
    /// The variance of a reward is that of a yes or no at the overall rate.
    explicit RewardPosterior(const RewardPrior& prior, const RewardEvidence& evidence = {});

    RewardBelief belief(const DecisionFeatures& features) const;

private:
    std::array<double, RewardEvidence::pairs> root_{}; ///< Of the precision (Cholesky), as above.
    DecisionFeatures mean_{};
    double variance_ = 0;
};

/// For each of independent normal beliefs the chance that it is the highest, which is how often
/// Thompson sampling would choose it. By quadrature over 16 deviations, so no draw is needed; they
/// add up to 1. Precondition: not empty.
std::vector<double> chances_to_be_best(std::span<const RewardBelief> beliefs);

} // namespace journeys::models
