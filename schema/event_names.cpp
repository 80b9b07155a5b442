#include "schema/event_names.hpp"

#include "journeys/lower_case.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace schema {
namespace {

using Alias = std::pair<std::string_view, std::string_view>;

/// Other names of standard events that are taken as they come, sorted. Sources: Segment's
/// e-commerce spec v1, RudderStack's Shopify source (`shopify/tracker/config.js`) and the names
/// that shops' apps send.
constexpr std::array<Alias, 37> aliases{{
    {"Added Product", "Product Added"},
    {"Added Product to Wishlist", "Product Added to Wishlist"},
    {"Applied Coupon", "Coupon Applied"},
    {"Cancelled Order", "Order Cancelled"},
    {"Cart Update", "Cart Updated"},
    {"Checkout Update", "Checkout Updated"},
    {"Clicked Product", "Product Clicked"},
    {"Clicked Promotion", "Promotion Clicked"},
    {"Completed Checkout Step", "Checkout Step Completed"},
    {"Completed Order", "Order Completed"},
    {"Denied Coupon", "Coupon Denied"},
    {"Entered Coupon", "Coupon Entered"},
    {"Entered Payment Info", "Payment Info Entered"},
    {"Filtered Product List", "Product List Filtered"},
    {"Order Canceled", "Order Cancelled"},
    {"Order Created", "Order Completed"},
    {"Order Fulfilled", "Order Shipped"},
    {"Order Started", "Checkout Started"},
    {"Product Category Viewed", "Product List Viewed"},
    {"Refunded Order", "Order Refunded"},
    {"Removed Coupon", "Coupon Removed"},
    {"Removed Product", "Product Removed"},
    {"Removed Product from Wishlist", "Product Removed from Wishlist"},
    {"Reviewed Product", "Product Reviewed"},
    {"Searched Products", "Products Searched"},
    {"Shared Cart", "Cart Shared"},
    {"Shared Product", "Product Shared"},
    {"Started Checkout", "Checkout Started"},
    {"Started Order", "Checkout Started"},
    {"Updated Cart", "Cart Updated"},
    {"Updated Order", "Order Updated"},
    {"Viewed Cart", "Cart Viewed"},
    {"Viewed Checkout Step", "Checkout Step Viewed"},
    {"Viewed Product", "Product Viewed"},
    {"Viewed Product Category", "Product List Viewed"},
    {"Viewed Product List", "Product List Viewed"},
    {"Viewed Promotion", "Promotion Viewed"},
}};
static_assert(std::is_sorted(aliases.begin(), aliases.end()));

/// Names of other systems that are not taken: there they may mean something slightly else.
constexpr std::array<ElsewhereName, 38> elsewhere{{
    {"Placed Order", "Klaviyo", "Order Completed"},
    {"Ordered Product", "Klaviyo", "Order Completed"},
    {"Added to Cart", "Klaviyo", "Product Added"},
    {"Canceled Order", "Klaviyo", "Order Cancelled"},
    {"Checkout Abandoned", "Klaviyo", "Checkout Started"},
    {"Fulfilled Order", "Klaviyo", "Order Shipped"},
    {"Viewed Collection", "Klaviyo", "Product List Viewed"},
    {"Submitted Search", "Klaviyo", "Products Searched"},
    {"Active on Site", "Klaviyo", "Page Viewed"},
    {"Subscribed to Back in Stock", "Klaviyo", "Product Back In Stock Requested"},
    {"Opened Email", "Klaviyo", "Email Opened"},
    {"Clicked Email", "Klaviyo", "Email Link Clicked"},
    {"ecommerce.product_viewed", "Braze", "Product Viewed"},
    {"ecommerce.cart_updated", "Braze", "Cart Updated"},
    {"ecommerce.checkout_started", "Braze", "Checkout Started"},
    {"ecommerce.order_placed", "Braze", "Order Completed"},
    {"ecommerce.order_refunded", "Braze", "Order Refunded"},
    {"ecommerce.order_cancelled", "Braze", "Order Cancelled"},
    {"Purchase", "Braze", "Order Completed"},
    {"product_added_to_cart", "Shopify", "Product Added"},
    {"product_removed_from_cart", "Shopify", "Product Removed"},
    {"collection_viewed", "Shopify", "Product List Viewed"},
    {"search_submitted", "Shopify", "Products Searched"},
    {"payment_info_submitted", "Shopify", "Payment Info Entered"},
    {"checkout_completed", "Shopify", "Order Completed"},
    {"carts/update", "Shopify", "Cart Updated"},
    {"checkouts/create", "Shopify", "Checkout Started"},
    {"orders/create", "Shopify", "Order Completed"},
    {"orders/cancelled", "Shopify", "Order Cancelled"},
    {"refunds/create", "Shopify", "Order Refunded"},
    {"view_item", "Google Analytics", "Product Viewed"},
    {"view_item_list", "Google Analytics", "Product List Viewed"},
    {"add_to_cart", "Google Analytics", "Product Added"},
    {"remove_from_cart", "Google Analytics", "Product Removed"},
    {"view_cart", "Google Analytics", "Cart Viewed"},
    {"begin_checkout", "Google Analytics", "Checkout Started"},
    {"add_to_wishlist", "Google Analytics", "Product Added to Wishlist"},
    {"refund", "Google Analytics", "Order Refunded"},
}};

/// What only the service finds out or does. Not `Page Viewed` and `Screen Viewed`, which are made
/// of a producer's page and screen calls and come as tracked events too, and not what providers
/// report (`Email Opened`, `Unsubscribed`), which other systems pass on.
constexpr std::array<std::string_view, 12> kept_for_us{
    "Action Decided",        "Audience Reached", "Consent Changed",    "Journey Ended",
    "Journey Entered",       "Message Sent",     "Message Suppressed", "Product Back In Stock",
    "Product Price Dropped", "Profile Changed",  "Session Ended",      "Stage Changed"};
static_assert(std::is_sorted(kept_for_us.begin(), kept_for_us.end()));

/// Lower case, `_` as a blank.
std::string folded(std::string_view name) {
    auto out = journeys::to_lower(name);
    std::ranges::replace(out, '_', ' ');
    return out;
}

} // namespace

