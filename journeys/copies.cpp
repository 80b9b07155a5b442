#include "journeys/copies.hpp"

#include "journeys/environment.hpp"
#include "journeys/ids.hpp"
#include "journeys/local_time.hpp"
#include "journeys/properties.hpp"

#include <algorithm>
#include <array>

namespace journeys {
namespace {

/// What a message may say of the product, as the shop has it.
constexpr std::array<std::string_view, 6> told{"name",      "category", "url",
                                               "image_url", "price",    "currency"};

std::optional<double> price_of(PackedView product) {
    const auto price = product.find("price");
    return price.is_number() ? std::optional{price.as_double()} : std::nullopt;
}

/// Nothing where nobody says.
std::optional<bool> can_be_bought(PackedView product) {
    const auto available = product.find("available");
    if (available.is_bool() && !available.as_bool()) return false;
    if (const auto stock = product.find("stock"); stock.is_number()) return stock.as_double() > 0;
    return available.is_bool() ? std::optional{true} : std::nullopt;
}

class ProductEvent {
public:
    explicit ProductEvent(PackedView product) : mark_(writer_.begin_map()) {
        text("product_id", text_at(product, "id"));
        for (const auto key : told)
            if (const auto value = product.find(key); value && !value.is_null()) add(key, value);
    }
    void text(std::string_view key, std::string_view value) {
        writer_.key(key);
        writer_.string(value);
        ++size_;
    }
    void number(std::string_view key, double value) {
        writer_.key(key);
        writer_.floating(value);
        ++size_;
    }
    void add(std::string_view key, PackedView value) {
        writer_.key(key);
        writer_.value(value);
        ++size_;
    }
    std::string take() {
        writer_.end_map(mark_, size_);
        return writer_.take();
    }

private:
    PackedWriter writer_;
    std::size_t mark_, size_ = 0;
};

CopiedEvent made(std::string_view name, std::string properties, Timestamp at) {
    CopiedEvent copied{std::string{name}, std::move(properties), at};
    const auto seed = hash(name, static_cast<std::uint64_t>(to_millis(at)));
    copied.message_hash = hash(copied.properties, seed) | 1;
    return copied;
}

} // namespace

bool is_product_event(std::string_view name) {
    return name == price_dropped || name == back_in_stock;
}

bool is_copied(std::string_view name) { return is_product_event(name) || name == audience_reached; }

std::vector<CopiedEvent> product_events(std::string_view before, std::string_view after,
                                        Timestamp at) {
    std::vector<CopiedEvent> events;
    if (before.empty() || after.empty()) return events;
    const PackedView was{before}, now{after};
    const auto from = price_of(was), to = price_of(now);
    if (from && to && *to < *from && was.find("currency").bytes() == now.find("currency").bytes()) {
        ProductEvent event{now};
        event.add("from", was.find("price"));
        event.add("to", now.find("price"));
        events.push_back(made(price_dropped, event.take(), at));
    }
    if (const auto before_it = can_be_bought(was), behind = can_be_bought(now);
        before_it == false && behind == true) {
        ProductEvent event{now};
        if (const auto stock = now.find("stock"); stock.is_number()) event.add("stock", stock);
        events.push_back(made(back_in_stock, event.take(), at));
    }
    return events;
}

std::string imagined_product_event(std::string_view name, std::string_view product) {
    if (product.empty()) return {};
    const PackedView now{product};
    ProductEvent event{now};
    if (name == price_dropped) {
        if (const auto to = price_of(now)) {
            const auto compared = now.find("compare_at_price");
            constexpr double more = 1.25;
            const bool is_reduced = compared.is_number() && compared.as_double() > *to;
            event.number("from", is_reduced ? compared.as_double() : *to * more);
            event.add("to", now.find("price"));
        }
    } else if (const auto stock = now.find("stock"); stock.is_number()) {
        event.add("stock", stock);
    }
    return event.take();
}

CopiedEvent audience_event(const Journey& journey, std::string_view audience, Timestamp at) {
    PackedWriter writer;
    const auto mark = writer.begin_map();
    const auto add = [&](std::string_view key, std::string_view value) {
        writer.key(key);
        writer.string(value);
    };
    add("journey", journey.id);
    add("audience", audience);
    add("version", version_text(journey.version));
    writer.end_map(mark, 3);
    return made(audience_reached, writer.take(), at);
}

Event copy_for(const CopiedEvent& copied, const CustomerId& customer, Timestamp at) {
    Event event;
    event.name = copied.name;
    event.ids = {customer};
    event.message_hash = copied.message_hash;
    event.time = at;
    event.written = copied.at;
    event.properties = copied.properties;
    return event;
}

std::string product_id_of(const Event& event) {
    return text_at(PackedView{event.properties}, "product_id");
}

bool is_in_audience(const Customer& customer, std::string_view audience, Timestamp now,
                    const Catalog& catalog) {
    const auto& audiences = catalog.lookups().audiences;
    const auto named = audiences.find(audience);
    if (named == audiences.end()) return false;
    static thread_local Evaluator evaluator;
    evaluator.look_at({&customer, nullptr, nullptr, now, now, &catalog});
    return evaluator.is_met(named->second);
}

bool is_interested(const Customer& customer, const InterestRule& rule, std::string_view product,
                   Timestamp at) {
    return std::ranges::any_of(customer.counters, [&](const Counter& counter) {
        return std::ranges::find(rule.did, counter.name) != rule.did.end() &&
               std::ranges::any_of(counter.newest, [&](const Counter::Occurrence& one) {
                   return one.at > at - rule.within && one.at <= at &&
                          text_at(PackedView{one.properties}, "product_id") == product;
               });
    });
}

std::vector<Interest> interests_of(const Customer& customer, const Catalog& catalog) {
    std::vector<Interest> found;
    for (const auto& counter : customer.counters) {
        if (!catalog.tracked().interests.contains(counter.name)) continue;
        for (const auto& one : counter.newest)
            if (auto product = text_at(PackedView{one.properties}, "product_id"); !product.empty())
                found.push_back({std::move(product), one.at});
    }
    std::ranges::stable_sort(found, std::greater<>{}, &Interest::at);
    std::vector<Interest> newest;
    for (auto& interest : found) {
        if (newest.size() == products_of_interest) break;
        if (std::ranges::find(newest, interest.product, &Interest::product) == newest.end())
            newest.push_back(std::move(interest));
    }
    return newest;
}

std::optional<Timestamp> next_entry(const AudienceEntry& entry, Timestamp after) {
    if (entry.at) return *entry.at > after ? entry.at : std::nullopt;
    if (!entry.time) return std::nullopt;
    return next_local(entry.zone, after + Duration{1}, *entry.time, entry.weekdays);
}

} // namespace journeys
