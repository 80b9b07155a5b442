#include "runtime/listener/webhook_source.hpp"

#include "journeys/ids.hpp"
#include "runtime/base64.hpp"
#include "runtime/signature.hpp"
#include "schema/timestamp_text.hpp"

#include <algorithm>

namespace runtime {

std::uint64_t WebhookSource::id() const { return journeys::hash(name, journeys::hash("source")); }

std::string sign_body(std::string_view secret, std::string_view body) {
    return to_base64(hmac_sha256(secret, body));
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
        is_signed |= equal_secret(sign_body(secret, body), signature);
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
