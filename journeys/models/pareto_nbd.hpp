/// Pareto/NBD (Schmittlein, Morrison, Colombo 1987; notation of Fader and Hardie 2005): orders at a
/// rate that is Gamma(r, alpha) over customers, until an unseen end at a rate that is Gamma(s,
/// beta).
#pragma once

#include "journeys/models/history.hpp"

#include <optional>

namespace journeys::models {

struct ParetoNbd {
    double r = 0, alpha = 0, s = 0, beta = 0;

    double log_likelihood(const History& history) const;
    double p_alive(const History& history) const;
    /// Orders to expect within `weeks` from now.
    double expected_orders(const History& history, double weeks) const;
    /// The same of somebody who has just ordered for the first time.
    double expected_orders_of_new(double weeks) const;
    /// As of `BgNbd`; found by bracketing, to 1e-10 weeks.
    std::optional<double> falls_to(double threshold, double x, double t_x) const;
};

} // namespace journeys::models
