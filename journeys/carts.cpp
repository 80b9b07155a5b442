#include "journeys/carts.hpp"

#include "journeys/profile.hpp"
#include "journeys/properties.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace journeys {
namespace {

constexpr std::int64_t line_quantity_max = 1'000'000;

enum class CartEvent { none, added, removed, contents, checkout, names };

CartEvent cart_event_of(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, CartEvent>, 12> events{{
        {"Product Added", CartEvent::added},
        {"Wishlist Product Added to Cart", CartEvent::added},
        {"Product Removed", CartEvent::removed},
        {"Cart Viewed", CartEvent::contents},
        {"Cart Updated", CartEvent::contents},
        {"Checkout Started", CartEvent::checkout},
        {"Checkout Updated", CartEvent::checkout},
        {"Checkout Step Viewed", CartEvent::names},
        {"Checkout Step Completed", CartEvent::names},
        {"Payment Info Entered", CartEvent::names},
        {"Coupon Entered", CartEvent::names},
        {"Coupon Applied", CartEvent::names},
    }};
    for (const auto& [event, kind] : events)
        if (name == event) return kind;
    return CartEvent::none;
}

bool is_live(const CartLine& line) { return line.quantity > 0; }

bool is_same(const CartLine& line, const ProductWords& words) {
    return is_same_product(line.product_id, line.sku, words.product_id, words.sku);
}

/// The line of the very article, else one that may be it: a live one first.
CartLine* find_line(std::vector<CartLine>& lines, const ProductWords& words) {
    CartLine* found = nullptr;
    for (auto& line : lines) {
        if (!is_same(line, words)) continue;
        if (line.sku == words.sku) return &line;
        if (!found || (is_live(line) && !is_live(*found))) found = &line;
    }
    return found;
}

void describe(CartLine& line, const ProductWords& words) {
    const auto take = [](std::string& field, const std::string& word) {
        if (!word.empty()) field = word;
    };
    take(line.product_id, words.product_id);
    take(line.sku, words.sku);
    take(line.name, words.name);
    take(line.category, words.category);
    take(line.url, words.url);
    take(line.image_url, words.image_url);
    if (words.price) line.price = *words.price;
}

/// Keeps of a line only what a late edit must be measured by.
void bury(CartLine& line, Timestamp at) {
    line = {.product_id = std::move(line.product_id), .sku = std::move(line.sku)};
    line.changed_at = at;
}

/// Room for one more line: the oldest of those that are gone goes first, else the oldest.
void make_room(std::vector<CartLine>& lines) {
    if (lines.size() < bounds::cart_lines) return;
    lines.erase(std::ranges::min_element(lines, [](const CartLine& a, const CartLine& b) {
        return std::pair{is_live(a), a.changed_at} < std::pair{is_live(b), b.changed_at};
    }));
}

void note_currency(Cart& cart, std::string_view currency) {
    if (currency.empty()) return;
    if (cart.currency.empty())
        cart.currency = currency;
    else if (cart.currency != currency)
        cart.mixed_currencies = true;
}

void forget_currency(Cart& cart) {
    cart.currency.clear();
    cart.mixed_currencies = false;
}

/// Puts the cart where its change belongs in the order of changes.
void reposition(std::vector<Cart>& carts, const Cart& cart) {
    const auto at = carts.begin() + (&cart - carts.data());
    const auto later = std::find_if(
        at + 1, carts.end(), [&](const Cart& other) { return other.updated_at > at->updated_at; });
    std::rotate(at, at + 1, later);
    // Later edits only move a cart towards the end; an older neighbour behind it cannot be.
}

/// The cart was changed at `at`; where something lies in it since, it is no longer the ordered one.
void touch(Customer& customer, Cart& cart, Timestamp at) {
    if (at > cart.updated_at && cart.ordered &&
        std::ranges::any_of(cart.lines, [&](const CartLine& line) {
            return is_live(line) && line.changed_at > cart.updated_at;
        }))
        cart.ordered = false;
    if (at < cart.updated_at) return;
    cart.updated_at = at;
    reposition(customer.carts, cart);
}

Cart& insert_cart(Customer& customer, Cart cart) {
    auto& carts = customer.carts;
    if (carts.size() >= bounds::carts) carts.erase(carts.begin());
    const auto at = std::ranges::upper_bound(carts, cart.updated_at, {}, &Cart::updated_at);
    return *carts.insert(at, std::move(cart));
}

Cart* find(Customer& customer, std::string_view id) {
    const auto found = std::ranges::find(customer.carts, id, &Cart::id);
    return found == customer.carts.end() ? nullptr : &*found;
}

Cart& open_cart(Customer& customer, std::string id, Timestamp at) {
    if (auto* cart = find(customer, id)) return *cart;
    return insert_cart(customer, {.id = std::move(id), .updated_at = at});
}

/// The cart made here that was in use at `at`: one that was ordered only takes edits from before
/// its order.
Cart* made_here_cart(Customer& customer, Timestamp at) {
    for (auto& cart : customer.carts)
        if (cart.made_here && cart.ordered && at <= cart.updated_at) return &cart;
    const auto found =
        std::find_if(customer.carts.rbegin(), customer.carts.rend(),
                     [](const Cart& cart) { return cart.made_here && !cart.ordered; });
    return found == customer.carts.rend() ? nullptr : &*found;
}

Cart& open_made_here(Customer& customer, Timestamp at) {
    if (auto* cart = made_here_cart(customer, at)) return *cart;
    Cart cart{.id = to_hex(hash(customer.id), ++customer.carts_made),
              .made_here = true,
              .updated_at = at};
    return insert_cart(customer, std::move(cart));
}

std::string cart_id_of(const Event& event) {
    auto id = text_of(event.property("cart_id"));
    return id.empty() ? text_of(event.property("cart_token")) : id;
}

Cart* newest_with(Customer& customer, const ProductWords& words) {
    const auto found =
        std::find_if(customer.carts.rbegin(), customer.carts.rend(), [&](const Cart& cart) {
            return std::ranges::any_of(cart.lines, [&](const CartLine& line) {
                return is_live(line) && is_same(line, words);
            });
        });
    return found == customer.carts.rend() ? nullptr : &*found;
}

/// Takes what `order` bought out of one cart. `is_named`: it names this cart, which is ordered also
/// where nothing of it is known; the products are then remembered as gone.
void take_out_of(Cart& cart, const Order& order, bool is_named, bool is_new) {
    const auto at = order.placed_at;
    bool held = is_named;
    if (is_named && order.items.empty()) {
        cart.emptied_at = std::max(cart.emptied_at, at);
        std::erase_if(cart.lines, [&](const CartLine& line) { return line.changed_at <= at; });
    }
    for (const auto& item : order.items) {
        bool known = false;
        for (auto& line : cart.lines) {
            if (!is_same_product(line.product_id, line.sku, item.product_id, item.sku)) continue;
            known = true;
            if (line.changed_at <= at) {
                held = held || is_live(line);
                bury(line, at);
            } else if (is_new && is_live(line)) {
                held = true;
                line.quantity -= item.quantity;
                if (!is_live(line)) bury(line, line.changed_at);
            }
        }
        if (known || !is_named) continue;
        make_room(cart.lines);
        cart.lines.push_back({.product_id = item.product_id, .sku = item.sku, .changed_at = at});
    }
    if (!held) return;
    const bool goes_on = std::ranges::any_of(
        cart.lines, [&](const CartLine& line) { return is_live(line) && line.changed_at > at; });
    if (!goes_on) cart.ordered = true;
    cart.updated_at = std::max(cart.updated_at, at);
}

void sort_by_change(std::vector<Cart>& carts) {
    std::ranges::stable_sort(carts, {}, &Cart::updated_at);
}

/// An edit from before an order, or a cart that another customer brings: what was bought stays out.
void settle(Customer& customer, Cart& cart, Timestamp edited_at) {
    bool any = false;
    for (auto& order : customer.orders) {
        if (!order.confirmed || order.placed_at < edited_at) continue;
        const bool is_joined = !cart.order_id.empty() && cart.order_id == order.id;
        if (is_joined && order.cart_id.empty() && !cart.joined_by_guess) order.cart_id = cart.id;
        if (!order.cart_id.empty() && order.cart_id != cart.id) continue;
        take_out_of(cart, order, is_joined || order.cart_id == cart.id, false);
        any = true;
    }
    if (any) sort_by_change(customer.carts);
}

void add(Cart& cart, const ProductWords& words, std::string_view currency, Timestamp at) {
    const auto quantity = words.quantity.value_or(1);
    if (at < cart.emptied_at || quantity == 0) return;
    auto* line = find_line(cart.lines, words);
    if (line && at < line->changed_at) return;
    if (cart.is_empty()) forget_currency(cart);
    if (!line) {
        make_room(cart.lines);
        line = &cart.lines.emplace_back();
    }
    describe(*line, words);
    line->quantity = std::min(line->quantity + quantity, line_quantity_max);
    line->changed_at = at;
    note_currency(cart, words.currency.empty() ? currency : words.currency);
}

void remove(Cart& cart, const ProductWords& words, Timestamp at) {
    if (at < cart.emptied_at) return;
    auto* line = find_line(cart.lines, words);
    if (!line) {
        make_room(cart.lines);
        line = &cart.lines.emplace_back(CartLine{.product_id = words.product_id, .sku = words.sku});
    } else if (at < line->changed_at) {
        return;
    }
    const auto left = words.quantity.value_or(0) > 0 ? line->quantity - *words.quantity : 0;
    if (left > 0) {
        line->quantity = left;
        line->changed_at = at;
    } else {
        bury(*line, at);
    }
}

/// `products` are all that lay in the cart at `at`. What was edited later stays as it is.
void replace(Cart& cart, PackedView products, std::string_view currency, Timestamp at) {
    if (at < cart.emptied_at) return;
    std::vector<CartLine> before, after;
    for (auto& line : cart.lines)
        (line.changed_at > at ? after : before).push_back(std::move(line));
    if (std::ranges::none_of(after, is_live)) forget_currency(cart);
    std::vector<CartLine> lines;
    for (const auto& [nothing, product] : products.entries()) {
        const auto words = product_of(product);
        const auto quantity = words ? words->quantity.value_or(1) : 0;
        if (quantity == 0 || find_line(after, *words)) continue;
        note_currency(cart, words->currency.empty() ? currency : words->currency);
        if (auto* twice = find_line(lines, *words); twice && twice->sku == words->sku) {
            twice->quantity = std::min(twice->quantity + quantity, line_quantity_max);
            continue;
        }
        if (lines.size() >= bounds::cart_lines) continue;
        auto* known = find_line(before, *words);
        auto& line = lines.emplace_back(known ? std::exchange(*known, {}) : CartLine{});
        describe(line, *words);
        line.quantity = quantity;
        line.changed_at = at;
    }
    for (auto& line : after) {
        make_room(lines);
        lines.push_back(std::move(line));
    }
    cart.lines = std::move(lines);
    cart.emptied_at = at;
}

void join(Cart& cart, const Event& event, bool by_guess) {
    const auto order_id = text_of(event.property("order_id"));
    const auto checkout_id = text_of(event.property("checkout_id"));
    const bool newer = event.time >= cart.updated_at;
    if (!order_id.empty() && (newer || cart.order_id.empty())) cart.order_id = order_id;
    if (!checkout_id.empty() && (newer || cart.checkout_id.empty())) cart.checkout_id = checkout_id;
    if (!order_id.empty() || !checkout_id.empty()) cart.joined_by_guess = by_guess;
}

Cart* joined_cart(Customer& customer, std::string_view checkout_id, std::string_view order_id) {
    for (auto cart = customer.carts.rbegin(); cart != customer.carts.rend(); ++cart)
        if ((!checkout_id.empty() && cart->checkout_id == checkout_id) ||
            (!order_id.empty() && cart->order_id == order_id))
            return &*cart;
    return nullptr;
}

/// The cart that a checkout without cart_id is about: the one that it was joined to, the newest
/// with one of its products, the newest with anything in it.
Cart* guess_cart(Customer& customer, const Event& event, PackedView products) {
    if (auto* cart = joined_cart(customer, text_of(event.property("checkout_id")),
                                 text_of(event.property("order_id"))))
        return cart;
    for (const auto& [nothing, product] : products.entries())
        if (const auto words = product_of(product))
            if (auto* cart = newest_with(customer, *words)) return cart;
    const auto found =
        std::find_if(customer.carts.rbegin(), customer.carts.rend(), [&](const Cart& cart) {
            return !cart.ordered && !cart.is_empty() && (cart.made_here || !products.is_list());
        });
    return found == customer.carts.rend() ? nullptr : &*found;
}

void edit_lines(Customer& customer, const Event& event, CartEvent kind) {
    const auto currency = text_of(event.property("currency"));
    auto id = cart_id_of(event);
    const auto edit = [&](PackedView product) {
        const auto words = product_of(product);
        if (!words) return;
        Cart* cart = nullptr;
        if (!id.empty()) {
            cart = &open_cart(customer, id, event.time);
        } else {
            // A removal without a cart_id is meant for the cart that holds the product.
            if (kind == CartEvent::removed) cart = newest_with(customer, *words);
            if (!cart) cart = &open_made_here(customer, event.time);
        }
        if (kind == CartEvent::added)
            add(*cart, *words, currency, event.time);
        else
            remove(*cart, *words, event.time);
        const auto cart_id = cart->id;
        touch(customer, *cart, event.time);
        settle(customer, *find(customer, cart_id), event.time);
    };
    if (const auto products = products_of(event); products.is_list())
        for (const auto& [nothing, product] : products.entries()) edit(product);
    else
        edit(PackedView{event.properties});
}

void edit_whole(Customer& customer, const Event& event) {
    const auto products = products_of(event);
    if (!products.is_list()) return;
    auto id = cart_id_of(event);
    Cart* cart = nullptr;
    if (!id.empty()) {
        cart = &open_cart(customer, std::move(id), event.time);
    } else {
        // An empty cart after an order is the ordered one, not a new one.
        const bool knows_one = std::ranges::any_of(customer.carts, &Cart::made_here);
        if (products.size() == 0 && knows_one && !made_here_cart(customer, event.time)) return;
        cart = &open_made_here(customer, event.time);
    }
    replace(*cart, products, text_of(event.property("currency")), event.time);
    const auto cart_id = cart->id;
    touch(customer, *cart, event.time);
    settle(customer, *find(customer, cart_id), event.time);
}

void start_checkout(Customer& customer, const Event& event) {
    const auto products = products_of(event);
    auto id = cart_id_of(event);
    const bool by_guess = id.empty();
    Cart* cart = by_guess ? guess_cart(customer, event, products) : find(customer, id);
    const bool replaces = products.is_list() && products.size() > 0 && (by_guess || !cart);
    if (!cart && !by_guess) cart = &open_cart(customer, std::move(id), event.time);
    if (!cart && replaces) cart = &open_made_here(customer, event.time);
    if (!cart) return;
    if (replaces) replace(*cart, products, text_of(event.property("currency")), event.time);
    join(*cart, event, by_guess);
    const auto cart_id = cart->id;
    touch(customer, *cart, event.time);
    settle(customer, *find(customer, cart_id), event.time);
}

void learn_names(Customer& customer, const Event& event) {
    const auto id = cart_id_of(event);
    auto* cart = !id.empty() ? find(customer, id)
                             : joined_cart(customer, text_of(event.property("checkout_id")),
                                           text_of(event.property("order_id")));
    if (!cart) return;
    join(*cart, event, id.empty() && cart->joined_by_guess);
    settle(customer, *cart, event.time);
}

void unite_cart(Cart& cart, Cart& other) {
    const auto ordered_at = std::max(cart.ordered ? cart.updated_at : Timestamp{},
                                     other.ordered ? other.updated_at : Timestamp{});
    const bool ordered = cart.ordered || other.ordered;
    if (other.updated_at > cart.updated_at) std::swap(cart, other);
    const auto drop_replaced = [](Cart& of, const Cart& by) {
        std::erase_if(of.lines,
                      [&](const CartLine& line) { return line.changed_at < by.emptied_at; });
    };
    drop_replaced(cart, other);
    drop_replaced(other, cart);
    for (auto& line : other.lines) {
        const auto known = std::ranges::find_if(cart.lines, [&](const CartLine& mine) {
            return mine.product_id == line.product_id && mine.sku == line.sku;
        });
        if (known == cart.lines.end()) {
            make_room(cart.lines);
            cart.lines.push_back(std::move(line));
        } else if (line.changed_at > known->changed_at) {
            *known = std::move(line);
        }
    }
    cart.emptied_at = std::max(cart.emptied_at, other.emptied_at);
    cart.mixed_currencies =
        cart.mixed_currencies || other.mixed_currencies ||
        (!cart.currency.empty() && !other.currency.empty() && cart.currency != other.currency);
    if (cart.currency.empty()) cart.currency = other.currency;
    if (cart.checkout_id.empty()) cart.checkout_id = other.checkout_id;
    if (cart.order_id.empty()) {
        cart.order_id = other.order_id;
        cart.joined_by_guess = other.joined_by_guess;
    }
    cart.ordered = ordered && std::ranges::none_of(cart.lines, [&](const CartLine& line) {
                       return is_live(line) && line.changed_at > ordered_at;
                   });
}

bool is_old(const Customer& customer, const Cart& cart) {
    return cart.updated_at < customer.now - bounds::cart_age;
}

} // namespace

