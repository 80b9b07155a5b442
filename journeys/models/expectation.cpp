#include "journeys/models/expectation.hpp"

#include "journeys/models/numeric.hpp"

#include <boost/math/quadrature/gauss.hpp>

#include <algorithm>
#include <cmath>

namespace journeys::models {
namespace {

/// Longer sums are left to the integral: at some nanoseconds a term this is what the integral
/// costs.
constexpr double terms_max = 4000;

/// The orders to expect, as Σ_j P(N > j) E[(1 - p)^j].
double by_sum(double shape, double a, double b, double c) {
    const double z = c / (1 + c);
    const double log_none = -shape * std::log1p(c); // ln P(N = 0)
    double probability = std::exp(log_none);        // P(N = j)
    double more = -std::expm1(log_none);            // P(N > j)
    double survived = 1;                            // E[(1 - p)^j]
    double sum = 0;
    for (double j = 0; j < 2 * terms_max; ++j) {
        sum += more * survived;
        survived *= (b + j) / (a + b + j);
        probability *= z * (shape + j) / (j + 1);
        more -= probability;
        // Past the mode what follows falls faster than a geometric series with this ratio.
        const double ratio = z * std::max(1.0, (shape + j + 1) / (j + 2));
        if (ratio >= 1) continue;
        const double bound = probability * ratio / (1 - ratio);
        more = std::min(more, bound); // A difference of rounded numbers never quite reaches 0.
        if (bound * survived < 1e-17 * sum * (1 - ratio)) break;
    }
    return sum;
}

/// The same as an integral over p, in y, the logarithm of its odds: there the density is e^(a y) /
/// (1 + e^y)^(a + b) / B(a, b), smooth and with exponential tails however small or large a and b
/// are. In pieces of a fixed width, so that the work is bounded.
double by_integral(double shape, double a, double b, double c) {
    const double log_beta = log_gamma(a) + log_gamma(b) - log_gamma(a + b);
    const double peak = std::log(a / b);
    const double deviation = std::sqrt(1 / a + 1 / b);
    // Where the density has not ended within 37 units of where the fraction is constant (shape c
    // towards p = 0, its value at 1 there), the rest is added in closed form.
    const double natural_low = peak - 60 / a - 12 * deviation;
    const double constant_low = std::min(-std::log1p((shape + 1) * c), peak) - 37;
    const double low = std::max(natural_low, constant_low);
    const double natural_high = peak + 60 / b + 12 * deviation;
    const double constant_high = std::max(0.0, peak) + 37;
    const double high = std::min(natural_high, constant_high);
    const auto integrand = [&](double y) {
        const double log_1_plus = log1p_exp(y);
        const double p = std::exp(y - log_1_plus);
        const double density = std::exp(a * y - (a + b) * log_1_plus - log_beta);
        return density * relative_decay(p, shape * std::log1p(c * p) / p);
    };
    double sum = 0;
    if (low > natural_low) sum += shape * c * std::exp(a * low - log_beta) / a;
    if (high < natural_high)
        sum += relative_decay(1, shape * std::log1p(c)) * std::exp(-b * high - log_beta) / b;
    const double width = std::min(1.0, 2 * deviation);
    const auto pieces = static_cast<int>(std::ceil((high - low) / width));
    for (int i = 0; i < pieces; ++i) {
        const double from = low + (high - low) * i / pieces;
        const double to = low + (high - low) * (i + 1) / pieces;
        sum += boost::math::quadrature::gauss<double, 15>::integrate(integrand, from, to);
    }
    return sum;
}

} // namespace

double expected_orders(double shape, double a, double b, double c) {
    if (!(c > 0)) return 0;
    const double mean = shape * c;
    const double length = mean + 12 * std::sqrt(mean * (1 + c)) + 40 * (1 + c);
    return length < terms_max && shape * std::log1p(c) < 600 ? by_sum(shape, a, b, c)
                                                             : by_integral(shape, a, b, c);
}

} // namespace journeys::models
