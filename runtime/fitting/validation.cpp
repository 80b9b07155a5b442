#include "runtime/fitting/validation.hpp"

#include <algorithm>
#include <cmath>

namespace runtime::fitting {

std::vector<Customer> split(const std::map<std::string, journeys::models::Purchases>& before,
                            const std::map<std::string, journeys::models::Purchases>& after,
                            std::int32_t calibration_end) {
    const journeys::Timestamp end = std::chrono::sys_days{std::chrono::days{calibration_end}};
    std::vector<Customer> customers;
    for (const auto& [id, purchases] : before) {
        Customer customer{purchases.history(end), 0};
        customer.later = after.at(id).history(end).x - customer.history.x;
        customers.push_back(customer);
    }
    return customers;
}

Validation validate(const journeys::models::PurchaseModel& model,
                    const std::vector<Customer>& customers, double weeks) {
    constexpr int x_max = 7;
    Validation result{.weeks = weeks, .customers = customers.size()};
    result.by_x.resize(x_max + 1);
    const auto add = [](Errors& errors, double predicted, double actual) {
        errors.mae += std::abs(predicted - actual);
        errors.rmse += (predicted - actual) * (predicted - actual);
        errors.predicted += predicted;
    };
    for (const auto& [history, later] : customers) {
        const double predicted = model.expected_orders(history, weeks);
        add(result.model, predicted, later);
        add(result.rate, history.T > 0 ? history.x / history.T * weeks : 0, later);
        add(result.zero, 0, later);
        result.actual += later;
        auto& row = result.by_x[static_cast<std::size_t>(std::min<double>(history.x, x_max))];
        row.customers += 1;
        row.predicted += predicted;
        row.actual += later;
    }
    const auto count = std::max(1.0, static_cast<double>(customers.size()));
    for (auto* errors : {&result.model, &result.rate, &result.zero}) {
        errors->mae /= count;
        errors->rmse = std::sqrt(errors->rmse / count);
    }
    for (std::size_t x = 0; x < result.by_x.size(); ++x) {
        auto& row = result.by_x[x];
        row.x = static_cast<int>(x);
        if (row.customers == 0) continue;
        row.predicted /= static_cast<double>(row.customers);
        row.actual /= static_cast<double>(row.customers);
    }
    return result;
}

} // namespace runtime::fitting
