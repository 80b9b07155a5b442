/// Names of things: customers, runs, intents, messages. Each its own type, so they cannot be
/// swapped.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace journeys {

/// Where an id comes from, strongest first: of two ids in one message the stronger names the
/// customer. The numbers are stored.
enum class IdNamespace : std::uint8_t {
    user,
    shopify,
    email,
    phone,
    anonymous,
    token, ///< Of a cart or an order, which belong to one person.
};

std::string_view to_text(IdNamespace space);

/// A customer, by one of their ids. Text form: `user:42`, `anonymous:7f0c…`.
struct CustomerId {
    IdNamespace space = IdNamespace::user;
    std::string value; ///< 1 to 512 bytes of UTF-8.

    auto operator<=>(const CustomerId&) const = default;
};

/// `namespace:value`; reads back by `parse_customer_id`.
std::string to_text(const CustomerId& id);
/// For people: a user id as it is, any other with its namespace.
std::string display(const CustomerId& id);
/// `namespace:value`; a text without a known namespace is a user id. Nothing for an empty value.
std::optional<CustomerId> parse_customer_id(std::string_view text);

/// Stable for ever and on every machine: it decides the partition and is stored. XXH3, 64 bits.
std::uint64_t hash(const CustomerId& id);
std::uint64_t hash(std::string_view text, std::uint64_t seed = 0);
/// A number in [0, 1) that is the same for the same parts and seed: for holdouts, splits and
/// roll-outs.
double sticky_fraction(std::uint64_t seed, std::string_view a, std::string_view b,
                       std::string_view c = {});

/// 128 bits, written as 32 hexadecimal digits.
template <class Tag> struct HashId {
    std::uint64_t high = 0, low = 0;
    auto operator<=>(const HashId&) const = default;
    explicit operator bool() const { return high != 0 || low != 0; }
};
using RunId = HashId<struct RunTag>;
using IntentId = HashId<struct IntentTag>;

std::string to_hex(std::uint64_t high, std::uint64_t low);
std::string to_text(RunId id);
std::string to_text(IntentId id);
std::optional<IntentId> parse_intent_id(std::string_view text);

/// hash(workspace, journey, customer at entry, key, entry message): unchanged by merges and
/// migrations.
RunId run_id(std::uint64_t workspace, std::string_view journey, const CustomerId& at_entry,
             std::string_view key, std::uint64_t entry_message);
/// hash(run, step path): one per send step of a run, for ever.
IntentId intent_id(RunId run, std::string_view step_path);

} // namespace journeys

template <> struct std::hash<journeys::CustomerId> {
    std::size_t operator()(const journeys::CustomerId& id) const { return journeys::hash(id); }
};
template <> struct std::hash<journeys::IntentId> {
    std::size_t operator()(const journeys::IntentId& id) const { return id.low; }
};
