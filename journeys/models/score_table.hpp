/// Expectations of BG/NBD and MBG/NBD, worked out once for a model: a year's discounted orders take
/// 52 sums of some dozens of terms, which is too slow to do at every order.
#pragma once

#include "journeys/models/purchase_model.hpp"

#include <array>
#include <optional>
#include <vector>

namespace journeys::models {

/// Of customers with up to `x_max` repeat purchases and ten years: Chebyshev polynomials in
/// ln(alpha + T), one for each x. Relative error below 1e-8, a test says. Immutable.
class ScoreTable {
public:
    static constexpr int x_max = 15;
    static constexpr double weeks_max = 522;

    /// Takes some tenths of a second at most. Of models that need no table it stays empty.
    explicit ScoreTable(const PurchaseModel& model);

    /// The next 52 weeks' orders, each discounted from the end of its week, if the customer is
    /// alive; nothing outside of the table.
    std::optional<double> discounted_orders(const History& history) const {
        return value(discounted_, history);
    }
    /// Orders within 90 days, if the customer is alive.
    std::optional<double> orders_90d(const History& history) const {
        return value(orders_90d_, history);
    }

private:
    static constexpr std::size_t degree = 24;
    using Row = std::array<double, degree>; ///< Coefficients.

    std::optional<double> value(const std::vector<Row>& rows, const History& history) const;

    double alpha_ = 0, low_ = 0, high_ = 0;    ///< Of ln(alpha + T).
    std::vector<Row> discounted_, orders_90d_; ///< By x.
};

} // namespace journeys::models
