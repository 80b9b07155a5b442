/// NBD: orders at a rate that is Gamma(r, alpha) over customers, for ever. What remains when the
/// data cannot tell who stopped; it still says how unusual a silence is.
#pragma once

#include "journeys/models/history.hpp"
#include "journeys/models/numeric.hpp"

#include <optional>

namespace journeys::models {

/// The chance that the next order would have come by now, 0 to 1: how far somebody is overdue by
/// their own rhythm. While they live, the gap since the last order is Lomax distributed; that needs
/// no dropout.
inline double overdue(double r, double alpha, const History& h) {
    return -std::expm1(-(r + h.x) * log_ratio(alpha, h.T, h.t_x));
}

/// The gap since the last order, in weeks, that is exceeded with the chance 1 - `level`. `level` .5
/// dates the next order. Precondition: 0 <= level < 1.
inline double overdue_gap(double r, double alpha, double x, double t_x, double level) {
    return (alpha + t_x) * std::expm1(-std::log1p(-level) / (r + x));
}

struct Nbd {
    double r = 0, alpha = 0;

    double log_likelihood(const History& h) const {
        return log_gamma(r + h.x) - log_gamma(r) + r * std::log(alpha) -
               (r + h.x) * std::log(alpha + h.T);
    }
    double expected_orders(const History& h, double weeks) const {
        return (r + h.x) / (alpha + h.T) * weeks;
    }
};

} // namespace journeys::models