void observe_carts(Customer& customer, const Event& event) {
    const auto kind = cart_event_of(event.name);
    if (kind == CartEvent::none || event.time < customer.now - bounds::cart_age) return;
    switch (kind) {
    case CartEvent::none: return;
    case CartEvent::added:
    case CartEvent::removed: edit_lines(customer, event, kind); return;
    case CartEvent::contents: edit_whole(customer, event); return;
    case CartEvent::checkout: start_checkout(customer, event); return;
    case CartEvent::names: learn_names(customer, event); return;
    }
}

NamedCart named_cart(Customer& customer, const Event& order_event, const Order& order) {
    if (auto id = cart_id_of(order_event); !id.empty()) {
        open_cart(customer, id, order.placed_at);
        return {std::move(id), false};
    }
    const auto* cart =
        joined_cart(customer, text_of(order_event.property("checkout_id")), order.id);
    if (!cart) return {};
    return {cart->id, cart->joined_by_guess};
}

void take_bought(Customer& customer, Order& order, bool is_new) {
    for (auto& cart : customer.carts) {
        const bool is_joined = !cart.order_id.empty() && cart.order_id == order.id;
        const bool is_named = order.cart_id == cart.id || is_joined;
        if (!order.cart_id.empty() && !is_named) continue;
        take_out_of(cart, order, is_named, is_new);
    }
    sort_by_change(customer.carts);
}

void drop_old_carts(Customer& customer) {
    std::erase_if(customer.carts, [&](const Cart& cart) { return is_old(customer, cart); });
}

void unite_carts(Customer& winner, Customer& loser) {
    for (auto& from : loser.carts) {
        if (auto* to = find(winner, from.id))
            unite_cart(*to, from);
        else
            winner.carts.push_back(std::move(from));
    }
    winner.carts_made = std::max(winner.carts_made, loser.carts_made);
    for (auto& order : winner.orders)
        if (order.confirmed) take_bought(winner, order, false);
    sort_by_change(winner.carts);
    drop_old_carts(winner);
    while (winner.carts.size() > bounds::carts) winner.carts.erase(winner.carts.begin());
}

const Cart* current_cart(const Customer& customer) {
    if (customer.carts.empty() || is_old(customer, customer.carts.back())) return nullptr;
    return &customer.carts.back();
}

const Cart* find_cart(const Customer& customer, std::string_view cart_id) {
    const auto found = std::ranges::find(customer.carts, cart_id, &Cart::id);
    if (found == customer.carts.end() || is_old(customer, *found)) return nullptr;
    return &*found;
}

} // namespace journeys
