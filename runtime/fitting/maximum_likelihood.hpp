/// The parameters under which what was seen is most likely, and how sure one may be of them.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace runtime::fitting {

/// All parameters are positive; they are searched by their logarithms.
struct Problem {
    std::vector<std::string> names;
    std::vector<double> low, high;           ///< Bounds.
    std::vector<std::vector<double>> starts; ///< Tried one after another; the best result counts.
    std::function<double(const std::vector<double>&)> log_likelihood;
    /// The same over fewer observations, to choose among the starts; empty: the whole is used.
    std::function<double(const std::vector<double>&)> rough_log_likelihood;
};

struct Estimate {
    std::vector<double> parameters;
    double log_likelihood = 0;
    std::vector<double>
        standard_errors;   ///< Empty where the curvature tells none: a flat or pinned maximum.
    bool at_bound = false; ///< Some parameter ended at the end of its range.
    int evaluations = 0;
};

/// Deterministic: the same problem gives the same estimate.
Estimate maximize(const Problem& problem);

} // namespace runtime::fitting
