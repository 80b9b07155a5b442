#include "runtime/fitting/service_orders.hpp"

#include "journeys/customer.hpp"
#include "runtime/postgres/connection.hpp"

#include <algorithm>

namespace runtime::fitting {

journeys::Result<OrderTable> orders_in(const std::string& conninfo, const std::string& currency) {
    auto connection = Connection::open({.conninfo = conninfo, .instance = "fit"}, "fit");
    if (!connection) return connection.error();
    OrderTable table;
    std::size_t customers = 0;
    const auto read =
        connection->stream("SELECT block FROM snapshots", {}, [&](const SqlRows& rows) {
            const auto customer = journeys::unpack(rows.bytes(0, 0));
            if (!customer || customer->purchases.empty())
                return; // Who cannot be read is parked, and said elsewhere.
            if (!journeys::is_same_currency(currency, customer->currency)) return;
            const auto id = std::to_string(customers++);
            for (const auto& day : customer->purchases.days)
                table.rows.push_back({id, day.day, day.spend});
            auto& currencies = table.currencies;
            if (!customer->currency.empty() &&
                std::ranges::find(currencies, customer->currency) == currencies.end())
                currencies.push_back(customer->currency);
        });
    if (!read) return read.error();
    return table;
}

} // namespace runtime::fitting
