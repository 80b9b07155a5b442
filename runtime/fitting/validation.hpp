/// What a model foretold of a later period, beside what came: the measure of a fit.
#pragma once

#include "journeys/models/purchase_model.hpp"
#include "journeys/models/purchases.hpp"

#include <map>
#include <string>
#include <vector>

namespace runtime::fitting {

/// Errors per customer, and the sums over all.
struct Errors {
    double mae = 0, rmse = 0, predicted = 0;
};

struct Validation {
    double weeks = 0;
    std::size_t customers = 0;
    double actual = 0; ///< Purchase days of the later period, all customers together.
    Errors model, rate,
        zero; ///< `rate`: each customer goes on at x/T. `zero`: nobody orders again.
    /// By number of repeat orders so far; the last row holds that many and more.
    struct Row {
        int x = 0;
        std::size_t customers = 0;
        double predicted = 0, actual = 0; ///< Means.
    };
    std::vector<Row> by_x;
};

struct Customer {
    journeys::models::History history; ///< At the end of the calibration.
    double later = 0;                  ///< Purchase days from then to the end of the validation.
};

/// The customers who had ordered by `calibration_end`, days since 1970.
std::vector<Customer>
split(const std::map<std::string, journeys::models::Purchases>& until_calibration,
      const std::map<std::string, journeys::models::Purchases>& until_validation,
      std::int32_t calibration_end);

Validation validate(const journeys::models::PurchaseModel& model,
                    const std::vector<Customer>& customers, double weeks);

} // namespace runtime::fitting
