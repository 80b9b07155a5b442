/// Shopify's webhooks: which of their fields become which parts of which messages.
///
/// Joins: `cart.token` = `checkout.cart_token` = `order.cart_token` is the `cart_id`, and an id of
/// whoever has the cart; `checkout.token` = `order.checkout_token` is the `checkout_id`, and such
/// an id where there is no cart's; an order's id is one too, for a refund names nothing else.
/// Beside them: the customer's id, e-mail address and telephone number, and what the shop's theme
/// writes into `note_attributes` (`anonymousId`, `userId` and the names that other systems use).
#pragma once

#include "schema/shop_webhook.hpp"

namespace schema {

const ShopMap& shopify();

} // namespace schema
