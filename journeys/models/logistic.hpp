/// Logistic regression: the chance of something from features, each of which speaks for itself.
#pragma once

#include "journeys/models/numeric.hpp"

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace journeys::models {

/// A feature of one observation that is not 0: its number and value.
using Feature = std::pair<std::uint32_t, double>;

struct Logistic {
    double intercept = 0;
    std::vector<std::string> names; ///< One for each weight.
    std::vector<double> weights;

    /// Features whose number has no weight are left out.
    double probability(std::span<const Feature> features) const {
        double sum = intercept;
        for (const auto& [number, value] : features)
            if (number < weights.size()) sum += weights[number] * value;
        return logistic_of_minus(-sum);
    }
};

} // namespace journeys::models
