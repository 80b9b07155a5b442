/// Fits logistic regressions, and says how good predictions of yes and no are.
#pragma once

#include "journeys/models/logistic.hpp"

#include <cstdint>
#include <vector>

namespace runtime::fitting {

struct Observation {
    std::vector<journeys::models::Feature> features; ///< By rising number; zeros are left out.
    bool happened = false;
};

/// Minimises -ln L + `ridge`/2 Σ w² by Newton's method; the intercept is free. `names`: one for
/// each feature. Deterministic.
journeys::models::Logistic fit_logistic(const std::vector<Observation>& observations,
                                        std::vector<std::string> names, double ridge = 1.0);

struct Quality {
    double auc =
        0; ///< The chance that of two, one of which happened, that one has the higher prediction.
    double brier = 0, log_loss = 0, accuracy = 0, rate = 0;
    /// Predictions in ten classes of equal size: mean prediction and what happened.
    struct Class {
        double predicted = 0, happened = 0;
        std::size_t count = 0;
    };
    std::vector<Class> calibration;
};

/// Precondition: as many predictions as outcomes, and both outcomes occur.
Quality judge(const std::vector<double>& predictions, const std::vector<bool>& happened);

} // namespace runtime::fitting
