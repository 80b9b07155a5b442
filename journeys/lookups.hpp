/// What expressions look up beside the customer: values, tables and audiences that authors keep,
/// and the shop's products. Their edits reach open runs, so no version covers them.
#pragma once

#include "journeys/definition.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace journeys {

/// A table as authors keep it: rows by the text in their first column.
struct Table {
    std::vector<std::string> columns; ///< The first is the key.
    std::map<std::string, std::string, std::less<>>
        rows; ///< Packed maps from column to value; an empty cell is left out.
};

class Products;

struct Lookups {
    std::string vars; ///< Packed map: the values of config/vars.yaml.
    std::map<std::string, Table, std::less<>> tables;
    std::map<std::string, Expression, std::less<>> audiences;
    std::shared_ptr<const Products> products; ///< Null: none are known.
};

} // namespace journeys
