#include "journeys/orders.hpp"

#include "journeys/carts.hpp"
#include "journeys/profile.hpp"
#include "journeys/properties.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace journeys {
namespace {

enum class OrderEvent { none, completed, updated, cancelled, refunded };

OrderEvent order_event_of(std::string_view name) {
    if (!name.starts_with("Order ")) return OrderEvent::none;
    name.remove_prefix(6);
    if (name == "Completed") return OrderEvent::completed;
    if (name == "Updated") return OrderEvent::updated;
    if (name == "Cancelled") return OrderEvent::cancelled;
    if (name == "Refunded") return OrderEvent::refunded;
    return OrderEvent::none;
}

/// What an order adds to the counts of its customer.
struct Share {
    std::int64_t count = 0;
    Money revenue;
};

bool counts(const Order& order) { return order.confirmed && order.status == OrderStatus::placed; }

Share share_of(const Order& order, std::string_view currency) {
    Share share;
    if (!counts(order)) return share;
    share.count = 1;
    // Amounts of another currency do not add up with those of the first.
    if (order.currency.empty() || currency.empty() || order.currency == currency)
        share.revenue = net(order);
    return share;
}

std::uint64_t hash_of(const Order& order) { return hash(order.id); }

bool is_remembered_as_older(const Customer& customer, std::string_view id) {
    return std::ranges::find(customer.older_orders, hash(id)) != customer.older_orders.end();
}

Order* find_order(std::vector<Order>& orders, std::string_view id) {
    const auto found = std::ranges::find(orders, id, &Order::id);
    return found == orders.end() ? nullptr : &*found;
}

/// The amount under the first of `keys` that has one; refunds may be written as negative amounts.
template <std::size_t Count>
std::optional<Money> amount_of(const Event& event,
                               const std::array<std::string_view, Count>& keys) {
    for (const auto key : keys)
        if (const auto amount = money_of(event.property(key)))
            return *amount < Money{} ? Money{} - *amount : *amount;
    return std::nullopt;
}

/// What an event says an order is.
struct OrderWords {
    std::vector<OrderLine> items;
    std::optional<Money> total;
    std::string currency, coupon;
    bool mixed_currencies = false;
};

OrderWords read_order(const Event& event) {
    OrderWords words;
    words.total = amount_of(event, std::array<std::string_view, 3>{"total", "revenue", "value"});
    words.currency = text_of(event.property("currency"));
    words.coupon = text_of(event.property("coupon"));
    const auto add = [&](PackedView product) {
        const auto said = product_of(product);
        if (!said || said->quantity == 0 || words.items.size() >= bounds::cart_lines) return;
        if (!said->currency.empty()) {
            if (words.currency.empty()) words.currency = said->currency;
            words.mixed_currencies = words.mixed_currencies || said->currency != words.currency;
        }
        words.items.push_back({said->product_id, said->sku, said->name, said->category,
                               said->price.value_or(Money{}), said->quantity.value_or(1)});
    };
    for (const auto& [nothing, product] : products_of(event).entries()) add(product);
    if (words.mixed_currencies) { // Then it has no value.
        words.total = Money{};
        words.currency.clear();
    }
    return words;
}

/// A refund is whole where all that was paid went back, or where it names neither amount nor
/// products.
void settle_refund(Order& order) {
    const bool is_whole = order.confirmed && order.total > Money{} && order.refunded >= order.total;
    if (is_whole && order.status == OrderStatus::placed) order.status = OrderStatus::refunded;
    if (order.status == OrderStatus::refunded || order.refunded > order.total)
        if (order.confirmed) order.refunded = order.total;
}

/// Takes the words of a completed or updated order. True where its products were not known before.
bool describe(Order& order, const Event& event, OrderEvent kind) {
    auto words = read_order(event);
    const bool is_first = !order.confirmed;
    const bool newer = is_first || event.time >= order.changed_at;
    const bool is_new = is_first || (order.items.empty() && !words.items.empty());
    if (is_first)
        order.placed_at = event.time;
    else if (kind == OrderEvent::completed)
        order.placed_at = std::min(order.placed_at, event.time);
    if (words.total && (newer || order.total == Money{})) order.total = *words.total;
    if (!words.items.empty() && (newer || order.items.empty()))
        order.items = std::move(words.items);
    if (!words.currency.empty() && (newer || order.currency.empty()))
        order.currency = words.currency;
    if (!words.coupon.empty() && (newer || order.coupon.empty())) order.coupon = words.coupon;
    order.changed_at = is_first ? event.time : std::max(order.changed_at, event.time);
    order.confirmed = true;
    return is_new;
}

void refund(Order& order, const Event& event) {
    auto amount = amount_of(event, std::array<std::string_view, 3>{"total", "revenue", "value"});
    const auto returned = read_order(event).items;
    if (!amount && !returned.empty()) {
        Money sum;
        for (const auto& line : returned) {
            const auto bought = std::ranges::find_if(order.items, [&](const OrderLine& item) {
                return is_same_product(item.product_id, item.sku, line.product_id, line.sku);
            });
            const bool has_price = line.price != Money{} || bought == order.items.end();
            sum += (has_price ? line.price : bought->price) * line.quantity;
        }
        amount = sum;
    }
    if (amount)
        order.refunded += *amount;
    else if (order.status == OrderStatus::placed)
        order.status = OrderStatus::refunded;
    if (order.currency.empty()) order.currency = text_of(event.property("currency"));
}

void cancel(Order& order, const Event& event) {
    order.status = OrderStatus::cancelled;
    if (order.confirmed) return;
    auto words = read_order(event);
    if (words.total) order.total = *words.total;
    if (order.items.empty()) order.items = std::move(words.items);
    if (order.currency.empty()) order.currency = words.currency;
}

/// One order's purchase in place of what it was before.
void exchange(models::Purchases& purchases, const std::optional<models::PurchaseDay>& before,
              const std::optional<models::PurchaseDay>& after) {
    if (before == after) return;
    if (before) models::remove_order(purchases, before->day, before->spend);
    if (after) models::add_order(purchases, after->day, after->spend);
}

void keep_newest(Customer& customer) {
    std::ranges::stable_sort(customer.orders, {}, &Order::placed_at);
    while (customer.orders.size() > bounds::orders) {
        customer.older_orders.push_back(hash_of(customer.orders.front()));
        customer.orders.erase(customer.orders.begin());
    }
    while (customer.older_orders.size() > bounds::order_ids)
        customer.older_orders.erase(customer.older_orders.begin());
}

void find_last_order(Customer& customer) {
    const auto newest = std::find_if(customer.orders.rbegin(), customer.orders.rend(), counts);
    if (newest != customer.orders.rend())
        customer.last_order_at = newest->placed_at;
    else if (customer.order_count == 0)
        customer.last_order_at = {};
}

} // namespace

