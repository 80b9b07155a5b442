#include "runtime/channels/webhook.hpp"

#include "journeys/packed.hpp"
#include "journeys/time.hpp"
#include "runtime/base64.hpp"
#include "runtime/signature.hpp"

namespace runtime {
namespace {

constexpr std::string_view secret_prefix = "whsec_";
/// The endpoint wants no more; Standard Webhooks has the sender disable it.
constexpr long gone = 410;

class Webhook final : public Provider {
public:
    Webhook(WebhookSettings settings, std::string key)
        : settings_(std::move(settings)), key_(std::move(key)) {}

    journeys::Result<HttpRequest> prepare(const actors::ProviderRequest& request,
                                          std::chrono::sys_seconds now) const override {
        HttpRequest http;
        http.url = settings_.url;
        http.timeout = settings_.timeout;
        // The payload is the data, as it was frozen; so every attempt has the same bytes.
        http.body = R"({"type":"message.triggered","address":)";
        journeys::append_json_string(http.body, request.address);
        http.body += ",\"data\":" + request.payload + '}';
        const auto id = journeys::to_text(request.intent);
        const auto timestamp = now.time_since_epoch().count();
        http.headers = {{"content-type", "application/json"},
                        {"user-agent", "sojourn"},
                        {"webhook-id", id},
                        {"webhook-timestamp", std::to_string(timestamp)}};
        if (!key_.empty())
            http.headers.emplace_back("webhook-signature",
                                      sign_webhook(key_, id, timestamp, http.body));
        return http;
    }

    actors::ProviderOutcome classify(const HttpResponse& response) const override {
        auto outcome = classify_by_status(response);
        if (response.status == gone) {
            outcome.kind = actors::ProviderOutcome::Kind::retry;
            outcome.stops_channel = true;
        }
        return outcome;
    }

private:
    WebhookSettings settings_;
    std::string key_;
};

} // namespace

std::string sign_webhook(const std::string& key, const std::string& id, std::int64_t timestamp,
                         const std::string& body) {
    const auto text = id + '.' + std::to_string(timestamp) + '.' + body;
    return "v1," + to_base64(hmac_sha256(key, text));
}

journeys::Result<std::unique_ptr<Provider>> make_webhook(WebhookSettings settings) {
    std::string key;
    if (!settings.secret.empty()) {
        const std::string_view secret = settings.secret;
        auto decoded = secret.starts_with(secret_prefix)
                           ? from_base64(secret.substr(secret_prefix.size()))
                           : std::nullopt;
        if (!decoded || decoded->size() < 24 || decoded->size() > 64) {
            return journeys::Error{journeys::ErrorCode::invalid_argument,
                                   "a webhook's secret is whsec_ and the base64 of 24 to 64 bytes"};
        }
        key = std::move(*decoded);
    }
    return std::unique_ptr<Provider>{
        std::make_unique<Webhook>(std::move(settings), std::move(key))};
}

} // namespace runtime
