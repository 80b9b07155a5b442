#include "runtime/listener/webhook_source.hpp"

#include "journeys/ids.hpp"
#include "runtime/base64.hpp"
#include "runtime/listener/keys.hpp"
#include "schema/timestamp_text.hpp"

#include <openssl/hmac.h>

#include <algorithm>
#include <array>

namespace runtime {

std::uint64_t WebhookSource::id() const { return journeys::hash(name, journeys::hash("source")); }

std::string sign_body(std::string_view secret, std::string_view body) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data(), &size);
    return to_base64({reinterpret_cast<const char*>(digest.data()), size});
}

std::optional<Webhook> open_webhook(const WebhookSource& source,
                                    const std::function<std::string_view(std::string_view)>& header,
                                    std::string_view body) {
    const auto first_of = [&](std::string_view names) {
        std::string_view value;
        while (value.empty() && !names.empty()) {
            const auto end = std::min(names.find('|'), names.size());
            value = header(names.substr(0, end));
            names.remove_prefix(std::min(end + 1, names.size()));
        }
        return value;
    };
    const auto& shop = *source.shop;
    const auto signature = first_of(shop.signature_header);
    bool is_signed = false;
    for (const auto& secret : source.secrets)
        is_signed |= equal_in_constant_time(sign_body(secret, body), signature);
    if (!is_signed) return std::nullopt;

    Webhook webhook;
    webhook.topic = shop.find(first_of(shop.topic_header));
    webhook.delivery.id = first_of(shop.delivery_header);
    webhook.delivery.shop = first_of(shop.shop_header);
    webhook.delivery.triggered_at = schema::parse_producer_time(first_of(shop.triggered_header));
    if (!source.shops.empty() &&
        std::ranges::find(source.shops, webhook.delivery.shop) == source.shops.end())
        return std::nullopt;
    return webhook;
}

} // namespace runtime
