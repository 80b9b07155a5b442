#include "runtime/fitting/orders_csv.hpp"

#include "schema/timestamp_text.hpp"

#include <algorithm>
#include <optional>

namespace runtime::fitting {
namespace {

using journeys::Error;
using journeys::ErrorCode;

constexpr std::size_t line_bytes_max = 64 * 1024;

std::optional<std::size_t> column(const std::vector<std::string>& header, std::string_view name) {
    const auto found = std::ranges::find(header, name);
    if (found == header.end()) return std::nullopt;
    return static_cast<std::size_t>(found - header.begin());
}

std::optional<std::int32_t> parse_day(const std::string& text) {
    const auto at = schema::parse_producer_time(text);
    if (!at) return std::nullopt;
    return journeys::models::day_of(*at);
}

} // namespace

bool split_csv(std::string_view line, std::vector<std::string>& cells) {
    cells.assign(1, {});
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (quoted) {
            if (c != '"')
                cells.back() += c;
            else if (i + 1 < line.size() && line[i + 1] == '"')
                cells.back() += line[++i];
            else
                quoted = false;
        } else if (c == '"' && cells.back().empty()) {
            quoted = true;
        } else if (c == ',') {
            cells.emplace_back();
        } else {
            cells.back() += c;
        }
    }
    return !quoted;
}

journeys::Result<OrderTable> read_orders(std::istream& in, const std::string& name,
                                         const std::string& only_currency) {
    OrderTable table;
    std::string line;
    std::size_t number = 0;
    std::vector<std::string> cells;
    std::optional<std::size_t> customer, date, amount, currency;
    const auto refuse = [&](const std::string& what) {
        return Error{ErrorCode::invalid_argument,
                     name + ":" + std::to_string(number) + ": " + what};
    };
    while (std::getline(in, line)) {
        ++number;
        while (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.empty()) continue;
        if (line.size() > line_bytes_max) return refuse("the line is longer than 64 KiB");
        if (!split_csv(line, cells)) return refuse("a quoted cell does not end on its line");
        if (!customer) {
            if (cells.front().starts_with("\xEF\xBB\xBF")) cells.front().erase(0, 3);
            customer = column(cells, "customer_id");
            date = column(cells, "date");
            amount = column(cells, "amount");
            currency = column(cells, "currency");
            if (!customer || !date || !amount)
                return refuse("the first line must name customer_id, date and amount");
            continue;
        }
        if (cells.size() <= std::max({*customer, *date, *amount, currency.value_or(0)}))
            return refuse("there are " + std::to_string(cells.size()) +
                          " cells, fewer than the header names");
        if (currency) {
            const auto& found = cells[*currency];
            if (!only_currency.empty() && found != only_currency) continue;
            if (!found.empty() &&
                std::ranges::find(table.currencies, found) == table.currencies.end())
                table.currencies.push_back(found);
        }
        OrderRow row;
        row.customer = cells[*customer];
        if (row.customer.empty()) return refuse("customer_id is empty");
        const auto day = parse_day(cells[*date]);
        if (!day)
            return refuse("\"" + cells[*date] +
                          "\" is no date: 2024-05-31 or 2024-05-31T12:00:00Z");
        row.day = *day;
        const auto paid = journeys::Money::parse(cells[*amount]);
        if (!paid) return refuse("\"" + cells[*amount] + "\" is no amount: 19.99");
        row.amount = *paid;
        if (row.amount < journeys::Money{}) ++table.returns;
        table.rows.push_back(std::move(row));
    }
    if (!customer)
        return refuse("the file is empty: the first line must name customer_id, date and amount");
    return table;
}

std::map<std::string, journeys::models::Purchases> purchases_of(const OrderTable& table,
                                                                std::int32_t last_day) {
    std::map<std::string, journeys::models::Purchases> customers;
    for (const auto& row : table.rows)
        if (row.day <= last_day && row.amount >= journeys::Money{})
            journeys::models::add_order(customers[row.customer], row.day, row.amount);
    // A return belongs to the newest order before it, and takes no more than that one cost.
    for (const auto& row : table.rows) {
        if (row.day > last_day || row.amount >= journeys::Money{}) continue;
        const auto customer = customers.find(row.customer);
        if (customer == customers.end()) continue;
        auto& days = customer->second.days;
        for (auto day = days.rbegin(); day != days.rend(); ++day) {
            if (day->day > row.day) continue;
            day->spend = std::max(journeys::Money{}, day->spend + row.amount);
            break;
        }
    }
    return customers;
}

} // namespace runtime::fitting
