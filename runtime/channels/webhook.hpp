/// Our own callback: a POST by the Standard Webhooks specification, signed, with the intent as its
/// id. https://github.com/standard-webhooks/standard-webhooks (headers, signed text, secrets,
/// retries).
#pragma once

#include "journeys/result.hpp"
#include "runtime/channels/provider.hpp"

#include <chrono>
#include <string>

namespace runtime {

struct WebhookSettings {
    std::string url;
    std::string secret; ///< `whsec_` and base64 of 24 to 64 bytes; empty: unsigned. Never logged.
    std::chrono::milliseconds timeout{15'000};
};

/// `invalid_argument` where the secret is malformed.
journeys::Result<std::unique_ptr<Provider>> make_webhook(WebhookSettings settings);

/// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. `key`: the decoded secret.
std::string sign_webhook(const std::string& key, const std::string& id, std::int64_t timestamp,
                         const std::string& body);

} // namespace runtime
