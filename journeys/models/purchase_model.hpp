/// The models of one fit together: what they say of a customer. Immutable once made.
#pragma once

#include "journeys/models/bg_nbd.hpp"
#include "journeys/models/gamma_gamma.hpp"
#include "journeys/models/history.hpp"
#include "journeys/models/nbd.hpp"
#include "journeys/models/pareto_nbd.hpp"

#include <optional>
#include <variant>

namespace journeys::models {

struct PurchaseModel {
    /// `Nbd` where the data could not tell who had stopped.
    std::variant<BgNbd, ParetoNbd, Nbd> purchases;
    std::optional<GammaGamma> spend;
    double discount_per_year = 0.15;

    /// Whether it knows of customers that have stopped; else P(alive) is not known, and the risk is
    /// how far the customer is overdue.
    bool knows_churn() const { return !std::holds_alternative<Nbd>(purchases); }

    std::optional<double> p_alive(const History& history) const;
    /// 1 - P(alive), or `overdue` where churn is not known.
    double churn_risk(const History& history) const;
    /// Orders to expect within `weeks` from now.
    double expected_orders(const History& history, double weeks) const;
    /// What an order to come will bring; nothing without a model of spend, or where it has no mean.
    std::optional<double> spend_per_order(const History& history) const;
    /// What the orders of the next 52 weeks will bring, each discounted from the end of its week;
    /// nothing where what one brings is not known.
    std::optional<double> clv(const History& history) const;
    /// How far the customer is overdue by their own rhythm, 0 to 1.
    double overdue(const History& history) const;
    /// Weeks from the last order to the next, the median while the customer lives.
    double median_gap(double x, double t_x) const;
    /// The T, in weeks since the first order, at which the risk rises to `risk` if nothing is
    /// ordered; at most `t_x` where it is there already; nothing where it never does.
    std::optional<double> rises_to(double risk, double x, double t_x) const;

    double log_likelihood(const History& history) const;
};

inline constexpr double weeks_per_day = 1.0 / 7;
inline constexpr int clv_weeks = 52;

} // namespace journeys::models
