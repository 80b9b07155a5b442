/// The shop's products, as they are now.
///
/// Nothing that a replay repeats may ask for them, since it would find others: only a hand-over
/// does.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace journeys {

struct ProductField {
    enum class Kind { text, money, integer, boolean } kind;
    std::string_view name, doc;
};

/// The fields of the packed map that a product is kept as, beside `properties`, which holds
/// whatever else the shop says.
inline constexpr std::array<ProductField, 10> product_fields{{
    {ProductField::Kind::text, "id", "the producer's product_id"},
    {ProductField::Kind::text, "name", "what the shop calls it"},
    {ProductField::Kind::money, "price", "of one, in units of the currency"},
    {ProductField::Kind::money, "compare_at_price", "what it cost before a reduction"},
    {ProductField::Kind::text, "currency", "ISO 4217"},
    {ProductField::Kind::integer, "stock", "how many there are"},
    {ProductField::Kind::boolean, "available", "can be bought now"},
    {ProductField::Kind::text, "category", "as the shop sends it"},
    {ProductField::Kind::text, "url", "the product's page"},
    {ProductField::Kind::text, "image_url", "its picture"},
}};

class Products {
public:
    virtual ~Products() = default;
    /// The product as a packed map; null where there is none. Any thread may ask.
    virtual std::shared_ptr<const std::string> find(std::string_view id) const = 0;
};

} // namespace journeys
