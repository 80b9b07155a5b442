#include "runtime/fitting/off_policy.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace runtime::fitting {
namespace {

struct Sums {
    double count = 0, sum = 0, squares = 0;

    void add(double value) {
        count += 1;
        sum += value;
        squares += value * value;
    }
    double mean() const { return count > 0 ? sum / count : 0; }
    double variance() const {
        return count > 1 ? std::max(0.0, (squares - sum * sum / count) / (count - 1)) : 0;
    }
    Estimate95 estimate() const { return {mean(), count > 0 ? std::sqrt(variance() / count) : 0}; }
};

} // namespace

Judgement judge_policy(const std::vector<Decision>& decisions, double effective_samples_min) {
    Judgement judgement;
    judgement.decisions = decisions.size();
    Sums logged, ips, robust, weight, unsupported;
    double weights = 0, squares = 0, weighted = 0;
    for (const auto& d : decisions) {
        const double w = d.target / d.propensity;
        logged.add(d.reward);
        ips.add(w * d.reward);
        robust.add(d.expected_of_policy + w * (d.reward - d.expected));
        weights += w;
        squares += w * w;
        weighted += w * d.reward;
        judgement.weight_max = std::max(judgement.weight_max, w);
        weight.add(w);
        // Nothing else was possible, and the policy would have wanted it.
        if (d.propensity >= 1)
            unsupported.add(1 - d.target);
        else
            unsupported.add(0);
    }
    judgement.mean_weight = weight.mean();
    judgement.unsupported = unsupported.mean();
    const double off = std::abs(judgement.mean_weight - 1);
    const bool is_far = off > mean_weight_off_max && off > 3 * weight.estimate().standard_error;
    judgement.is_supported = !is_far && judgement.unsupported <= unsupported_max;
    judgement.logged = logged.mean();
    judgement.ips = ips.estimate();
    judgement.doubly_robust = robust.estimate();
    if (weights > 0) {
        auto& snips = judgement.snips;
        snips.value = weighted / weights;
        double spread = 0; // Of a ratio, by its linearisation.
        for (const auto& d : decisions) {
            const double w = d.target / d.propensity;
            spread += w * w * (d.reward - snips.value) * (d.reward - snips.value);
        }
        snips.standard_error = std::sqrt(spread) / weights;
        judgement.effective_sample_size = weights * weights / squares;
    }
    judgement.is_enough = judgement.effective_sample_size >= effective_samples_min;
    return judgement;
}

std::vector<Arm> compare_arms(const std::vector<std::size_t>& actions,
                              const std::vector<double>& rewards,
                              const std::vector<std::string>& names, std::size_t control) {
    std::vector<Sums> sums(names.size());
    for (std::size_t i = 0; i < actions.size(); ++i) sums[actions[i]].add(rewards[i]);
    std::vector<Arm> arms;
    for (std::size_t i = 0; i < names.size(); ++i) {
        Arm arm{names[i], static_cast<std::size_t>(sums[i].count), sums[i].estimate(), {}};
        const auto base = sums[control].estimate();
        if (i != control)
            arm.effect = {arm.mean.value - base.value,
                          std::hypot(arm.mean.standard_error, base.standard_error)};
        arms.push_back(std::move(arm));
    }
    return arms;
}

double qini(const std::vector<double>& scores, const std::vector<bool>& treated,
            const std::vector<double>& responses) {
    const auto n = scores.size();
    std::vector<std::size_t> order(n);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater<>{}, [&](std::size_t i) { return scores[i]; });
    double treated_count = 0, treated_sum = 0, control_count = 0, control_sum = 0;
    double area = 0, gain = 0;
    for (const auto i : order) {
        (treated[i] ? treated_count : control_count) += 1;
        (treated[i] ? treated_sum : control_sum) += responses[i];
        // Radcliffe's: responses of the treated less those to expect of as many untreated.
        gain = treated_sum - (control_count > 0 ? control_sum * treated_count / control_count : 0);
        area += gain;
    }
    const auto count = static_cast<double>(n);
    return n > 0 ? (area / (count + 1) - gain / 2) / count : 0;
}

} // namespace runtime::fitting
