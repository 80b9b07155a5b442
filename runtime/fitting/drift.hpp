/// Whether a model still fits: have the customers changed since, and did what it foretold come?
#pragma once

#include "journeys/models/model_set.hpp"
#include "runtime/fitting/orders_csv.hpp"

#include <optional>
#include <string>

namespace runtime::fitting {

struct Drift {
    std::int32_t from = 0, until = 0; ///< Days since 1970: the model's last order, and today.
    /// Population stability indices over the model's five classes of each input; 0: nothing has
    /// changed. In practice below .1 is calm and above .25 a change.
    double recency = 0, orders = 0, spend = 0;
    double predicted = 0, realised = 0; ///< Orders of the customers that it knew, since then.
    std::size_t customers = 0;

    /// Above .25, or a third more or fewer orders than foretold.
    bool is_notable() const;
};

/// Nothing where the model does not say until when it was fitted, or nothing has happened since.
std::optional<Drift> drift_of(const journeys::models::ModelSet& models, const OrderTable& table,
                              std::int32_t today);

std::string to_text(const Drift& drift);

/// Σ (now - then) ln(now / then) over classes; both are counts.
template <class Counts> double stability_index(const Counts& then, const Counts& now);

} // namespace runtime::fitting
