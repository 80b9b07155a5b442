/// What each event of recorded sessions looked like at its time, and whether an order followed in
/// the same session.
#pragma once

#include "journeys/record.hpp"
#include "runtime/fitting/logistic_fit.hpp"

#include <vector>

namespace runtime::fitting {

struct SessionSamples {
    std::vector<Observation> observations;
    std::vector<std::size_t> sessions; ///< Of each observation: the number of its session.
    std::size_t session_count = 0, with_order = 0;
};

/// Runs `records` (by rising `accepted_at`) through the core without journeys. Every event of a
/// session but the order itself is an observation; features are those of `journeys/intent.hpp`.
SessionSamples session_samples(const std::vector<journeys::Record>& records);

struct IntentFit {
    journeys::models::Logistic model;
    Quality quality; ///< On sessions that the model was not fitted to: ten folds, by session.
};

/// Precondition: there are sessions with an order and without.
IntentFit fit_intent(const SessionSamples& samples, double ridge = 1.0);

} // namespace runtime::fitting
