/// Postmark. postmarkapp.com/developer: /email, /email/batch, their template variants, webhooks.
///
/// There is no idempotency key; `Metadata` carries the intent. A batch answers 200 even where items
/// failed, so each item's own answer is read, in the order of the request.
#include "runtime/base64.hpp"
#include "runtime/channels/message.hpp"
#include "runtime/channels/registry.hpp"
#include "runtime/foreign_json.hpp"
#include "runtime/signature.hpp"

namespace runtime {
namespace {

using journeys::FeedbackKind;
using nlohmann::json;
using Kind = actors::ProviderOutcome::Kind;

constexpr std::size_t messages_max = 500;
constexpr int inactive_recipient = 406;
/// Of an item: 100 is maintenance, 429 too many requests. postmarkapp.com/developer/api/overview.
constexpr int maintenance = 100, too_many = 429;

class Postmark final : public Provider {
public:
    explicit Postmark(ProviderSettings settings) : settings_(std::move(settings)) {}

    journeys::Result<HttpRequest> prepare(const actors::ProviderRequest& request,
                                          std::chrono::sys_seconds) const override {
        const auto message = item(request);
        if (!message) return not_possible();
        return call(message->contains("TemplateAlias") ? "/email/withTemplate" : "/email",
                    *message);
    }

    std::size_t batch_max() const override { return messages_max; }

    std::string batch_key(const actors::ProviderRequest& request) const override {
        const auto message = read_message(request);
        if (!message) return {};
        return settings_.template_id(message->template_name) ? "template" : "text";
    }

    journeys::Result<HttpRequest>
    prepare_batch(const std::vector<actors::ProviderRequest>& requests,
                  std::chrono::sys_seconds) const override {
        json items = json::array();
        for (const auto& request : requests) {
            auto message = item(request);
            if (!message) return not_possible();
            items.push_back(std::move(*message));
        }
        if (items.front().contains("TemplateAlias"))
            return call("/email/batchWithTemplates", json{{"Messages", std::move(items)}});
        return call("/email/batch", items);
    }

    actors::ProviderOutcome classify(const HttpResponse& response) const override {
        return classify_item(classify_api(response), parse_json(response.body));
    }

    std::vector<actors::ProviderOutcome> classify_batch(const HttpResponse& response,
                                                        std::size_t messages) const override {
        const auto whole = classify_api(response);
        std::vector outcomes(messages, whole);
        if (whole.kind != Kind::accepted) return outcomes;
        const auto items = parse_json(response.body);
        for (std::size_t i = 0; i < messages; ++i) {
            if (items.is_array() && i < items.size()) {
                outcomes[i] = classify_item(whole, items[i]);
            } else {
                outcomes[i].kind = Kind::unknown; // Taken, and it does not say what became of it.
                outcomes[i].detail = "the answer does not name it";
            }
        }
        return outcomes;
    }

    std::optional<Report> revealed(const HttpResponse& response) const override {
        return revealed_by(parse_json(response.body));
    }

    std::optional<Report> revealed_in_batch(const HttpResponse& response,
                                            std::size_t place) const override {
        const auto items = parse_json(response.body);
        if (!items.is_array() || place >= items.size()) return std::nullopt;
        return revealed_by(items[place]);
    }

    journeys::Result<Reports> feedback(const ReportRequest& request) const override {
        const auto& secret = settings_.option("feedback_key");
        if (secret.empty())
            return journeys::Error{journeys::ErrorCode::not_found,
                                   "feedback_key, name:password of the webhook, is not set"};
        if (!equal_secret(request.header("authorization"), "Basic " + to_base64(secret)))
            return journeys::Error{journeys::ErrorCode::unauthorized,
                                   "the name or password is not right"};
        const auto body = parse_json(request.body);
        if (!body.is_object())
            return journeys::Error{journeys::ErrorCode::invalid_argument, "no object"};
        Reports all;
        if (auto report = read(body, request.now)) all.reports.push_back(std::move(*report));
        return all;
    }

private:
    static journeys::Error not_possible() {
        return {journeys::ErrorCode::invalid_argument,
                "there is neither a template of Postmark nor one to render"};
    }

