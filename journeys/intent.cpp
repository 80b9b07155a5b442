#include "journeys/intent.hpp"

#include "journeys/profile.hpp"

#include <algorithm>
#include <cmath>

namespace journeys {
namespace {

enum Number : std::uint32_t {
    views,
    events,
    minutes,
    products,
    categories,
    repeat_views,
    cart_lines,
    cart_value,
    cart_changed_here,
    known,
    orders,
    bought_lately,
    returning,
    bought_here,
    number_count
};

double log_of(double value) { return std::log1p(std::max(0.0, value)); }
double log_of(std::int64_t value) { return log_of(static_cast<double>(value)); }
double log_of(std::size_t value) { return log_of(static_cast<double>(value)); }

} // namespace

const std::vector<IntentFeature>& intent_features() {
    static const std::vector<IntentFeature> features{
        {"views", "ln(1 + products viewed in this session)"},
        {"events", "ln(1 + events of this session)"},
        {"minutes", "ln(1 + minutes from its first event to now)"},
        {"products", "ln(1 + different products viewed, at most 20)"},
        {"categories", "ln(1 + different categories viewed, at most 20)"},
        {"repeat_views", "ln(1 + views of products seen before in this session)"},
        {"cart_lines", "ln(1 + lines of the cart changed last, if it is not ordered)"},
        {"cart_value", "ln(1 + its value)"},
        {"cart_changed_here", "1 where it was changed in this session"},
        {"known", "1 where there is a user id"},
        {"orders", "ln(1 + orders so far)"},
        {"bought_lately", "1 / (1 + weeks since the last order); 0 without one"},
        {"returning", "1 where the customer was seen before this session"},
        {"bought_here", "1 where this session has an order already"},
    };
    return features;
}

std::vector<models::Feature> intent_features_of(const Customer& customer, Timestamp now) {
    std::vector<models::Feature> features;
    features.reserve(number_count);
    const auto add = [&](Number number, double value) {
        if (value != 0) features.emplace_back(number, value);
    };
    const auto& session = customer.session;
    if (session.id.empty()) return features;
    add(views, log_of(session.views));
    add(events, log_of(session.events));
    add(minutes,
        log_of(std::chrono::duration<double, std::ratio<60>>{now - session.started_at}.count()));
    add(products, log_of(session.products.size()));
    add(categories, log_of(session.categories.size()));
    add(repeat_views, log_of(session.views - static_cast<std::int64_t>(session.products.size())));
    if (const auto* cart = current_cart(customer); cart && !cart->ordered && !cart->is_empty()) {
        add(cart_lines, log_of(static_cast<std::size_t>(std::ranges::count_if(
                            cart->lines, [](const CartLine& line) { return line.quantity > 0; }))));
        add(cart_value, cart->mixed_currencies ? 0 : log_of(cart->value().to_double()));
        add(cart_changed_here, cart->updated_at >= session.started_at ? 1 : 0);
    }
    add(known, customer.id.space != IdNamespace::anonymous ? 1 : 0);
    add(orders, log_of(customer.order_count));
    if (customer.last_order_at != Timestamp{}) {
        const auto weeks = models::Weeks{now - customer.last_order_at}.count();
        add(bought_lately, 1 / (1 + std::max(0.0, weeks)));
        add(bought_here, customer.last_order_at >= session.started_at ? 1 : 0);
    }
    add(returning, customer.first_seen < session.started_at ? 1 : 0);
    return features;
}

double intent_of(const models::Logistic& model, const Customer& customer, Timestamp now,
                 Duration idle) {
    const auto& session = customer.session;
    if (session.id.empty() || now >= session.last_at + idle) return 0;
    return model.probability(intent_features_of(customer, now));
}

} // namespace journeys
