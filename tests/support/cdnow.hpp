/// The purchases of CDNOW's customers of 1997 (Fader and Hardie), from the shared data.
#pragma once

#include "journeys/models/purchases.hpp"
#include "tests/support/shared_data.hpp"

#include <map>
#include <sstream>

namespace support {

struct CdnowOrder {
    std::string customer;
    std::int32_t day = 0; ///< Since 1970.
    journeys::Money spend;
};

inline std::int32_t day_of_text(const std::string& yyyymmdd) {
    using namespace std::chrono;
    const auto number = std::stoi(yyyymmdd);
    const auto date = year{number / 10000} / (number / 100 % 100) / (number % 100);
    return static_cast<std::int32_t>(sys_days{date}.time_since_epoch().count());
}

/// The last day of the calibration period, 1997-09-30, and of the data, 1998-06-30.
inline const std::int32_t cdnow_calibration_end = day_of_text("19970930");
inline const std::int32_t cdnow_end = day_of_text("19980630");

/// All 69,659 rows, or the 6,919 of the published sample; in the file's order.
inline std::vector<CdnowOrder> cdnow_orders(const std::filesystem::path& path, bool sample) {
    std::vector<CdnowOrder> orders;
    for (const auto& line : read_lines(path)) {
        std::istringstream words{line};
        std::string id, date, discs, dollars;
        words >> id;
        if (id.empty() || id == "customer_id") continue;
        if (sample) words >> id; // The sample's own number, in whose order its summary is.
        words >> date >> discs >> dollars;
        orders.push_back({id, day_of_text(date), *journeys::Money::parse(dollars)});
    }
    return orders;
}

using CdnowHistories = std::map<std::string, journeys::models::Purchases>;

inline CdnowHistories cdnow_purchases(const std::vector<CdnowOrder>& orders,
                                      std::int32_t last_day) {
    CdnowHistories customers;
    for (const auto& order : orders)
        if (order.day <= last_day)
            journeys::models::add_order(customers[order.customer], order.day, order.spend);
    return customers;
}

inline journeys::Timestamp midnight(std::int32_t day) {
    return std::chrono::sys_days{std::chrono::days{day}};
}

} // namespace support
