/// What a shop says of one article at one place: what that makes of its product's stock.
///
/// A shop that counts so names neither the product nor the other places. Which articles a product
/// has it says with the product (`inventory_items`), and what is known of places is kept with it
/// (`inventory_levels`).
#pragma once

#include "journeys/time.hpp"
#include "schema/product_json.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

struct StockLevel {
    std::string item, place;
    std::int64_t available = 0;
    std::optional<journeys::Timestamp> said_at;
};

/// Nothing where the JSON is no such thing.
std::optional<StockLevel> stock_level_from_json(std::string_view json);

/// The articles of a product, as its packed map has them.
std::vector<std::string> inventory_items_of(std::string_view product);

/// What the level makes of the product, whose packed map that is. At least what is at the place
/// there is; it may become less only where all that is known of places had added up to the stock
/// before. Otherwise the product's own word has to say so.
ProductChange change_by(std::string_view product, const StockLevel& level);

/// Places that are kept of a product; more count as unknown.
inline constexpr std::size_t levels_max = 200;

} // namespace schema
