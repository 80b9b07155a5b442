/// Webhooks of shops, as messages of the Segment specification.
///
/// A shop is data: which headers say what, how a delivery is signed, and for every topic where in
/// its payload the parts of the messages stand. The next shop is a file like `shopify.cpp` and a
/// line in `find_shop`.
///
/// What is translated is what the log keeps, so a later version's tables change nothing that was
/// accepted, and what no table names (addresses, card digits, notes) never gets in.
#pragma once

#include "journeys/time.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

/// How a value is taken. What is not of its kind is left out, as is null and an empty text; an
/// amount that is none (`12,50`, `NaN`, a number past a million millions) is named beside it.
enum class TakeAs : std::uint8_t {
    text,   ///< A text, or a whole number as its digits.
    amount, ///< A decimal, written as text or number, as an exact JSON number.
    sum,    ///< Of a list, whose entries hold amounts under the path's last name.
    lowest, ///< The same, the lowest of them.
    each,   ///< The same, a list of texts.
    count,  ///< A whole number.
    boolean,
};

/// Where a value stands: member names and places in lists, joined by points
/// (`discount_codes.0.code`). In a list of `{name, value}` a name stands for the value beside it
/// (`note_attributes.userId`). Of alternatives, separated by `|`, the first that has a value
/// counts.
using Path = std::string_view;

struct ShopField {
    std::string_view to; ///< `address.country` makes an object.
    Path from;
    TakeAs as = TakeAs::text;
};

/// A consent: the word for its state and its date, as the shop writes them.
struct ShopConsent {
    std::string_view channel;
    Path state, at;
    Path level = {}; ///< How it was given, `confirmed_opt_in` where it was confirmed.
    /// Where only agreement is asked (a box at checkout), and `false` means that it was not given
    /// now.
    bool only_yes = false;
};

struct ShopMessage {
    std::string_view event; ///< Of a track; empty: an identify.
    std::span<const ShopField>
        fields; ///< Properties, or traits. An identify without any is left out.
    Path lines; ///< The list whose entries become `products`; empty: none.
    std::span<const ShopField> line_fields;
    std::span<const ShopConsent> consents;
    Path time; ///< When it happened; where there is none, the delivery's trigger or its receipt.
};

/// An id of the message: `userId`, `anonymousId`, or a type of `context.externalIds`.
struct ShopId {
    std::string_view type;
    Path from;
    std::string_view prefix = {};
    Path unless = {}; ///< Left out where this has a value.
};

enum class PrivacyKind : std::uint8_t { none, export_data, erase, erase_shop };

struct ShopTopic {
    std::string_view topic;
    std::span<const ShopMessage> messages;
    std::span<const ShopId> ids;
    PrivacyKind privacy = PrivacyKind::none;
    Path orders = {}; ///< Of a privacy request: the list of order ids that it names.
    /// Of a privacy request: the shop's domain. Only the body is signed, so a body without it, or
    /// with another one than the header's, is of another topic and none of ours.
    Path shop = {};
    /// Of a topic about a product: its fields, as `POST /v1/products` takes them. A body without id
    /// and name is of another topic.
    std::span<const ShopField> product = {};
    /// The same of a topic about the stock of one article at one place, as `stock_level.hpp` reads
    /// it. A body without article and place is of another topic.
    std::span<const ShopField> level = {};
};

/// Where the ids of one namespace stand that only this shop gives: all that begin with `prefix`.
struct ShopIdRange {
    std::string_view space; ///< As in the text of an id: `shopify`, `token`.
    std::string_view prefix = {};
};

/// A shop, as the deliveries of its webhooks are.
struct ShopMap {
    std::string_view type; ///< `shopify`, as `sources` in sojourn.yaml names it.
    // Headers, in lower case; of alternatives, separated by `|`, the first that is there.
    std::string_view topic_header, delivery_header, shop_header, triggered_header;
    /// Base64 of HMAC-SHA256 over the body's bytes.
    std::string_view signature_header;
    std::span<const ShopTopic> topics;
    /// Whoever has such an id was named by a shop of this type; nobody else has one.
    std::span<const ShopIdRange> own_ids;
    std::string_view order_prefix; ///< Of the `token` that an order's id becomes.

    const ShopTopic* find(std::string_view topic) const;
};

/// Null for a type that is not built.
const ShopMap* find_shop(std::string_view type);

/// What a delivery's headers say.
struct Delivery {
    std::string_view id;   ///< The same over all attempts; empty: none, and no deduplication.
    std::string_view shop; ///< Its domain.
    std::optional<journeys::Timestamp> triggered_at;
};

struct PrivacyRequest {
    std::string request; ///< Of the delivery: one that comes again is the same request.
    PrivacyKind kind = PrivacyKind::none;
    std::string shop;
    std::vector<std::string> subjects; ///< `namespace:value`; the orders, too, for guests have no
                                       ///< other id that lasts.
    std::vector<std::string> orders;
};
std::string_view to_text(PrivacyKind kind); ///< `export`, `erase`, `erase_shop`.

struct Translated {
    bool is_readable = false; ///< The body is a JSON object, and of its topic.
    /// Amounts that are none, by their place (`line_items.0.price`): the rest counts without them.
    /// The first ten.
    std::vector<std::string> left_out;
    std::string messages; ///< A JSON array for `MessageDecoder`; empty: there are none.
    std::optional<PrivacyRequest> privacy;
    /// A JSON object for `products_from_json` or `stock_level_from_json`; empty: it is about none.
    std::string product;
};

/// One delivery of `topic`.
Translated translate(const ShopMap& shop, const ShopTopic& topic, const Delivery& delivery,
                     std::string_view body);

} // namespace schema
