/// Reading what producers write: ids as text or number, amounts as number or text, and bounded
/// copies.
#pragma once

#include "journeys/customer.hpp"
#include "journeys/event.hpp"
#include "journeys/money.hpp"
#include "journeys/packed.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace journeys {

/// At most `bytes` of `text`, cut between characters.
std::string_view bounded(std::string_view text, std::size_t bytes = bounds::text_bytes);

/// An id or a name: a text, or a whole number as its digits; else empty. Bounded.
std::string text_of(PackedView value);
inline std::string text_at(PackedView map, std::string_view key) { return text_of(map.find(key)); }

/// A number, or a text that is one (`"19.99"`, as Shopify writes it).
std::optional<Money> money_of(PackedView value);

/// A count of pieces from 0 to a million, rounded up; nothing where there is none.
std::optional<std::int64_t> quantity_of(PackedView value);

/// What an event says of one product. The id is the product's, else its SKU, else its name.
struct ProductWords {
    std::string product_id, sku, name, category, url, image_url, currency;
    std::optional<Money> price;
    std::optional<std::int64_t> quantity;
};
/// Nothing where `map` names no product.
std::optional<ProductWords> product_of(PackedView map);
/// Whether both are the same article: the same product and, where both say one, the same SKU.
bool is_same_product(std::string_view product_a, std::string_view sku_a, std::string_view product_b,
                     std::string_view sku_b);

/// The list of products of a cart or an order; absent where the event gives none.
PackedView products_of(const Event& event);

/// The pairs of `map` whose key is in `keys` ("*": all), as a packed map of at most `bytes`;
/// further pairs are left out. Empty where nothing is kept.
template <class Less>
std::string cut(PackedView map, const std::set<std::string, Less>& keys,
                std::size_t bytes = bounds::newest_bytes) {
    if (keys.empty() || !map.is_map()) return {};
    const bool all = keys.contains(std::string{"*"});
    if (all && map.bytes().size() <= bytes) return std::string{map.bytes()};
    PackedWriter writer;
    const auto mark = writer.begin_map();
    std::size_t count = 0;
    for (const auto& [key, value] : map.entries()) {
        if (!all) {
            if constexpr (requires { typename Less::is_transparent; }) {
                if (!keys.contains(key)) continue;
            } else if (!keys.contains(std::string{key})) {
                continue;
            }
        }
        if (writer.bytes().size() + key.size() + value.bytes().size() + 16 > bytes) continue;
        writer.key(key);
        writer.value(value);
        ++count;
    }
    writer.end_map(mark, count);
    return count == 0 ? std::string{} : writer.take();
}

} // namespace journeys
