/// Orders from a table of text.
#pragma once

#include "journeys/models/purchases.hpp"
#include "journeys/result.hpp"

#include <istream>
#include <map>
#include <string>
#include <vector>

namespace runtime::fitting {

struct OrderRow {
    std::string customer;
    std::int32_t day = 0; ///< Since 1970, UTC.
    journeys::Money amount;
};

struct OrderTable {
    std::vector<OrderRow> rows;          ///< In the order of the file.
    std::vector<std::string> currencies; ///< Those that occur; of no column: none.
    std::size_t returns =
        0; ///< Rows with a negative amount: they lower the spend of the order before.
};

/// Comma-separated, quoted as in RFC 4180, with a header that names at least `customer_id`, `date`
/// (ISO 8601, a day or an instant) and `amount`; `currency` is looked at where it is there, other
/// columns are not. `currency` not empty: only rows of that currency. The error names the line.
journeys::Result<OrderTable> read_orders(std::istream& in, const std::string& name,
                                         const std::string& currency = {});

/// By customer, orders up to and including `last_day`.
std::map<std::string, journeys::models::Purchases> purchases_of(const OrderTable& table,
                                                                std::int32_t last_day);

/// The cells of one line. False where a quoted cell does not end.
bool split_csv(std::string_view line, std::vector<std::string>& cells);

} // namespace runtime::fitting
