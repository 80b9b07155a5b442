/// What another policy would have earned, from a log of decisions that carries their propensities.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace runtime::fitting {

/// One logged decision, and the policy that is judged.
struct Decision {
    std::size_t action = 0;
    double propensity = 0; ///< With which it was chosen when it was; above 0, at most 1.
    double reward = 0;
    double target = 0; ///< The chance that the judged policy chooses this action here.
    /// What a model of the reward expects of the logged action, and of the judged policy here; both
    /// 0 without a model.
    double expected = 0, expected_of_policy = 0;
};

struct Estimate95 {
    double value = 0, standard_error = 0;
    double low() const { return value - 1.96 * standard_error; }
    double high() const { return value + 1.96 * standard_error; }
};

struct Judgement {
    std::size_t decisions = 0;
    double logged = 0; ///< The mean reward of what was done.
    Estimate95 ips, snips, doubly_robust;
    double effective_sample_size =
        0; ///< (Σw)² / Σw²: as if so many had been decided by the policy.
    double weight_max = 0;
    /// About 1 where the log may have done whatever the policy does; below it some is missing.
    double mean_weight = 0;
    /// The share of decisions that the policy would have taken otherwise, while the log could not.
    double unsupported = 0;
    /// False below the floor of effective samples: then no estimate says anything of the policy.
    bool is_enough = false;
    /// False where the log lacks what the policy does: the mean weight is further from 1 than
    /// `mean_weight_off_max` and than chance explains (3 standard errors), or more than
    /// `unsupported_max` have no support. Then, too, no estimate says anything.
    bool is_supported = false;
};

inline constexpr double mean_weight_off_max = 0.1, unsupported_max = 0.05;

/// Precondition: not empty, every propensity above 0.
Judgement judge_policy(const std::vector<Decision>& decisions, double effective_samples_min);

/// Means by action of a randomised test, and the effect of each against `control`.
struct Arm {
    std::string name;
    std::size_t count = 0;
    Estimate95 mean, effect;
};
std::vector<Arm> compare_arms(const std::vector<std::size_t>& actions,
                              const std::vector<double>& rewards,
                              const std::vector<std::string>& names, std::size_t control);

/// How much better it is to treat by descending score than at random: the area between the curve of
/// incremental responses and its chord, per customer. `treated`: by chance, independent of the
/// score. Equal scores stay in the order given.
double qini(const std::vector<double>& scores, const std::vector<bool>& treated,
            const std::vector<double>& responses);

} // namespace runtime::fitting
