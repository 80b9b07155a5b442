#include "runtime/fitting/table_features.hpp"

#include "runtime/fitting/orders_csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

namespace runtime::fitting {
namespace {

std::optional<double> parse_number(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool holds(const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
}

double signed_log(double x) { return std::copysign(std::log1p(std::abs(x)), x); }

} // namespace

journeys::Result<Table> read_table(std::istream& in, const std::string& name) {
    Table table;
    std::string line;
    std::vector<std::string> cells;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        while (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.empty()) continue;
        const auto refuse = [&](const std::string& what) {
            return journeys::Error{journeys::ErrorCode::invalid_argument,
                                   name + ":" + std::to_string(number) + ": " + what};
        };
        if (!split_csv(line, cells)) return refuse("a quoted cell does not end on its line");
        if (table.header.empty()) {
            table.header = cells;
            continue;
        }
        if (cells.size() != table.header.size())
            return refuse("there are " + std::to_string(cells.size()) +
                          " cells, and the header names " + std::to_string(table.header.size()));
        table.rows.push_back(cells);
    }
    return table;
}

journeys::Result<FeatureTable> features_of(const Table& table, const std::string& label,
                                           const std::vector<std::string>& categories,
                                           const std::vector<std::string>& left_out) {
    const auto refuse = [](const std::string& what) {
        return journeys::Error{journeys::ErrorCode::invalid_argument, what};
    };
    for (const auto* names : {&categories, &left_out})
        for (const auto& name : *names)
            if (!holds(table.header, name)) return refuse("there is no column " + name);
    if (!holds(table.header, label))
        return refuse("there is no column " + label + " that says what happened");
    FeatureTable result;
    result.observations.resize(table.rows.size());
    for (std::size_t column = 0; column < table.header.size(); ++column) {
        const auto& name = table.header[column];
        if (name == label) {
            for (std::size_t i = 0; i < table.rows.size(); ++i) {
                const auto& text = table.rows[i][column];
                result.observations[i].happened =
                    text == "TRUE" || text == "true" || text == "True" || text == "1";
            }
            continue;
        }
        if (holds(left_out, name)) continue;
        std::vector<double> numbers;
        if (!holds(categories, name))
            for (const auto& row : table.rows) {
                const auto number = parse_number(row[column]);
                if (!number) break;
                numbers.push_back(signed_log(*number));
            }
        if (numbers.size() == table.rows.size() && !numbers.empty()) {
            double mean = 0, square = 0;
            for (const double x : numbers) mean += x / static_cast<double>(numbers.size());
            for (const double x : numbers)
                square += (x - mean) * (x - mean) / static_cast<double>(numbers.size());
            const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
            const auto number = static_cast<std::uint32_t>(result.names.size());
            result.names.push_back(name);
            for (std::size_t i = 0; i < numbers.size(); ++i)
                result.observations[i].features.emplace_back(number, (numbers[i] - mean) * scale);
            // That something is there at all often says more than how much of it.
            const auto zeros = static_cast<std::size_t>(std::ranges::count(numbers, 0.0));
            if (zeros * 20 < numbers.size() || zeros * 20 > 19 * numbers.size()) continue;
            const auto some = static_cast<std::uint32_t>(result.names.size());
            result.names.push_back(name + ">0");
            for (std::size_t i = 0; i < numbers.size(); ++i)
                if (numbers[i] > 0) result.observations[i].features.emplace_back(some, 1.0);
            continue;
        }
        std::map<std::string, std::uint32_t> values;
        for (const auto& row : table.rows) values.emplace(row[column], 0);
        for (auto& [value, number] : values) {
            number = static_cast<std::uint32_t>(result.names.size());
            result.names.push_back(name + "=" + value);
        }
        for (std::size_t i = 0; i < table.rows.size(); ++i)
            result.observations[i].features.emplace_back(values.at(table.rows[i][column]), 1.0);
    }
    return result;
}

std::vector<double> cross_validated(const FeatureTable& table, std::size_t folds, double ridge) {
    std::vector<double> predictions(table.observations.size());
    for (std::size_t fold = 0; fold < folds; ++fold) {
        std::vector<Observation> others;
        for (std::size_t i = 0; i < table.observations.size(); ++i)
            if (i % folds != fold) others.push_back(table.observations[i]);
        const auto model = fit_logistic(others, table.names, ridge);
        for (auto i = fold; i < table.observations.size(); i += folds)
            predictions[i] = model.probability(table.observations[i].features);
    }
    return predictions;
}

} // namespace runtime::fitting
