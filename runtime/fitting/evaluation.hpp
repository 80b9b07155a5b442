/// `sojourn evaluate`: a table of logged decisions, a policy, and what may be said of it.
#pragma once

#include "journeys/result.hpp"
#include "runtime/fitting/off_policy.hpp"
#include "runtime/fitting/table_features.hpp"

#include <optional>
#include <string>
#include <vector>

namespace runtime::fitting {

struct EvaluationQuestion {
    std::string action = "action", propensity = "propensity", reward = "reward"; ///< Columns.
    std::optional<double> propensity_value; ///< In place of the column: of a randomised test.
    /// `uniform`, `always:ACTION`, or `learned`: fitted to one half of the rows and judged on the
    /// other.
    std::string policy = "uniform";
    std::vector<std::string> context; ///< Columns that are known when it is decided; of `learned`.
    std::string control; ///< The action that does nothing; empty: the arms are not compared.
    std::string
        qini; ///< A column by which to treat: whether the highest gain most; beside `control`.
    double effective_samples_min = 1000;
    std::string surface; ///< Only rows whose column `surface` is this; empty: all.
};

struct Evaluation {
    std::vector<std::string> actions;
    std::size_t decisions = 0;
    Judgement policy;
    std::string best_fixed; ///< Of `learned`: the action that is best for all, on the half it was
                            ///< fitted to.
    std::optional<Judgement> fixed;
    std::optional<Estimate95>
        difference; ///< Of the learned policy and the fixed one, decision by decision.
    std::vector<Arm> arms;
    std::optional<double> qini; ///< Of the column asked for, see `fitting::qini`.
    std::string verdict;        ///< One sentence that says no more than the numbers do.
};

journeys::Result<Evaluation> evaluate(const Table& log, const EvaluationQuestion& question);

std::string to_text(const Evaluation& evaluation);
std::string to_json(const Evaluation& evaluation);

} // namespace runtime::fitting
