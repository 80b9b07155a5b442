#include "journeys/models/purchase_model.hpp"

#include <cmath>
#include <utility>

namespace journeys::models {
namespace {

/// r and alpha, which all of them have.
std::pair<double, double> rate_of(const PurchaseModel& model) {
    return std::visit(
        [](const auto& each) {
            return std::pair{each.r, each.alpha};
        },
        model.purchases);
}

} // namespace

std::optional<double> PurchaseModel::p_alive(const History& history) const {
    if (const auto* bg = std::get_if<BgNbd>(&purchases)) return bg->p_alive(history);
    if (const auto* pareto = std::get_if<ParetoNbd>(&purchases)) return pareto->p_alive(history);
    return std::nullopt;
}

double PurchaseModel::churn_risk(const History& history) const {
    const auto alive = p_alive(history);
    return alive ? 1 - *alive : overdue(history);
}

double PurchaseModel::expected_orders(const History& history, double weeks) const {
    return std::visit([&](const auto& each) { return each.expected_orders(history, weeks); },
                      purchases);
}

std::optional<double> PurchaseModel::spend_per_order(const History& history) const {
    if (!spend) return std::nullopt;
    const double expected = spend->expected_spend(history);
    return std::isfinite(expected) ? std::optional{expected} : std::nullopt;
}

std::optional<double> PurchaseModel::clv(const History& history) const {
    const auto per_order = spend_per_order(history);
    if (!per_order) return std::nullopt;
    double sum = 0, before = 0;
    for (int week = 1; week <= clv_weeks; ++week) {
        const double until = expected_orders(history, week);
        sum += (until - before) * std::pow(1 + discount_per_year, -week / 52.0);
        before = until;
    }
    return *per_order * sum;
}

double PurchaseModel::overdue(const History& history) const {
    const auto [r, alpha] = rate_of(*this);
    return models::overdue(r, alpha, history);
}

double PurchaseModel::median_gap(double x, double t_x) const {
    const auto [r, alpha] = rate_of(*this);
    return overdue_gap(r, alpha, x, t_x, 0.5);
}

std::optional<double> PurchaseModel::rises_to(double risk, double x, double t_x) const {
    if (const auto* bg = std::get_if<BgNbd>(&purchases)) return bg->falls_to(1 - risk, x, t_x);
    if (const auto* pareto = std::get_if<ParetoNbd>(&purchases))
        return pareto->falls_to(1 - risk, x, t_x);
    const auto [r, alpha] = rate_of(*this);
    if (risk >= 1) return std::nullopt;
    if (risk <= 0) return t_x;
    return t_x + overdue_gap(r, alpha, x, t_x, risk);
}

double PurchaseModel::log_likelihood(const History& history) const {
    return std::visit([&](const auto& each) { return each.log_likelihood(history); }, purchases);
}

} // namespace journeys::models
