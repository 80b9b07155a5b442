#include "schema/shopify.hpp"

#include <array>

namespace schema {
namespace {

using enum TakeAs;

// Ids --------------------------------------------------------------------------------------------

constexpr ShopId user_of_notes{"userId",
                               "note_attributes.userId|note_attributes.user_id|"
                               "note_attributes.ajs_user_id|note_attributes.rudderUserId"};
constexpr ShopId device_of_notes{
    "anonymousId",
    "note_attributes.anonymousId|note_attributes.anonymous_id|note_attributes.ajs_anonymous_id|"
    "note_attributes.rudderAnonymousId|note_attributes.segment_anonymous_id"};
constexpr ShopId customer{"shopify", "customer.id"};
constexpr ShopId email{"email", "email|contact_email|customer.email"};
constexpr ShopId phone{"phone", "phone|customer.phone"};
constexpr std::string_view cart_prefix = "shopify-cart-", checkout_prefix = "shopify-checkout-",
                           order_prefix = "shopify-order-";

constexpr std::array cart_ids{user_of_notes, device_of_notes,
                              ShopId{"token", "token|id", cart_prefix}};
constexpr std::array checkout_ids{
    user_of_notes,
    customer,
    email,
    phone,
    device_of_notes,
    ShopId{"token", "cart_token", cart_prefix},
    ShopId{"token", "token", checkout_prefix, "cart_token"},
};
constexpr std::array order_ids{
    user_of_notes,
    customer,
    email,
    phone,
    device_of_notes,
    ShopId{"token", "cart_token", cart_prefix},
    ShopId{"token", "checkout_token", checkout_prefix, "cart_token"},
    ShopId{"token", "id", order_prefix},
};
constexpr std::array refund_ids{ShopId{"token", "order_id", order_prefix}};
constexpr std::array customer_ids{ShopId{"shopify", "id"}, ShopId{"email", "email"},
                                  ShopId{"phone", "phone"}};
constexpr std::array privacy_ids{ShopId{"shopify", "customer.id"},
                                 ShopId{"email", "customer.email"},
                                 ShopId{"phone", "customer.phone"}};

// Products ---------------------------------------------------------------------------------------

// Without a SKU the variant tells two sizes of a product apart.
constexpr std::array line_fields{
    ShopField{"product_id", "product_id"},
    ShopField{"sku", "sku|variant_id"},
    ShopField{"variant", "variant_title"},
    ShopField{"name", "title|presentment_title"},
    ShopField{"brand", "vendor"},
    ShopField{"price", "price", amount},
    ShopField{"quantity", "quantity", count},
    ShopField{"url", "url"},
    ShopField{"image_url", "image_url|featured_image.url|image"},
};
constexpr std::array refund_line_fields{
    ShopField{"product_id", "line_item.product_id"},
    ShopField{"sku", "line_item.sku|line_item.variant_id"},
    ShopField{"name", "line_item.title"},
    ShopField{"price", "line_item.price", amount},
    ShopField{"quantity", "quantity", count},
};

// A product's variants are one product here: what the cheapest costs, and how many there are of
// all.
constexpr std::array product_fields{
    ShopField{"id", "id"},
    ShopField{"name", "title"},
    ShopField{"price", "variants.price", lowest},
    ShopField{"compare_at_price", "variants.compare_at_price", lowest},
    ShopField{"stock", "variants.inventory_quantity", sum},
    ShopField{"category", "product_type"},
    ShopField{"image_url", "image.src|images.0.src"},
    ShopField{"brand", "vendor"},
    ShopField{"handle", "handle"},
    ShopField{"status", "status"},
    ShopField{"inventory_items", "variants.inventory_item_id", each},
    ShopField{"updated_at", "updated_at"},
};
constexpr std::array level_fields{
    ShopField{"inventory_item", "inventory_item_id"},
    ShopField{"inventory_place", "location_id"},
    ShopField{"available", "available", count},
    ShopField{"updated_at", "updated_at"},
};

// What people say of themselves ------------------------------------------------------------------

constexpr std::array buyer_traits{
    ShopField{"email", "email|contact_email|customer.email"},
    ShopField{"phone", "phone|customer.phone"},
    ShopField{"firstName",
              "customer.first_name|billing_address.first_name|shipping_address.first_name"},
    ShopField{"lastName",
              "customer.last_name|billing_address.last_name|shipping_address.last_name"},
    ShopField{"address.country", "shipping_address.country_code|billing_address.country_code"},
    ShopField{"address.city", "shipping_address.city|billing_address.city"},
    ShopField{"address.postalCode", "shipping_address.zip|billing_address.zip"},
};
constexpr std::array customer_traits{
    ShopField{"email", "email"},
    ShopField{"phone", "phone|default_address.phone"},
    ShopField{"firstName", "first_name"},
    ShopField{"lastName", "last_name"},
    ShopField{"createdAt", "created_at"},
    ShopField{"shopify_state", "state"},
    ShopField{"tags", "tags"},
    ShopField{"verified_email", "verified_email", boolean},
    ShopField{"address.country", "default_address.country_code"},
    ShopField{"address.city", "default_address.city"},
    ShopField{"address.postalCode", "default_address.zip"},
};
// A box that was not ticked at a checkout takes nothing back.
constexpr std::array checkout_consents{
    ShopConsent{"email", "buyer_accepts_marketing", "updated_at", {}, true},
    ShopConsent{"sms", "buyer_accepts_sms_marketing", "updated_at", {}, true},
};
constexpr std::array order_consents{
    ShopConsent{"email", "customer.email_marketing_consent.state",
                "customer.email_marketing_consent.consent_updated_at|updated_at",
                "customer.email_marketing_consent.opt_in_level"},
    ShopConsent{"sms", "customer.sms_marketing_consent.state",
                "customer.sms_marketing_consent.consent_updated_at|updated_at",
                "customer.sms_marketing_consent.opt_in_level"},
};
constexpr std::array customer_consents{
    ShopConsent{"email", "email_marketing_consent.state",
                "email_marketing_consent.consent_updated_at|updated_at",
                "email_marketing_consent.opt_in_level"},
    ShopConsent{"sms", "sms_marketing_consent.state",
                "sms_marketing_consent.consent_updated_at|updated_at",
                "sms_marketing_consent.opt_in_level"},
};

// Events -----------------------------------------------------------------------------------------

constexpr std::array cart_fields{
    ShopField{"cart_id", "token|id"},
    ShopField{"currency", "currency|line_items.0.price_set.shop_money.currency_code"},
};
constexpr std::array checkout_fields{
    ShopField{"checkout_id", "token"},
    ShopField{"cart_id", "cart_token"},
    ShopField{"value", "total_price", amount},
    ShopField{"subtotal", "subtotal_price", amount},
    ShopField{"tax", "total_tax", amount},
    ShopField{"discount", "total_discounts", amount},
    ShopField{"currency", "currency|presentment_currency"},
    ShopField{"coupon", "discount_codes.0.code"},
    ShopField{"url", "abandoned_checkout_url"},
    ShopField{"affiliation", "source_name"},
};
constexpr std::array order_fields{
    ShopField{"order_id", "id"},
    ShopField{"order_name", "name"},
    ShopField{"checkout_id", "checkout_token"},
    ShopField{"cart_id", "cart_token"},
    ShopField{"total", "total_price", amount},
    ShopField{"subtotal", "subtotal_price", amount},
    ShopField{"tax", "total_tax", amount},
    ShopField{"discount", "total_discounts", amount},
    ShopField{"shipping", "total_shipping_price_set.shop_money.amount|shipping_lines.0.price",
              amount},
    ShopField{"currency", "currency|presentment_currency"},
    ShopField{"coupon", "discount_codes.0.code"},
    ShopField{"financial_status", "financial_status"},
    ShopField{"fulfillment_status", "fulfillment_status"},
    ShopField{"reason", "cancel_reason"},
    ShopField{"url", "order_status_url"},
    ShopField{"affiliation", "source_name"},
};
constexpr std::array refund_fields{
    ShopField{"order_id", "order_id"},
    ShopField{"refund_id", "id"},
    ShopField{"total", "transactions.amount", sum},
    ShopField{"currency", "transactions.0.currency"},
};

constexpr ShopMessage buyer{.event = "",
                            .fields = buyer_traits,
                            .lines = {},
                            .line_fields = {},
                            .consents = order_consents,
                            .time = "updated_at|created_at"};
constexpr ShopMessage track(std::string_view event, std::span<const ShopField> fields, Path time) {
    return {.event = event,
            .fields = fields,
            .lines = "line_items",
            .line_fields = line_fields,
            .consents = {},
            .time = time};
}

constexpr std::array cart{track("Cart Updated", cart_fields, "updated_at|created_at")};
constexpr ShopMessage guest{.event = "",
                            .fields = buyer_traits,
                            .lines = {},
                            .line_fields = {},
                            .consents = checkout_consents,
                            .time = "updated_at|created_at"};
constexpr std::array checkout_started{
    guest, track("Checkout Started", checkout_fields, "updated_at|created_at")};
constexpr std::array checkout_updated{
    guest, track("Checkout Updated", checkout_fields, "updated_at|created_at")};
constexpr std::array order_created{
    buyer, track("Order Completed", order_fields, "processed_at|created_at")};
constexpr std::array order_paid{track("Order Updated", order_fields, "updated_at|processed_at")};
constexpr std::array order_cancelled{
    track("Order Cancelled", order_fields, "cancelled_at|updated_at")};
constexpr std::array refunded{ShopMessage{.event = "Order Refunded",
                                          .fields = refund_fields,
                                          .lines = "refund_line_items",
                                          .line_fields = refund_line_fields,
                                          .consents = {},
                                          .time = "processed_at|created_at"}};
constexpr std::array customer_changed{ShopMessage{.event = "",
                                                  .fields = customer_traits,
                                                  .lines = {},
                                                  .line_fields = {},
                                                  .consents = customer_consents,
                                                  .time = "updated_at|created_at"}};

constexpr std::array topics{
    ShopTopic{"carts/create", cart, cart_ids},
    ShopTopic{"carts/update", cart, cart_ids},
    ShopTopic{"checkouts/create", checkout_started, checkout_ids},
    ShopTopic{"checkouts/update", checkout_updated, checkout_ids},
    ShopTopic{"orders/create", order_created, order_ids},
    ShopTopic{"orders/paid", order_paid, order_ids},
    ShopTopic{"orders/cancelled", order_cancelled, order_ids},
    ShopTopic{"refunds/create", refunded, refund_ids},
    ShopTopic{"customers/create", customer_changed, customer_ids},
    ShopTopic{"customers/update", customer_changed, customer_ids},
    ShopTopic{"customers/data_request",
              {},
              privacy_ids,
              PrivacyKind::export_data,
              "orders_requested",
              "shop_domain"},
    ShopTopic{.topic = "products/create", .messages = {}, .ids = {}, .product = product_fields},
    // Sent when its inventory changes, too.
    ShopTopic{.topic = "products/update", .messages = {}, .ids = {}, .product = product_fields},
    ShopTopic{.topic = "inventory_levels/update", .messages = {}, .ids = {}, .level = level_fields},
    ShopTopic{
        "customers/redact", {}, privacy_ids, PrivacyKind::erase, "orders_to_redact", "shop_domain"},
    ShopTopic{"shop/redact", {}, {}, PrivacyKind::erase_shop, {}, "shop_domain"},
};

constexpr std::array own_ids{ShopIdRange{"shopify"}, ShopIdRange{"token", "shopify-"}};

constexpr ShopMap map{.type = "shopify",
                      .topic_header = "x-shopify-topic|shopify-topic",
                      .delivery_header = "x-shopify-webhook-id|shopify-webhook-id",
                      .shop_header = "x-shopify-shop-domain|shopify-shop-domain",
                      .triggered_header = "x-shopify-triggered-at|shopify-triggered-at",
                      .signature_header = "x-shopify-hmac-sha256|shopify-hmac-sha256",
                      .topics = topics,
                      .own_ids = own_ids,
                      .order_prefix = order_prefix};

} // namespace

const ShopMap& shopify() { return map; }

} // namespace schema
