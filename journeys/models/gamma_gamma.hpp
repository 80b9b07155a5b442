/// Gamma-Gamma (Fader and Hardie 2013, brucehardie.com note 025): the spend of a customer's orders
/// is Gamma(p, nu), and nu is Gamma(q, v) over customers. Assumes that how much is spent has
/// nothing to do with how often.
#pragma once

#include "journeys/models/history.hpp"

namespace journeys::models {

struct GammaGamma {
    double p = 0, q = 0, v = 0;

    /// Precondition: x > 0 and z > 0.
    double log_likelihood(const History& history) const;
    /// The mean spend of an order to come; that of the population where there is no repeat order,
    /// or none that cost anything. Infinite where q <= 1 and too little is known, since such a
    /// population has no mean.
    double expected_spend(const History& history) const;
};

} // namespace journeys::models