Money net(const Order& order) {
    if (order.status != OrderStatus::placed || order.refunded >= order.total) return {};
    return order.total - order.refunded;
}

std::optional<models::PurchaseDay> purchase_of(const Order& order, std::string_view currency) {
    if (!counts(order)) return std::nullopt;
    return models::PurchaseDay{models::day_of(order.placed_at), 1,
                               share_of(order, currency).revenue};
}

void observe_orders(Customer& customer, const Event& event) {
    const auto kind = order_event_of(event.name);
    if (kind == OrderEvent::none) return;
    auto id = text_of(event.property("order_id"));
    if (id.empty()) {
        if (kind != OrderEvent::completed) return; // Nothing says which order is meant.
        id = to_hex(0, event.message_hash).substr(16);
    }
    auto* order = find_order(customer.orders, id);
    if (!order) {
        if (is_remembered_as_older(customer, id)) return;
        order = &customer.orders.emplace_back(Order{.id = std::move(id), .placed_at = event.time});
    }
    const auto before = share_of(*order, customer.currency);
    const auto purchase_before = purchase_of(*order, customer.currency);
    const bool brings_it = kind == OrderEvent::completed || kind == OrderEvent::updated;
    bool is_new = false;
    switch (kind) {
    case OrderEvent::none: return;
    case OrderEvent::completed:
    case OrderEvent::updated: is_new = describe(*order, event, kind); break;
    case OrderEvent::cancelled: cancel(*order, event); break;
    case OrderEvent::refunded: refund(*order, event); break;
    }
    settle_refund(*order);
    if (customer.currency.empty() && order->confirmed) customer.currency = order->currency;
    const auto after = share_of(*order, customer.currency);
    customer.order_count += after.count - before.count;
    customer.revenue = customer.revenue - before.revenue + after.revenue;
    exchange(customer.purchases, purchase_before, purchase_of(*order, customer.currency));

    if (brings_it) {
        const auto named = named_cart(customer, event, *order);
        if (!named.id.empty() && !named.by_guess) order->cart_id = named.id;
        // An order of which neither cart nor products are known is taken to be of the cart changed
        // last.
        if (named.id.empty() && order->cart_id.empty() && order->items.empty() && is_new)
            if (const auto* cart = current_cart(customer);
                cart && cart->updated_at <= order->placed_at)
                order->cart_id = cart->id;
        take_bought(customer, *order, is_new);
    }
    keep_newest(customer);
    find_last_order(customer);
}

