/// A fit from orders to judgement: what `sojourn fit` prints.
#pragma once

#include "journeys/models/model_set.hpp"
#include "journeys/result.hpp"
#include "runtime/fitting/orders_csv.hpp"
#include "runtime/fitting/purchase_fit.hpp"
#include "runtime/fitting/validation.hpp"

#include <optional>
#include <string>
#include <vector>

namespace runtime::fitting {

/// Days since 1970.
struct Periods {
    std::optional<std::int32_t> calibration_end, validation_end;
};

/// The share of customers with the highest value that are VIP.
inline constexpr double vip_share = 0.1;

struct Report {
    ModelFit fit;
    std::optional<ModelFit> fallback; ///< NBD, where churn is not identifiable.
    std::optional<ModelFit>
        spend; ///< Gamma-Gamma beside the model of purchases, where there is data.
    std::size_t customers = 0, repeaters = 0;
    std::int32_t first_day = 0, calibration_end = 0, validation_end = 0;
    double correlation = 0;               ///< Of frequency and spend.
    std::optional<Validation> validation; ///< Of a fit to an earlier part where no end was named.
    std::optional<std::int32_t> validated_until_day; ///< Where that earlier part ended.
    std::vector<std::string> warnings;
    /// What is published: the usable models, and where the customers' scores are cut.
    journeys::models::ModelSet models;

    /// What may be used: the fallback where churn is not identifiable. Precondition: the model is
    /// one of purchases.
    journeys::models::PurchaseModel usable() const;
};

/// Fails where nothing can be fitted: no orders, several currencies, ends in the wrong order.
journeys::Result<Report> fit_and_validate(const OrderTable& table, ModelKind kind,
                                          const Periods& periods);

std::string to_text(const Report& report);
std::string to_json(const Report& report);

} // namespace runtime::fitting
