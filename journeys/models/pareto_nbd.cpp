#include "journeys/models/pareto_nbd.hpp"

#include "journeys/models/numeric.hpp"

#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/tools/toms748_solve.hpp>

#include <algorithm>

namespace journeys::models {
namespace {

/// The odds that the customer ended between the last order and now, to being alive:
///   s (alpha+T)^q (beta+T)^s ∫ (alpha+u)^-q (beta+u)^-(s+1) du over [t_x, T], q = r + x.
///
/// The papers write the integral as a difference of two 2F1, which cancels; this is their sum of
/// positive values. Taken over y = ln(m + u), m the smaller of alpha and beta, in pieces over each
/// of which the integrand falls by e^8 at most, so that 20 nodes are exact to 1e-14. The value is
/// relative to its greatest part, whose logarithm is added at the end.
double log_ended_odds(const ParetoNbd& model, const History& h) {
    const double q = model.r + h.x;
    const double span = h.T - h.t_x;
    if (!(span > 0)) return -HUGE_VAL;
    const double m = std::min(model.alpha, model.beta);
    const double length = log_ratio(m, h.T, h.t_x);
    // ln of the integrand over y, relative to its value at y = 0.
    const auto log_value = [&](double y) {
        const double du = (m + h.t_x) * std::expm1(y); // u - t_x
        return y - q * std::log1p(du / (model.alpha + h.t_x)) -
               (model.s + 1) * std::log1p(du / (model.beta + h.t_x));
    };
    // It falls at most this fast, and after e^-45 nothing counts any more.
    const double steepest = q + model.s;
    double sum = 0;
    double from = 0;
    double greatest = 0;
    for (int piece = 0; piece < 400 && from < length; ++piece) {
        const double to = std::min({length, from + 8 / steepest, from + 1.5});
        sum += boost::math::quadrature::gauss<double, 20>::integrate(
            [&](double y) { return std::exp(log_value(y)); }, from, to);
        from = to;
        const double left = log_value(from);
        greatest = std::max(greatest, left);
        if (left < greatest - 45) break;
    }
    return std::log(model.s) + std::log(sum) + std::log((m + h.t_x) / (model.beta + h.t_x)) +
           q * log_ratio(model.alpha, h.T, h.t_x) + model.s * log_ratio(model.beta, h.T, h.t_x);
}

} // namespace

double ParetoNbd::log_likelihood(const History& h) const {
    return log_gamma(r + h.x) - log_gamma(r) + r * std::log(alpha) -
           (r + h.x) * std::log(alpha + h.T) - s * std::log1p(h.T / beta) +
           log1p_exp(log_ended_odds(*this, h));
}

double ParetoNbd::p_alive(const History& h) const {
    return logistic_of_minus(log_ended_odds(*this, h));
}

double ParetoNbd::expected_orders(const History& h, double weeks) const {
    return p_alive(h) * (r + h.x) * (beta + h.T) / (alpha + h.T) *
           relative_decay(s - 1, std::log1p(weeks / (beta + h.T)));
}

double ParetoNbd::expected_orders_of_new(double weeks) const {
    return r * beta / alpha * relative_decay(s - 1, std::log1p(weeks / beta));
}

std::optional<double> ParetoNbd::falls_to(double threshold, double x, double t_x) const {
    if (threshold <= 0) return std::nullopt;
    if (threshold >= 1) return t_x;
    const double log_odds = std::log1p(-threshold) - std::log(threshold);
    const auto excess = [&](double T) {
        return log_ended_odds(*this, {.x = x, .t_x = t_x, .T = T}) - log_odds;
    };
    constexpr double weeks_max = 1e6; // Twenty millennia: as good as never.
    double low = t_x, high = t_x + alpha;
    while (excess(high) < 0) {
        low = high;
        high = t_x + 2 * (high - t_x);
        if (high > weeks_max) return std::nullopt;
    }
    if (low == t_x) low = t_x + std::min(1e-9, (high - t_x) / 2);
    if (excess(low) >= 0) return low;
    std::uintmax_t steps = 100;
    const auto [a, b] = boost::math::tools::toms748_solve(
        excess, low, high, [](double l, double u) { return u - l < 1e-11 * (1 + u); }, steps);
    return (a + b) / 2;
}

} // namespace journeys::models