void unite_orders(Customer& winner, Customer& loser) {
    if (winner.currency.empty()) winner.currency = loser.currency;
    // What the orders that are no longer listed added; it stays beside the sum over the united
    // list.
    auto older = Share{winner.order_count, winner.revenue};
    for (const auto& order : winner.orders) {
        const auto share = share_of(order, winner.currency);
        older.count -= share.count;
        older.revenue = older.revenue - share.revenue;
    }
    auto older_of_loser = Share{loser.order_count, loser.revenue};
    for (const auto& order : loser.orders) {
        const auto share = share_of(order, loser.currency);
        older_of_loser.count -= share.count;
        older_of_loser.revenue = older_of_loser.revenue - share.revenue;
    }
    older.count += older_of_loser.count;
    if (loser.currency.empty() || loser.currency == winner.currency)
        older.revenue += older_of_loser.revenue;

    // The days of both are put together, less those of orders that both of them knew.
    const auto forget = [](Customer& customer, const Order& order) {
        exchange(customer.purchases, purchase_of(order, customer.currency), std::nullopt);
    };
    std::erase_if(winner.orders, [&](const Order& order) {
        const bool is_known = is_remembered_as_older(loser, order.id);
        if (is_known) forget(winner, order);
        return is_known;
    });
    for (const auto& order : loser.orders)
        if (is_remembered_as_older(winner, order.id) || find_order(winner.orders, order.id))
            forget(loser, order);
    if (!loser.currency.empty() && loser.currency != winner.currency) { // As in the revenue.
        for (auto& day : loser.purchases.days) day.spend = {};
        loser.purchases.folded_spend = {};
    }
    models::unite(winner.purchases, loser.purchases);
    for (auto& from : loser.orders) {
        if (is_remembered_as_older(winner, from.id)) continue;
        auto* to = find_order(winner.orders, from.id);
        const auto purchase_before = to ? purchase_of(*to, winner.currency) : std::nullopt;
        if (!to) {
            winner.orders.push_back(std::move(from));
            continue;
        }
        const auto placed_at = !from.confirmed  ? to->placed_at
                               : !to->confirmed ? from.placed_at
                                                : std::min(to->placed_at, from.placed_at);
        const bool is_cancelled =
            to->status == OrderStatus::cancelled || from.status == OrderStatus::cancelled;
        const bool is_refunded =
            to->status == OrderStatus::refunded || from.status == OrderStatus::refunded;
        if (std::pair{from.confirmed, from.changed_at} > std::pair{to->confirmed, to->changed_at})
            std::swap(*to, from);
        to->placed_at = placed_at;
        to->refunded = std::max(to->refunded, from.refunded);
        if (to->items.empty()) to->items = std::move(from.items);
        if (to->total == Money{}) to->total = from.total;
        if (to->currency.empty()) to->currency = from.currency;
        if (to->cart_id.empty()) to->cart_id = from.cart_id;
        to->status = is_cancelled  ? OrderStatus::cancelled
                     : is_refunded ? OrderStatus::refunded
                                   : OrderStatus::placed;
        settle_refund(*to);
        exchange(winner.purchases, purchase_before, purchase_of(*to, winner.currency));
    }
    winner.order_count = older.count;
    winner.revenue = older.revenue;
    for (const auto& order : winner.orders) {
        const auto share = share_of(order, winner.currency);
        winner.order_count += share.count;
        winner.revenue += share.revenue;
    }
    for (const auto id : loser.older_orders)
        if (std::ranges::find(winner.older_orders, id) == winner.older_orders.end())
            winner.older_orders.push_back(id);
    keep_newest(winner);
    winner.last_order_at = std::max(winner.last_order_at, loser.last_order_at);
    find_last_order(winner);
}

} // namespace journeys
