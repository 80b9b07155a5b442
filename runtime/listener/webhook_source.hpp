/// A shop that sends webhooks: who it is, and whether a delivery is its own.
#pragma once

#include "schema/shop_webhook.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime {

/// As `sources` of sojourn.yaml has it.
struct WebhookSource {
    std::string name; ///< Of the path, and for rejects and deduplication.
    const schema::ShopMap* shop = nullptr;
    std::vector<std::string> secrets; ///< Any of them may have signed: two while one is changed.
    std::vector<std::string> shops;   ///< Domains that may send; empty: all that know the secret.

    /// What its messages are deduplicated under.
    std::uint64_t id() const;
};

/// A delivery that its shop has signed.
struct Webhook {
    const schema::ShopTopic* topic = nullptr; ///< Null for one that says nothing to us.
    schema::Delivery delivery;                ///< Views into the headers.
};

/// Nothing where no secret of the source has signed these bytes. Takes the same time whichever byte
/// of a signature is wrong. `header`: the value of a header by its lower-case name, or empty.
std::optional<Webhook> open_webhook(const WebhookSource& source,
                                    const std::function<std::string_view(std::string_view)>& header,
                                    std::string_view body);

/// Base64 of HMAC-SHA256.
std::string sign_body(std::string_view secret, std::string_view body);

} // namespace runtime
