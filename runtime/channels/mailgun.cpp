/// Mailgun. documentation.mailgun.com: POST /v3/{domain}/messages, webhooks.
///
/// There is no idempotency key; `v:intent` comes back in every report. A batch has
/// `recipient-variables`, without which every recipient would see all others; it is taken or
/// refused as a whole.
/// documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/batch-sending
#include "runtime/channels/message.hpp"
#include "runtime/channels/registry.hpp"
#include "runtime/channels/spent_tokens.hpp"
#include "runtime/foreign_json.hpp"
#include "runtime/signature.hpp"
#include "runtime/url_text.hpp"

#include <cstring>

namespace runtime {
namespace {

using journeys::FeedbackKind;
using nlohmann::json;
using Fields = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t recipients_max = 1000;
/// Mailgun tries for eight hours to bring a report, and warns of delays of its own.
/// documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
constexpr SpentTokens::Bounds signatures{.age_max = std::chrono::hours{12},
                                         .ahead_max = std::chrono::minutes{15},
                                         .tokens_max = 500'000};
/// Of one report. The signature stands inside, so this much is read of anybody.
constexpr std::size_t report_bytes_max = 256 * 1024;

/// What differs from recipient to recipient: in a batch a mark, which Mailgun fills in; alone the
/// value itself, for then it fills in nothing.
struct Own {
    bool is_batch = false;
    json values = json::object();

    std::string operator()(const char* name, const std::string& value) {
        if (!is_batch) return value;
        values[name] = value;
        return std::string{"%recipient."} + name + '%';
    }
};

class Mailgun final : public Provider {
public:
    explicit Mailgun(ProviderSettings settings) : settings_(std::move(settings)) {}

    journeys::Result<HttpRequest> prepare(const actors::ProviderRequest& request,
                                          std::chrono::sys_seconds now) const override {
        return prepare_batch({request}, now);
    }

    std::size_t batch_max() const override { return recipients_max; }

    /// What Mailgun writes into a message for each recipient it does not escape, and its template
    /// cannot branch on; so of its own templates only those with the same data go together.
    std::string batch_key(const actors::ProviderRequest& request) const override {
        const auto message = read_message(request);
        // A mark in the text itself would be filled in, too.
        if (!message || request.payload.find("%recipient") != std::string::npos) return {};
        const auto* id = settings_.template_id(message->template_name);
        if (!id && !message->rendered) return {};
        // Both have a part in HTML, or neither has.
        const bool has_html = message->rendered && is_html(message->rendered->body);
        return (id         ? *id + '\n' + to_text(message->data)
                : has_html ? "html"
                           : "text") +
               '\n' + message->from + '\n' + message->journey + '\n' +
               (message->unsubscribe_url.empty() || !message->is_marketing ? "" : "list");
    }

    journeys::Result<HttpRequest>
    prepare_batch(const std::vector<actors::ProviderRequest>& requests,
                  std::chrono::sys_seconds) const override {
        Fields fields;
        json variables = json::object();
        const bool is_batch = requests.size() > 1;
        for (std::size_t i = 0; i < requests.size(); ++i) {
            const auto message = read_message(requests[i]);
            if (!message) return message.error();
            Own own{is_batch};
            fields = fields_of(*message, own);
            if (fields.empty())
                return journeys::Error{journeys::ErrorCode::invalid_argument,
                                       "no template of Mailgun is named for " +
                                           message->template_name};
            variables[requests[i].address] = std::move(own.values);
        }
        for (const auto& request : requests) fields.emplace_back("to", request.address);
        if (is_batch) fields.emplace_back("recipient-variables", to_text(variables));
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
        if (request.body.size() > report_bytes_max)
            return journeys::Error{journeys::ErrorCode::invalid_argument,
                                   "a report of Mailgun has at most " +
                                       std::to_string(report_bytes_max) + " bytes"};
        const auto body = parse_json(request.body);
        if (!body.is_object() || !body.contains("signature") || !body.contains("event-data"))
            return journeys::Error{journeys::ErrorCode::invalid_argument,
                                   "no signature and event-data"};
        const auto& signature = body["signature"];
        const auto expected = hex_text(
            hmac_sha256(secret, text_at(signature, "timestamp") + text_at(signature, "token")));
        if (!equal_secret(text_at(signature, "signature"), expected))
            return journeys::Error{journeys::ErrorCode::unauthorized, "the signature is not right"};
        if (!is_first_use(signature, body["event-data"], request.now))
            return journeys::Error{journeys::ErrorCode::unauthorized,
                                   "the signature is too old, or was used for something else"};
        Reports all;
        if (auto report = read(body["event-data"], request.now))
            all.reports.push_back(std::move(*report));
        return all;
    }

private:
    /// The signature says nothing of the event: whoever has seen one could put any event beside it.
    bool is_first_use(const json& signature, const json& event,
                      std::chrono::sys_seconds now) const {
        const auto at = epoch_at(signature, "timestamp");
        if (!at) return false;
        // By a key, so that no other event can be made to fit.
        const auto digest = hmac_sha256(settings_.option("feedback_key"), to_text(event));
        std::uint64_t content = 0;
        std::memcpy(&content, digest.data(), sizeof content);
        return spent_.spend(std::chrono::floor<std::chrono::seconds>(*at),
                            text_at(signature, "token"), content, now);
    }

    /// All but the recipients; empty where there is neither a template nor a text.
    Fields fields_of(const Message& message, Own& own) const {
        Fields fields{{"from", message.from.empty() ? settings_.from : message.from},
                      {"v:intent", own("intent", message.intent)}};
        if (!message.journey.empty()) fields.emplace_back("o:tag", message.journey);
        if (settings_.option("test_mode") == "true") fields.emplace_back("o:testmode", "yes");
        const auto unsubscribe = own("unsubscribe_url", message.unsubscribe_url);
        if (message.is_marketing && !message.unsubscribe_url.empty()) {
            fields.emplace_back("h:List-Unsubscribe", '<' + unsubscribe + '>');
            fields.emplace_back("h:List-Unsubscribe-Post", "List-Unsubscribe=One-Click");
        }
        if (const auto* id = settings_.template_id(message.template_name)) {
            auto variables = message.data;
            variables["unsubscribe_url"] = unsubscribe;
            variables["preferences_url"] = own("preferences_url", message.preferences_url);
            fields.emplace_back("template", *id);
            fields.emplace_back("t:variables", to_text(variables));
        } else if (message.rendered) {
            const auto& body = message.rendered->body;
            fields.emplace_back("subject", own("subject", message.rendered->subject));
            fields.emplace_back("text", own("text", plain_text(body)));
            if (is_html(body)) fields.emplace_back("html", own("html", body));
        } else {
            fields.clear();
        }
        return fields;
    }

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
    mutable SpentTokens spent_{signatures};
};

} // namespace

std::unique_ptr<Provider> make_mailgun(ProviderSettings settings) {
    return std::make_unique<Mailgun>(std::move(settings));
}

} // namespace runtime
