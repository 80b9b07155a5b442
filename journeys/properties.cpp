#include "journeys/properties.hpp"

#include <array>
#include <cmath>

namespace journeys {
namespace {

constexpr std::int64_t quantity_max = 1'000'000;

} // namespace

std::string_view bounded(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) return text;
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
    return text.substr(0, bytes);
}

std::string text_of(PackedView value) {
    switch (value.kind()) {
    case PackedKind::string: return std::string{bounded(value.as_string())};
    case PackedKind::integer: return std::to_string(value.as_int());
    case PackedKind::floating: {
        const double number = value.as_double();
        if (number != std::floor(number) || std::abs(number) >= 9e15) return {};
        return std::to_string(static_cast<std::int64_t>(number));
    }
    case PackedKind::null:
    case PackedKind::boolean_false:
    case PackedKind::boolean_true:
    case PackedKind::list:
    case PackedKind::map: return {};
    }
    return {};
}

std::optional<Money> money_of(PackedView value) {
    if (value.is_number()) {
        const double number = value.as_double();
        if (!std::isfinite(number)) return std::nullopt;
        return Money::of(number);
    }
    if (value.is_string()) return Money::parse(value.as_string());
    return std::nullopt;
}

std::optional<std::int64_t> quantity_of(PackedView value) {
    const auto amount = money_of(value);
    if (!amount) return std::nullopt;
    if (*amount <= Money{}) return 0;
    const auto whole = (amount->ten_thousandths() + 9'999) / 10'000;
    return std::min(whole, quantity_max);
}

std::optional<ProductWords> product_of(PackedView map) {
    if (!map.is_map()) return std::nullopt;
    ProductWords words;
    for (const auto& [key, value] : map.entries()) {
        if (key == "product_id")
            words.product_id = text_of(value);
        else if (key == "sku")
            words.sku = text_of(value);
        else if (key == "name")
            words.name = text_of(value);
        else if (key == "category")
            words.category = text_of(value);
        else if (key == "url")
            words.url = text_of(value);
        else if (key == "image_url")
            words.image_url = text_of(value);
        else if (key == "currency")
            words.currency = text_of(value);
        else if (key == "price")
            words.price = money_of(value);
        else if (key == "quantity")
            words.quantity = quantity_of(value);
    }
    if (words.product_id.empty()) words.product_id = words.sku.empty() ? words.name : words.sku;
    if (words.product_id.empty()) return std::nullopt;
    return words;
}

bool is_same_product(std::string_view product_a, std::string_view sku_a, std::string_view product_b,
                     std::string_view sku_b) {
    return product_a == product_b && (sku_a.empty() || sku_b.empty() || sku_a == sku_b);
}

PackedView products_of(const Event& event) {
    static constexpr std::array<std::string_view, 3> keys{"products", "line_items", "items"};
    for (const auto key : keys)
        if (const auto list = event.property(key); list.is_list()) return list;
    return {};
}

} // namespace journeys
