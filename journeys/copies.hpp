/// One event of which many customers get a copy, each by their own log: a product's, for those who
/// are interested in it, and an audience's entry, for those who are in it.
///
/// Whoever makes copies (a walk of the service, `simulate`) only finds candidates. The customer's
/// own state decides when a copy is applied, so a replay decides the same.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/event.hpp"
#include "journeys/record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace journeys {

inline constexpr std::string_view price_dropped = "Product Price Dropped";
inline constexpr std::string_view back_in_stock = "Product Back In Stock";
/// Made here and by nobody else: it lets its customer into the journey that it names.
inline constexpr std::string_view audience_reached = "Audience Reached";

bool is_product_event(std::string_view name);
/// Of an event that nobody did: it is no sign of life, and to a customer who is not known it means
/// nothing.
bool is_copied(std::string_view name);

/// A copy that is applied later than this opens nothing.
inline constexpr Duration copy_age_max = std::chrono::hours{6};
/// The newest products of a customer for which copies are made.
inline constexpr std::size_t products_of_interest = 50;

/// What is copied. The hash is that of every copy: a customer who is reached by several ids takes
/// one of them.
struct CopiedEvent {
    std::string name;
    std::string properties; ///< Packed map.
    Timestamp at{};
    std::uint64_t message_hash = 0; ///< Never 0.
};

/// What a change of a product makes: `before` and `after` are its packed maps, `before` empty where
/// it was not known. A price drops where both have one, in one currency; a product is back where it
/// was out of stock, or not available, and is not so any more.
std::vector<CopiedEvent> product_events(std::string_view before, std::string_view after,
                                        Timestamp at);
/// What `name` would say if it happened to the product now, for trials: a price that was the one it
/// is compared with, or else a quarter more. Empty where `product` is.
std::string imagined_product_event(std::string_view name, std::string_view product);
/// The entry of everybody in `audience` into `journey` at `at`.
CopiedEvent audience_event(const Journey& journey, std::string_view audience, Timestamp at);

/// The copy of one customer, to be appended to their log. `at`: for a product's event when that
/// happened, so that what the customer did since is newer; for an audience's when the copy is made,
/// so that those who are let in later wait until later.
Event copy_for(const CopiedEvent& copied, const CustomerId& customer, Timestamp at);

/// Of a product's event, and of one that shows interest: the product, as text; empty where it names
/// none.
std::string product_id_of(const Event& event);

/// Whether the condition of that name holds for the customer at `now`; false where there is none.
bool is_in_audience(const Customer& customer, std::string_view audience, Timestamp now,
                    const Catalog& catalog);
/// Whether the customer has done one of the rule's events with the product, within its time before
/// `at`. Exact to the newest 64 of each event.
bool is_interested(const Customer& customer, const InterestRule& rule, std::string_view product,
                   Timestamp at);

/// A product that a customer showed interest in, and when last.
struct Interest {
    std::string product;
    Timestamp at{};
};
/// All that the customer's state still tells of, newest first, `products_of_interest` at most.
std::vector<Interest> interests_of(const Customer& customer, const Catalog& catalog);

/// When the journey's audience is let in next, after `after`; nothing where it never is, or by hand
/// only.
std::optional<Timestamp> next_entry(const AudienceEntry& entry, Timestamp after);

} // namespace journeys
