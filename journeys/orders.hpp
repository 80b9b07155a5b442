/// What a person bought. An order counts once, whatever brought it and in whatever order its events
/// arrive.
#pragma once

#include "journeys/customer.hpp"
#include "journeys/event.hpp"

#include <optional>
#include <string_view>

namespace journeys {

/// Takes `Order Completed`, `Order Updated`, `Order Cancelled` and `Order Refunded` into the
/// orders, the counts and (what was bought) the carts. Of two words on one order the newer counts,
/// and gaps are filled by either; a cancellation or a full refund is never undone. An order that
/// nothing but a cancellation or refund told of counts nowhere and leaves the carts alone. One
/// without an order_id counts by its message.
void observe_orders(Customer& customer, const Event& event);

/// What an order is to the models: its day and what it came to, net; nothing where it does not
/// count. `currency`: the customer's; amounts of another are 0.
std::optional<models::PurchaseDay> purchase_of(const Order& order, std::string_view currency);

/// The orders of both, by id; counts and revenue are those of the union.
void unite_orders(Customer& winner, Customer& loser);

} // namespace journeys
