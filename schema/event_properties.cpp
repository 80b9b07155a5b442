#include "schema/event_properties.hpp"

#include "schema/known_events.hpp"

#include <algorithm>
#include <array>

namespace schema {
namespace {

PropertyTypes of_product(PropertyTypes more) {
    more.insert({{"product_id", "string"},
                 {"name", "string"},
                 {"category", "string"},
                 {"url", "string"},
                 {"image_url", "string"},
                 {"price", "number"},
                 {"currency", "string"}});
    return more;
}

/// As the engine makes them.
const std::map<std::string, PropertyTypes, std::less<>>& made_here() {
    static const std::map<std::string, PropertyTypes, std::less<>> all{
        {"Profile Changed", {{"changed", "list"}}},
        {"Consent Changed",
         {{"channel", "string"}, {"topic", "string"}, {"from", "string"}, {"to", "string"}}},
        {"Session Ended",
         {{"session_id", "string"},
          {"views", "number"},
          {"events", "number"},
          {"seconds", "number"}}},
        {"Stage Changed", {{"from", "string"}, {"to", "string"}, {"cause", "string"}}},
        {"Journey Entered", {{"journey", "string"}}},
        {"Journey Ended", {{"journey", "string"}, {"reason", "string"}}},
        {"Message Sent", {{"journey", "string"}, {"step", "string"}, {"channel", "string"}}},
        {"Message Suppressed",
         {{"journey", "string"}, {"step", "string"}, {"channel", "string"}, {"reason", "string"}}},
        {"Product Price Dropped", of_product({{"from", "number"}, {"to", "number"}})},
        {"Product Back In Stock", of_product({{"stock", "number"}})},
    };
    return all;
}

/// Of the specification and what shops send beside it, those that are about one product.
constexpr std::array<std::string_view, 10> about_product{"Product Clicked",
                                                         "Product Viewed",
                                                         "Product Added",
                                                         "Product Removed",
                                                         "Product Added to Wishlist",
                                                         "Product Removed from Wishlist",
                                                         "Wishlist Product Added to Cart",
                                                         "Product Shared",
                                                         "Product Reviewed",
                                                         "Product Back In Stock Requested"};

} // namespace

const PropertyTypes* properties_of_event(std::string_view name,
                                         const std::map<std::string, EventDeclaration>* declared) {
    if (const auto made = made_here().find(name); made != made_here().end()) return &made->second;
    if (declared == nullptr || is_standard_event(name)) return nullptr;
    const auto own = declared->find(std::string{name});
    return own == declared->end() || own->second.properties.empty() ? nullptr
                                                                    : &own->second.properties;
}

NamesProduct names_product(std::string_view name,
                           const std::map<std::string, EventDeclaration>* declared) {
    if (std::ranges::find(about_product, name) != about_product.end()) return NamesProduct::yes;
    if (const auto* properties = properties_of_event(name, declared))
        return properties->contains("product_id") ? NamesProduct::yes : NamesProduct::never;
    return NamesProduct::perhaps;
}

} // namespace schema
