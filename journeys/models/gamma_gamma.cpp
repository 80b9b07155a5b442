#include "journeys/models/gamma_gamma.hpp"

#include "journeys/models/numeric.hpp"

namespace journeys::models {

double GammaGamma::log_likelihood(const History& h) const {
    const double px = p * h.x;
    return log_gamma(px + q) - log_gamma(px) - log_gamma(q) + q * std::log(v) +
           (px - 1) * std::log(h.z) + px * std::log(h.x) - (px + q) * std::log(v + h.x * h.z);
}

double GammaGamma::expected_spend(const History& h) const {
    if (!(h.x > 0) || !(h.z > 0)) return q > 1 ? p * v / (q - 1) : HUGE_VAL;
    return p * (v + h.x * h.z) / (p * h.x + q - 1);
}

} // namespace journeys::models
