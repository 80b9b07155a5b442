#include "schema/table_csv.hpp"

#include "journeys/packed.hpp"
#include "schema/csv_reader.hpp"
#include "schema/timestamp_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <sstream>

namespace schema {
namespace {

enum class Type { text, integer, number, boolean, time };

struct TypeName {
    std::string_view name, what;
    Type type;
};
constexpr std::array<TypeName, 5> type_names{{
    {"text", "a text", Type::text},
    {"int", "a whole number", Type::integer},
    {"number", "a number with a point, 19.90", Type::number},
    {"bool", "true or false", Type::boolean},
    {"time", "a time such as 2026-11-27 or 2026-11-27T08:00:00Z", Type::time},
}};

std::string_view what(Type type) {
    return std::ranges::find(type_names, type, &TypeName::type)->what;
}

template <class Number> bool read_number(std::string_view cell, Number& value) {
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    return error == std::errc{} && end == cell.data() + cell.size();
}

/// The text that `lookup` finds the row by: of a column of whole numbers 7 and 07 are one key.
std::string key_of(Type type, std::string_view cell) {
    std::int64_t value = 0;
    if (type == Type::integer && read_number(cell, value)) return std::to_string(value);
    return std::string{cell};
}

/// False where the cell is of another type.
bool write(journeys::PackedWriter& writer, Type type, std::string_view cell) {
    switch (type) {
    case Type::text: writer.string(cell); return true;
    case Type::integer: {
        std::int64_t value = 0;
        if (!read_number(cell, value)) return false;
        writer.integer(value);
        return true;
    }
    case Type::number: {
        double value = 0;
        if (!read_number(cell, value) || !std::isfinite(value)) return false;
        writer.floating(value);
        return true;
    }
    case Type::boolean:
        if (cell != "true" && cell != "false") return false;
        writer.boolean(cell == "true");
        return true;
    case Type::time:
        // As in events: a text that timestamp() and date() read.
        if (!parse_producer_time(cell)) return false;
        writer.string(cell);
        return true;
    }
    return false;
}

} // namespace

TableFile load_table(const std::string& file, std::string_view text) {
    Mistakes mistakes{file};
    TableFile loaded;
    auto& table = loaded.table;
    const auto finish = [&] {
        loaded.mistakes = mistakes.take();
        return std::move(loaded);
    };
    if (text.size() > table_bytes_max) {
        mistakes.add({1, 1}, "a table has at most 8 MiB; this one has more");
        return finish();
    }
    std::istringstream in{std::string{text}};
    auto reader = CsvReader::open(in);
    if (!reader) {
        mistakes.add({1, 1}, reader.error().detail);
        return finish();
    }
    std::vector<Type> types;
    std::vector<std::string> names;
    for (const auto& type : type_names) names.emplace_back(type.name);
    for (std::size_t i = 0; i < reader->header().size(); ++i) {
        const auto& cell = reader->header()[i];
        const Place at{static_cast<unsigned>(reader->line()), reader->column_of(i)};
        const auto colon = cell.rfind(':');
        const auto name = cell.substr(0, colon);
        const auto given =
            colon == std::string::npos ? std::string{"text"} : cell.substr(colon + 1);
        const auto known = std::ranges::find(type_names, given, &TypeName::name);
        if (known == type_names.end())
            mistakes.add(at, "no type " + quoted(given) + " for the column " + quoted(name) + '.' +
                                 did_you_mean(given, names) + " Types: " + listed(names));
        if (name.empty()) mistakes.add(at, "a column has no name");
        if (std::ranges::find(table.columns, name) != table.columns.end())
            mistakes.add(at, "the column " + quoted(name) + " is named twice");
        table.columns.push_back(name);
        types.push_back(known == type_names.end() ? Type::text : known->type);
    }
    if (mistakes.has_errors()) return finish();
    loaded.has_header = true;
    while (true) {
        const auto row = reader->next();
        if (row == CsvReader::Row::end) break;
        const Place at{static_cast<unsigned>(reader->line()), 1};
        if (row == CsvReader::Row::bad) {
            mistakes.add(at, reader->why());
            continue;
        }
        if (table.rows.size() == table_rows_max) {
            mistakes.add(at, "a table has at most 100,000 rows");
            break;
        }
        const auto key = key_of(types[0], reader->cell(0));
        if (key.empty()) {
            mistakes.add(at, "the row has no key: its first cell is empty");
            continue;
        }
        journeys::PackedWriter writer;
        const auto mark = writer.begin_map();
        std::size_t count = 0;
        bool is_whole = true;
        for (std::size_t i = 0; i < types.size(); ++i) {
            const auto cell = reader->cell(i);
            if (cell.empty()) continue;
            writer.key(table.columns[i]);
            ++count;
            if (write(writer, types[i], cell)) continue;
            mistakes.add({reader->line_of(i), reader->column_of(i)},
                         "the column " + quoted(table.columns[i]) + " holds " +
                             std::string{what(types[i])} + "; found " + quoted(cell));
            writer.null(); // The row is left out.
            is_whole = false;
        }
        if (!is_whole) continue;
        writer.end_map(mark, count);
        if (!table.rows.emplace(key, writer.take()).second)
            mistakes.add(at, "the key " + quoted(key) + " stands in the table twice");
    }
    return finish();
}

} // namespace schema
