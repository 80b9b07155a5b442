#include "journeys/models/bg_nbd.hpp"

#include "journeys/models/expectation.hpp"
#include "journeys/models/numeric.hpp"

namespace journeys::models {
namespace {

/// ln of the odds that the customer stopped at the last order rather than lives, at T = t_x.
double log_stop_odds(const BgNbd& model, double x) {
    return std::log(model.a) - std::log(model.b + x - (model.modified ? 0 : 1));
}

bool may_have_stopped(const BgNbd& model, double x) { return model.modified || x > 0; }

} // namespace

double BgNbd::log_likelihood(const History& h) const {
    const double beta_ratio =
        log_gamma(a + b) - log_gamma(b) + log_gamma(b + h.x) - log_gamma(a + b + h.x);
    double sum = log_gamma(r + h.x) - log_gamma(r) + r * std::log(alpha) + beta_ratio -
                 (r + h.x) * std::log(alpha + h.T);
    // Of the alive (b + x) / (a + b + x) went on after the last order.
    if (modified) sum += std::log(b + h.x) - std::log(a + b + h.x);
    if (may_have_stopped(*this, h.x))
        sum += log1p_exp(log_stop_odds(*this, h.x) + (r + h.x) * log_ratio(alpha, h.T, h.t_x));
    return sum;
}

double BgNbd::p_alive(const History& h) const {
    if (!may_have_stopped(*this, h.x)) return 1;
    return logistic_of_minus(log_stop_odds(*this, h.x) + (r + h.x) * log_ratio(alpha, h.T, h.t_x));
}

double BgNbd::expected_orders(const History& h, double weeks) const {
    return p_alive(h) *
           models::expected_orders(r + h.x, a, b + h.x + (modified ? 1 : 0), weeks / (alpha + h.T));
}

double BgNbd::expected_orders_of_new(double weeks) const {
    const double alive = modified ? b / (a + b) : 1;
    return alive * models::expected_orders(r, a, b + (modified ? 1 : 0), weeks / alpha);
}

double BgNbd::p_no_orders(double weeks) const {
    const double none = std::exp(-r * std::log1p(weeks / alpha));
    return modified ? (a + b * none) / (a + b) : none;
}

std::optional<double> BgNbd::falls_to(double threshold, double x, double t_x) const {
    if (!may_have_stopped(*this, x) || threshold <= 0) return std::nullopt;
    if (threshold >= 1) return t_x;
    const double log_odds = std::log1p(-threshold) - std::log(threshold);
    const double exponent = (log_odds - log_stop_odds(*this, x)) / (r + x);
    const double weeks = t_x + (alpha + t_x) * std::expm1(exponent);
    if (!std::isfinite(weeks)) return std::nullopt;
    return weeks;
}

} // namespace journeys::models
