/// What a shop says of its products: JSON in, packed maps out.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

/// Some of a product's fields; what is not said stays as it was.
struct ProductChange {
    std::string id;
    std::string fields;                         ///< Packed map; null takes the field back.
    std::optional<journeys::Timestamp> said_at; ///< `updated_at`.
};

struct ProductsBody {
    std::vector<ProductChange> products;
    struct Refused {
        std::size_t index;
        std::string why;
    };
    std::vector<Refused> refused;
    bool is_one = false; ///< No list was given.
};

/// One product, a list of them, or `{"products": [ ]}`. Fields are those of `journeys/products.hpp`
/// (`product_id` is `id`), and `updated_at`; whatever else is said becomes one of `properties`.
/// Fails for what is no JSON and for more than `products_per_body`.
journeys::Result<ProductsBody> products_from_json(std::string_view body);

inline constexpr std::size_t products_per_body = 1'000, product_bytes_max = 16 * 1024;

/// The product after a change. `properties` are joined name by name.
std::string changed_product(std::string_view before, std::string_view change);

} // namespace schema
