/// One published version of the models, with what only the whole population tells.
#pragma once

#include "journeys/models/logistic.hpp"
#include "journeys/models/purchase_model.hpp"
#include "journeys/models/score_table.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace journeys::models {

/// Four cut points make five classes: class 1 lies below the first, class 5 from the last on.
using Quintiles = std::array<double, 4>;

/// The class of a value, 1 to 5.
constexpr int class_of(double value, const Quintiles& cuts) {
    int result = 1;
    for (const double cut : cuts) result += value >= cut ? 1 : 0;
    return result;
}

/// An actor cannot know how a customer compares with all others: the fit says it.
struct Cuts {
    std::optional<double> vip_clv; ///< Customers with at least this value are VIP.
    Quintiles recency_days{};      ///< Days since the last order; few are good.
    Quintiles orders{};            ///< Purchase days.
    Quintiles spend{};             ///< All that was spent, net.
    bool has_rfm = false;
};

struct ModelSet {
    std::uint64_t version = 0; ///< Content hash of its text.
    bool has_purchases = true; ///< Else there is only what follows them.
    PurchaseModel purchases;
    Cuts cuts;
    std::string currency;           ///< Of spend and value; empty: not known.
    std::optional<Logistic> intent; ///< Its features are those of `journeys/intent.hpp`, by number.
    std::string fitted_until;       ///< The last day of the orders it was fitted to.

    /// Works out what scores are read from afterwards; without it they are right and slow.
    void prepare() { table_ = std::make_shared<const ScoreTable>(purchases); }
    /// As `PurchaseModel::clv`.
    std::optional<double> clv(const History& history) const {
        const auto orders =
            table_ && purchases.spend ? table_->discounted_orders(history) : std::nullopt;
        if (!orders) return purchases.clv(history);
        const auto per_order = purchases.spend_per_order(history);
        if (!per_order) return std::nullopt;
        return *orders * *purchases.p_alive(history) * *per_order;
    }
    double expected_orders_90d(const History& history) const {
        const auto orders = table_ ? table_->orders_90d(history) : std::nullopt;
        if (!orders) return purchases.expected_orders(history, 90 * weeks_per_day);
        return *orders * *purchases.p_alive(history);
    }

private:
    std::shared_ptr<const ScoreTable> table_;
};

using ModelSetPtr = std::shared_ptr<const ModelSet>;

} // namespace journeys::models
