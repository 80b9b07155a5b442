/// `config/tables/NAME.csv`: rows that expressions read by `lookup("NAME", key)`.
///
/// The header names the columns, each with its type behind a colon where it is no text:
/// `product_id,days:int,margin:number,gift:bool,since:time`. The first column is the key.
#pragma once

#include "journeys/lookups.hpp"
#include "schema/mistakes.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace schema {

struct TableFile {
    journeys::Table table;
    bool has_header = false; ///< Else the columns are not known.
    std::vector<Mistake> mistakes;
};

/// Rows that hold mistakes are left out.
TableFile load_table(const std::string& file, std::string_view text);

/// The bounds of one table; passing one is a mistake.
inline constexpr std::size_t table_rows_max = 100'000;
inline constexpr std::size_t table_bytes_max = 8 * 1024 * 1024;
/// The tables of a configuration.
inline constexpr std::size_t tables_max = 64;

} // namespace schema
