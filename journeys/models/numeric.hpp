/// Small numbers that stay right where the naive formula overflows or cancels.
#pragma once

#include <cmath>

namespace journeys::models {

/// ln |Γ(x)| without the global `signgam` that std::lgamma writes.
inline double log_gamma(double x) {
    int sign = 0;
    return ::lgamma_r(x, &sign);
}

/// ln(1 + e^x).
inline double log1p_exp(double x) {
    return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

/// 1 / (1 + e^x).
inline double logistic_of_minus(double x) {
    if (x > 0) {
        const double e = std::exp(-x);
        return e / (1 + e);
    }
    return 1 / (1 + std::exp(x));
}

/// (1 - e^(-u v)) / u, which is v at u = 0.
inline double relative_decay(double u, double v) {
    const double uv = u * v;
    return std::abs(uv) < 1e-12 ? v * (1 - uv / 2) : -std::expm1(-uv) / u;
}

/// ln((a + later) / (a + earlier)) for later >= earlier, exact where they are close.
inline double log_ratio(double a, double later, double earlier) {
    return std::log1p((later - earlier) / (a + earlier));
}

} // namespace journeys::models
