/// A person to whom things happen, for tests: events written as JSON, at minutes after a Sunday
/// noon.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/cel/program.hpp"
#include "journeys/environment.hpp"
#include "journeys/identity.hpp"
#include "journeys/profile.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace tests {

using namespace std::chrono_literals;
using namespace journeys;

inline const Timestamp noon = from_millis(1'795'435'200'000);

inline void pack_json(PackedWriter& writer, const nlohmann::ordered_json& value) {
    if (value.is_object()) {
        const auto mark = writer.begin_map();
        for (const auto& [key, item] : value.items()) {
            writer.key(key);
            pack_json(writer, item);
        }
        writer.end_map(mark, value.size());
    } else if (value.is_array()) {
        const auto mark = writer.begin_list();
        for (const auto& item : value) pack_json(writer, item);
        writer.end_list(mark, value.size());
    } else if (value.is_string()) {
        writer.string(value.get<std::string>());
    } else if (value.is_boolean()) {
        writer.boolean(value.get<bool>());
    } else if (value.is_number_integer()) {
        writer.integer(value.get<std::int64_t>());
    } else if (value.is_number()) {
        writer.floating(value.get<double>());
    } else {
        writer.null();
    }
}

inline std::string packed(const std::string& json) {
    if (json.empty()) return {};
    PackedWriter writer;
    pack_json(writer, nlohmann::ordered_json::parse(json));
    return writer.take();
}

inline CustomerId user(std::string value) { return {IdNamespace::user, std::move(value)}; }
inline CustomerId anonymous(std::string value) {
    return {IdNamespace::anonymous, std::move(value)};
}

/// A track at `at`; its messageId follows from name, time and properties.
inline Event track(std::string name, Timestamp at, const std::string& properties = "") {
    Event event;
    event.name = std::move(name);
    event.ids = {user("ada")};
    event.time = event.written = at;
    event.properties = packed(properties);
    event.message_hash =
        hash(event.properties, hash(event.name, static_cast<std::uint64_t>(to_millis(at))));
    return event;
}

inline Event identify(Timestamp at, const std::string& traits, const std::string& context = "") {
    auto event = track("Identify", at);
    event.type = EventType::identify;
    event.traits = packed(traits);
    event.context = packed(context);
    return event;
}

/// A catalogue whose journeys count `Product Viewed` by product, and orders, and watch the events
/// of a shop.
inline const Catalog& catalog() {
    static const Catalog shared = [] {
        auto journey = std::make_shared<Journey>();
        journey->id = "watch";
        journey->version = 1;
        journey->enter.on = {"Session Ended"};
        for (const auto* text :
             {R"(count("Product Viewed", "24h", "product_id", "p") > 0)",
              R"(count("Profile Changed", "24h") > 0)", R"(count("Order Completed", "30d") > 0)"})
            journey->enter.when.push_back(
                {cel::compile(text, environment(Scope::entry)).program, 1});
        journey->exits.push_back({.on = {"Order Completed", "Product Viewed"}});
        journey->properties_read = {"product_id"};
        Settings settings;
        settings.channels.push_back({.name = "email", .type = "sandbox", .address = "email"});
        return Catalog{1, settings, {journey}};
    }();
    return shared;
}

struct Person {
    Customer customer{.id = user("ada")};
    Effects effects;

    Observed meets(const Event& event) {
        if (!remember_message(customer, event, 72h)) return {};
        customer.accepted_at = std::max(customer.accepted_at, event.time);
        return observe(customer, event, customer.accepted_at, catalog(), effects);
    }
    /// What lies in the cart: `p1*2 p2`.
    std::string cart(std::string_view id = {}) const {
        const auto* found = id.empty() ? current_cart(customer) : find_cart(customer, id);
        if (!found) return "none";
        std::string text;
        for (const auto& line : found->lines) {
            if (line.quantity == 0) continue;
            if (!text.empty()) text += ' ';
            text += line.product_id;
            if (line.quantity > 1) text += '*' + std::to_string(line.quantity);
        }
        return text;
    }
};

} // namespace tests
