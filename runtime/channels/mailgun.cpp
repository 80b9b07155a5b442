/// Mailgun. documentation.mailgun.com: POST /v3/{domain}/messages, webhooks.
///
/// There is no idempotency key; `v:intent` comes back in every report.
#include "runtime/channels/message.hpp"
#include "runtime/channels/registry.hpp"
#include "runtime/channels/signature.hpp"

namespace runtime {
namespace {

using journeys::FeedbackKind;
using nlohmann::json;

class Mailgun final : public Provider {
public:
    explicit Mailgun(ProviderSettings settings) : settings_(std::move(settings)) {}

    journeys::Result<HttpRequest> prepare(const actors::ProviderRequest& request,
                                          std::chrono::sys_seconds) const override {
        const auto message = read_message(request);
        if (!message) return message.error();
        std::vector<std::pair<std::string, std::string>> fields{
            {"from", message->from.empty() ? settings_.from : message->from},
            {"to", request.address},
            {"v:intent", message->intent}};
        if (!message->journey.empty()) fields.emplace_back("o:tag", message->journey);
        if (settings_.option("test_mode") == "true") fields.emplace_back("o:testmode", "yes");
        if (message->is_marketing && !message->unsubscribe_url.empty()) {
            fields.emplace_back("h:List-Unsubscribe", '<' + message->unsubscribe_url + '>');
            fields.emplace_back("h:List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
        }
        if (const auto* id = settings_.template_id(message->template_name)) {
            auto variables = message->data;
            variables["unsubscribe_url"] = message->unsubscribe_url;
            variables["preferences_url"] = message->preferences_url;
            fields.emplace_back("template", *id);
            fields.emplace_back("t:variables", to_text(variables));
        } else if (message->rendered) {
            fields.emplace_back("subject", message->rendered->subject);
            fields.emplace_back("text", plain_text(message->rendered->body));
            if (is_html(message->rendered->body))
                fields.emplace_back("html", message->rendered->body);
        } else {
            return journeys::Error{journeys::ErrorCode::invalid_argument,
                                   "no template of Mailgun is named for " + message->template_name};
        }
        HttpRequest http;
        http.url = (settings_.url.empty() ? "https://api.mailgun.net" : settings_.url) + "/v3/" +
                   percent_encode(settings_.option("domain")) + "/messages";
        http.user = "api:" + settings_.option("key");
        http.timeout = settings_.timeout;
        http.headers = {{"content-type", "application/x-www-form-urlencoded"}};
        http.body = to_form(fields);
        return http;
    }

    actors::ProviderOutcome classify(const HttpResponse& response) const override {
        auto outcome = classify_api(response);
        if (outcome.kind == actors::ProviderOutcome::Kind::accepted)
            outcome.detail = code_text(text_at(parse_json(response.body), "id"), 128);
        return outcome;
    }

    journeys::Result<Reports> feedback(const ReportRequest& request) const override {
        const auto& secret = settings_.option("feedback_key");
        if (secret.empty())
            return journeys::Error{journeys::ErrorCode::not_found,
                                   "feedback_key, the webhooks' signing key, is not set"};
        const auto body = parse_json(request.body);
        if (!body.is_object() || !body.contains("signature") || !body.contains("event-data"))
            return journeys::Error{journeys::ErrorCode::invalid_argument,
                                   "no signature and event-data"};
        const auto& signature = body["signature"];
        const auto expected = hex_text(
            hmac_sha256(secret, text_at(signature, "timestamp") + text_at(signature, "token")));
        if (!equal_secret(text_at(signature, "signature"), expected))
            return journeys::Error{journeys::ErrorCode::unauthorized, "the signature is not right"};
        Reports all;
        if (auto report = read(body["event-data"], request.now))
            all.reports.push_back(std::move(*report));
        return all;
    }

private:
    static std::optional<Report> read(const json& event, std::chrono::sys_seconds now) {
        const auto name = text_at(event, "event");
        if (!event.is_object()) return std::nullopt;
        Report report;
        report.id = text_at(event, "id");
        report.at = epoch_at(event, "timestamp").value_or(now);
        report.address = text_at(event, "recipient");
        report.intent = journeys::parse_intent_id(
                            text_at(event.value("user-variables", json::object()), "intent"))
                            .value_or(journeys::IntentId{});
        const auto client = event.value("client-info", json::object());
        report.machine = !text_at(client, "bot").empty();
        if (name == "delivered") {
            report.kind = FeedbackKind::delivered;
        } else if (name == "opened") {
            report.kind = FeedbackKind::opened;
        } else if (name == "clicked") {
            report.kind = FeedbackKind::clicked;
            report.link = text_at(event, "url");
        } else if (name == "failed") {
            // A passing failure is tried again by Mailgun; `suppress-…` repeats an older report.
            if (text_at(event, "severity") != "permanent") return std::nullopt;
            const auto reason = text_at(event, "reason");
            const bool was_suppressed = reason.starts_with("suppress-");
            report.kind = was_suppressed && reason != "suppress-bounce" ? FeedbackKind::failed
                                                                        : FeedbackKind::bounced;
            report.permanent = report.kind == FeedbackKind::bounced;
            report.detail = code_text(reason);
        } else if (name == "rejected") {
            report.kind = FeedbackKind::failed;
        } else if (name == "complained") {
            report.kind = FeedbackKind::complained;
        } else if (name == "unsubscribed") {
            report.kind = FeedbackKind::unsubscribed;
        } else {
            return std::nullopt;
        }
        return report;
    }

    ProviderSettings settings_;
};

} // namespace

std::unique_ptr<Provider> make_mailgun(ProviderSettings settings) {
    return std::make_unique<Mailgun>(std::move(settings));
}

} // namespace runtime
