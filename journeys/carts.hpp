/// What lies in a person's carts. Edits of any order of arrival: of a line the newest word counts,
/// removed lines are remembered, and what an order bought stays out.
#pragma once

#include "journeys/customer.hpp"
#include "journeys/event.hpp"

namespace journeys {

/// Takes a cart's event into the carts. `Product Added`, `Product Removed` and `Wishlist Product
/// Added to Cart` edit one line, `Cart Viewed` and `Cart Updated` give the whole contents,
/// `Checkout Started` and what follows it tell by which order and checkout the cart will be bought.
/// Without a cart_id the cart made here is meant.
void observe_carts(Customer& customer, const Event& event);

/// Takes what `order` bought out of the cart that it named, or of every cart. `is_new`: its
/// products were not known before; then it takes its quantity also from lines that were changed
/// after it.
void take_bought(Customer& customer, Order& order, bool is_new);

/// The cart that an order's cart_id, checkout or id names; made (as ordered) where the cart_id is
/// unknown. Null where it names none. `by_guess` where the link is a guess of ours.
struct NamedCart {
    std::string id;
    bool by_guess = false;
};
NamedCart named_cart(Customer& customer, const Event& order_event, const Order& order);

/// Forgets carts that were not changed for their bound.
void drop_old_carts(Customer& customer);

/// The carts of both; of one id the newer edit of each line counts. Orders of both are taken out of
/// them all. `winner.orders` must have been united before.
void unite_carts(Customer& winner, Customer& loser);

} // namespace journeys