    /// Nothing where there is neither. No Result: a json would be taken for an error, too.
    std::optional<json> item(const actors::ProviderRequest& request) const {
        const auto message = read_message(request);
        if (!message) return std::nullopt;
        json made{{"From", message->from.empty() ? settings_.from : message->from},
                  {"To", request.address},
                  {"MessageStream", settings_.option("stream").empty()
                                        ? (message->is_marketing ? "broadcast" : "outbound")
                                        : settings_.option("stream")},
                  {"Metadata", {{"intent", message->intent}}}};
        if (!message->journey.empty()) made["Tag"] = message->journey;
        if (message->is_marketing && !message->unsubscribe_url.empty())
            made["Headers"] = json::array(
                {{{"Name", "List-Unsubscribe"}, {"Value", '<' + message->unsubscribe_url + '>'}},
                 {{"Name", "List-Unsubscribe-Post"}, {"Value", "List-Unsubscribe=One-Click"}}});
        if (const auto* id = settings_.template_id(message->template_name)) {
            auto model = message->data;
            model["unsubscribe_url"] = message->unsubscribe_url;
            model["preferences_url"] = message->preferences_url;
            made["TemplateAlias"] = *id;
            made["TemplateModel"] = std::move(model);
        } else if (message->rendered) {
            made["Subject"] = message->rendered->subject;
            made["TextBody"] = plain_text(message->rendered->body);
            if (is_html(message->rendered->body)) made["HtmlBody"] = message->rendered->body;
        } else {
            return std::nullopt;
        }
        return made;
    }

    HttpRequest call(const std::string& path, const json& body) const {
        HttpRequest http;
        http.url = (settings_.url.empty() ? "https://api.postmarkapp.com" : settings_.url) + path;
        http.timeout = settings_.timeout;
        http.headers = {{"accept", "application/json"},
                        {"content-type", "application/json"},
                        {"x-postmark-server-token", settings_.option("key")}};
        http.body = to_text(body);
        return http;
    }

    static int error_code(const json& item) {
        if (!item.is_object() || !item.contains("ErrorCode") ||
            !item["ErrorCode"].is_number_integer())
            return 0;
        return item["ErrorCode"].get<int>();
    }

    static std::optional<Report> revealed_by(const json& item) {
        if (error_code(item) != inactive_recipient) return std::nullopt;
        Report report;
        report.kind = FeedbackKind::bounced;
        report.permanent = true;
        report.detail = "inactive";
        return report;
    }

    static actors::ProviderOutcome classify_item(actors::ProviderOutcome outcome,
                                                 const json& item) {
        const int code = error_code(item);
        if (code == 0) {
            if (outcome.kind == Kind::accepted)
                outcome.detail = code_text(text_at(item, "MessageID"));
            return outcome;
        }
        outcome.detail += " code " + std::to_string(code);
        // 422 with the account's state in its code is about all messages, not about this one.
        if (outcome.kind == Kind::accepted || outcome.kind == Kind::rejected)
            outcome.kind = code == maintenance || code == too_many ? Kind::retry : Kind::rejected;
        return outcome;
    }

    static std::optional<Report> read(const json& body, std::chrono::sys_seconds now) {
        const auto type = text_at(body, "RecordType");
        Report report;
        report.address = text_at(body, "Recipient");
        if (report.address.empty()) report.address = text_at(body, "Email");
        if (const auto metadata = body.find("Metadata"); metadata != body.end())
            report.intent = journeys::parse_intent_id(text_at(*metadata, "intent"))
                                .value_or(journeys::IntentId{});
        const char* at = "ReceivedAt";
        if (type == "Delivery") {
            report.kind = FeedbackKind::delivered;
            at = "DeliveredAt";
        } else if (type == "Bounce") {
            report.kind = FeedbackKind::bounced;
            report.permanent = text_at(body, "Type") == "HardBounce" || flag_at(body, "Inactive");
            report.detail = code_text(text_at(body, "Type"));
            at = "BouncedAt";
        } else if (type == "SpamComplaint") {
            report.kind = FeedbackKind::complained;
            at = "BouncedAt";
        } else if (type == "Open") {
            report.kind = FeedbackKind::opened;
            // Apple's proxy fetches everything; Postmark names the client that did it.
            const auto client = body.value("Client", json::object());
            const auto agent = text_at(body, "UserAgent");
            report.machine = text_at(client, "Name").find("Apple") != std::string::npos &&
                             agent == "Mozilla/5.0";
        } else if (type == "Click") {
            report.kind = FeedbackKind::clicked;
            report.link = text_at(body, "OriginalLink");
        } else if (type == "SubscriptionChange") {
            const bool suppressed = flag_at(body, "SuppressSending");
            const auto reason = text_at(body, "SuppressionReason");
            report.kind = !suppressed                 ? FeedbackKind::resubscribed
                          : reason == "HardBounce"    ? FeedbackKind::bounced
                          : reason == "SpamComplaint" ? FeedbackKind::complained
                                                      : FeedbackKind::unsubscribed;
            report.permanent = report.kind == FeedbackKind::bounced;
            at = "ChangedAt";
        } else {
            return std::nullopt;
        }
        report.at = time_at(body, at).value_or(now);
        // One message can be opened and clicked often; each time has its own instant.
        report.id = type + ':' + text_at(body, "MessageID") + ':' + text_at(body, at);
        return report;
    }

    ProviderSettings settings_;
};

} // namespace

std::unique_ptr<Provider> make_postmark(ProviderSettings settings) {
    return std::make_unique<Postmark>(std::move(settings));
}

} // namespace runtime