std::string_view canonical_event_name(std::string_view name) {
    const auto at =
        std::lower_bound(aliases.begin(), aliases.end(), name,
                         [](const Alias& a, std::string_view b) { return a.first < b; });
    return at != aliases.end() && at->first == name ? at->second : name;
}

bool is_kept_for_us(std::string_view name) {
    return std::binary_search(kept_for_us.begin(), kept_for_us.end(), name);
}

std::optional<ElsewhereName> known_elsewhere(std::string_view name) {
    const auto wanted = folded(name);
    for (const auto& entry : elsewhere) {
        if (folded(entry.name) == wanted) return entry;
    }
    // A standard name or alias in another spelling, as Shopify's `product_viewed`.
    for (const auto ours : standard_events()) {
        if (folded(ours) == wanted && ours != name) {
            return ElsewhereName{name, "another spelling", ours};
        }
    }
    for (const auto& [alias, ours] : aliases) {
        if (folded(alias) == wanted && alias != name) {
            return ElsewhereName{name, "another spelling", ours};
        }
    }
    return std::nullopt;
}

const std::vector<std::string_view>& standard_events() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> all{
            // Segment's e-commerce spec v2.
            "Products Searched", "Product List Viewed", "Product List Filtered", "Promotion Viewed",
            "Promotion Clicked", "Product Clicked", "Product Viewed", "Product Added",
            "Product Removed", "Cart Viewed", "Checkout Started", "Checkout Step Viewed",
            "Checkout Step Completed", "Payment Info Entered", "Order Completed", "Order Updated",
            "Order Refunded", "Order Cancelled", "Coupon Entered", "Coupon Applied",
            "Coupon Denied", "Coupon Removed", "Product Added to Wishlist",
            "Product Removed from Wishlist", "Wishlist Product Added to Cart", "Product Shared",
            "Cart Shared", "Product Reviewed",
            // What shops send beside it.
            "Cart Updated", "Checkout Updated", "Order Shipped", "Product Back In Stock Requested",
            // Segment's email events.
            "Email Delivered", "Email Opened", "Email Link Clicked", "Email Bounced",
            "Email Marked as Spam", "Unsubscribed",
            // Further reports of providers.
            "Email Sent", "Email Failed", "Resubscribed", "SMS Sent", "SMS Delivered", "SMS Failed",
            "SMS Opened", "SMS Link Clicked", "SMS Bounced", "SMS Marked as Spam",
            // Of pages and screens, and made here.
            "Page Viewed", "Screen Viewed", "Profile Changed", "Consent Changed", "Session Ended",
            "Stage Changed", "Journey Entered", "Journey Ended", "Message Sent",
            "Message Suppressed"};
        std::sort(all.begin(), all.end());
        return all;
    }();
    return names;
}

} // namespace schema
