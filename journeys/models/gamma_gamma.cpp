#include "journeys/models/gamma_gamma.hpp"

#include "journeys/models/numeric.hpp"

namespace journeys::models {

double GammaGamma::log_likelihood(const History& h) const {
    const double px = p * h.x;
    return log_gamma(px + q) - log_gamma(px) - log_gamma(q) + q * std::log(v) +
           (px - 1) * std::log(h.z) + px * std::log(h.x) - (px + q) * std::log(v + h.x * h.z);
}

double GammaGamma::expected_spend(const History& h) const {
    const bool is_known = h.x > 0 && h.z > 0;
    const double shape = (is_known ? p * h.x : 0) + q;
    if (!(shape > 1)) return HUGE_VAL;
    return p * (v + (is_known ? h.x * h.z : 0)) / (shape - 1);
}

} // namespace journeys::models
