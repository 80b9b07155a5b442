#include "journeys/models/score_table.hpp"

#include "journeys/models/expectation.hpp"

#include <cmath>
#include <numbers>

namespace journeys::models {

ScoreTable::ScoreTable(const PurchaseModel& model) {
    const auto* bg = std::get_if<BgNbd>(&model.purchases);
    if (!bg) return;
    alpha_ = bg->alpha;
    low_ = std::log(alpha_);
    high_ = std::log(alpha_ + weeks_max);
    std::array<double, clv_weeks> discount{};
    for (int week = 1; week <= clv_weeks; ++week)
        discount[static_cast<std::size_t>(week - 1)] =
            std::pow(1 + model.discount_per_year, -week / 52.0);
    for (int x = 0; x <= x_max; ++x) {
        const double b = bg->b + x + (bg->modified ? 1 : 0);
        // Logarithms, because the expectations fall like a power of alpha + T.
        std::array<double, degree> year{}, quarter{};
        for (std::size_t i = 0; i < degree; ++i) {
            const double node = std::cos(std::numbers::pi * (static_cast<double>(i) + .5) /
                                         static_cast<double>(degree));
            const double exposure = std::exp(low_ + (high_ - low_) * (node + 1) / 2);
            double sum = 0, before = 0;
            for (int week = 1; week <= clv_weeks; ++week) {
                const double until = expected_orders(bg->r + x, bg->a, b, week / exposure);
                sum += (until - before) * discount[static_cast<std::size_t>(week - 1)];
                before = until;
            }
            year[i] = std::log(sum);
            quarter[i] =
                std::log(expected_orders(bg->r + x, bg->a, b, 90 * weeks_per_day / exposure));
        }
        const auto coefficients = [](const std::array<double, degree>& values) {
            Row row{};
            for (std::size_t k = 0; k < degree; ++k) {
                for (std::size_t i = 0; i < degree; ++i)
                    row[k] += values[i] *
                              std::cos(std::numbers::pi * static_cast<double>(k) *
                                       (static_cast<double>(i) + .5) / static_cast<double>(degree));
                row[k] *= (k == 0 ? 1.0 : 2.0) / static_cast<double>(degree);
            }
            return row;
        };
        discounted_.push_back(coefficients(year));
        orders_90d_.push_back(coefficients(quarter));
    }
}

std::optional<double> ScoreTable::value(const std::vector<Row>& rows, const History& h) const {
    if (rows.empty() || h.x > x_max || h.T > weeks_max) return std::nullopt;
    const auto& row = rows[static_cast<std::size_t>(h.x)];
    const double at = 2 * (std::log(alpha_ + h.T) - low_) / (high_ - low_) - 1;
    // Clenshaw's recurrence.
    double next = 0, after = 0;
    for (std::size_t k = degree - 1; k > 0; --k) {
        const double now = row[k] + 2 * at * next - after;
        after = next;
        next = now;
    }
    return std::exp(row[0] + at * next - after);
}

} // namespace journeys::models
