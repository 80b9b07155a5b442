/// Klaviyo: an event of the person's profile, by which a flow of Klaviyo is triggered.
/// github.com/klaviyo/openapi, revision 2026-07-15; webhooks:
/// developers.klaviyo.com/en/docs/working_with_system_webhooks.
///
/// A journey's `call` is an event, too, or with `calls: profile` sets properties of the profile.
/// `unique_id` is the intent: Klaviyo takes the first event with it, so an unknown outcome may be
/// tried again. 202 means taken, not processed.
#include "runtime/channels/message.hpp"
#include "runtime/channels/registry.hpp"
#include "runtime/channels/signature.hpp"

namespace runtime {
namespace {

using journeys::FeedbackKind;
using nlohmann::json;

constexpr auto newest_revision = "2026-07-15";
constexpr std::size_t properties_max = 400;
constexpr std::size_t metric_bytes_max = 127;

class Klaviyo final : public Provider {
public:
    explicit Klaviyo(ProviderSettings settings) : settings_(std::move(settings)) {}

    journeys::Result<HttpRequest> prepare(const actors::ProviderRequest& request,
                                          std::chrono::sys_seconds) const override {
        auto message = read_message(request);
        if (!message) return message.error();
        json profile = json::object();
        // Ids of one's own space only: an anonymous id would make a profile of its own.
        if (request.customer.space == journeys::IdNamespace::user)
            profile["external_id"] = request.customer.value;
        if (settings_.address == "email" && !request.address.empty())
            profile["email"] = request.address;
        if (settings_.address == "phone" && !request.address.empty())
            profile["phone_number"] = request.address;
        if (profile.empty())
            return journeys::Error{journeys::ErrorCode::invalid_argument,
                                   "Klaviyo knows this customer by no id and no address"};
        if (message->is_call && settings_.option("calls") == "profile") {
            profile["properties"] = std::move(message->data);
            return call("/api/profile-import",
                        {{"data", {{"type", "profile"}, {"attributes", std::move(profile)}}}});
        }
        auto properties = std::move(message->data);
        if (properties.size() + 5 > properties_max)
            return journeys::Error{journeys::ErrorCode::invalid_argument,
                                   "an event of Klaviyo has at most 400 properties"};
        properties["sojourn_intent"] = message->intent;
        properties["journey"] = message->journey;
        properties["step"] = message->step;
        if (!message->unsubscribe_url.empty()) {
            properties["unsubscribe_url"] = message->unsubscribe_url;
            properties["preferences_url"] = message->preferences_url;
        }
        const auto* mapped = settings_.template_id(message->template_name);
        auto metric = mapped ? *mapped : message->template_name;
        if (metric.empty()) metric = message->journey;
        metric.resize(std::min(metric.size(), metric_bytes_max));
        json attributes{
            {"properties", std::move(properties)},
            {"unique_id", message->intent},
            {"metric", {{"data", {{"type", "metric"}, {"attributes", {{"name", metric}}}}}}},
            {"profile", {{"data", {{"type", "profile"}, {"attributes", std::move(profile)}}}}}};
        if (!message->at.empty()) attributes["time"] = message->at;
        return call("/api/events",
                    {{"data", {{"type", "event"}, {"attributes", std::move(attributes)}}}});
    }

    actors::ProviderOutcome classify(const HttpResponse& response) const override {
        auto outcome = classify_api(response);
        if (outcome.kind == actors::ProviderOutcome::Kind::accepted) return outcome;
        const auto body = parse_json(response.body);
        if (body.is_object() && body.contains("errors") && body["errors"].is_array() &&
            !body["errors"].empty())
            outcome.detail += ' ' + code_text(text_at(body["errors"][0], "code"));
        return outcome;
    }

    journeys::Result<Reports> feedback(const ReportRequest& request) const override {
        const auto& secret = settings_.option("feedback_key");
        if (secret.empty())
            return journeys::Error{journeys::ErrorCode::not_found,
                                   "feedback_key, the webhook's secret, is not set"};
        const std::string timestamp{request.header("klaviyo-timestamp")};
        if (!equal_secret(request.header("klaviyo-signature"),
                          hex_text(hmac_sha256(secret, request.body + timestamp))))
            return journeys::Error{journeys::ErrorCode::unauthorized, "the signature is not right"};
        const auto body = parse_json(request.body);
        if (!body.is_object() || !body.contains("data") || !body["data"].is_array())
            return journeys::Error{journeys::ErrorCode::invalid_argument, "no data"};
        Reports all;
        for (const auto& event : body["data"])
            if (auto report = read(event, request.now)) all.reports.push_back(std::move(*report));
        return all;
    }

private:
    HttpRequest call(const std::string& path, const json& body) const {
        HttpRequest http;
        http.url = (settings_.url.empty() ? "https://a.klaviyo.com" : settings_.url) + path;
        http.timeout = settings_.timeout;
        const auto& revision = settings_.option("revision");
        http.headers = {{"authorization", "Klaviyo-API-Key " + settings_.option("key")},
                        {"revision", revision.empty() ? newest_revision : revision},
                        {"accept", "application/vnd.api+json"},
                        {"content-type", "application/vnd.api+json"}};
        http.body = to_text(body);
        return http;
    }

    static std::optional<Report> read(const json& event, std::chrono::sys_seconds now) {
        static constexpr std::pair<std::string_view, FeedbackKind> topics[]{
            {"email_delivered", FeedbackKind::delivered},
            {"received_email", FeedbackKind::delivered},
            {"opened_email", FeedbackKind::opened},
            {"clicked_email", FeedbackKind::clicked},
            {"bounced_email", FeedbackKind::bounced},
            {"dropped_email", FeedbackKind::failed},
            {"marked_email_as_spam", FeedbackKind::complained},
            {"unsubscribed_from_email_marketing", FeedbackKind::unsubscribed},
            {"unsubscribed", FeedbackKind::unsubscribed},
            {"subscribed_to_email_marketing", FeedbackKind::resubscribed},
            {"received_sms", FeedbackKind::delivered},
            {"clicked_sms", FeedbackKind::clicked},
            {"failed_to_deliver_sms", FeedbackKind::failed},
            {"unsubscribed_from_sms_marketing", FeedbackKind::unsubscribed}};
        auto topic = text_at(event, "topic");
        if (const auto colon = topic.find(':'); colon != std::string::npos)
            topic.erase(0, colon + 1);
        if (topic.starts_with("klaviyo.")) topic.erase(0, 8);
        Report report;
        bool is_known = false;
        for (const auto& [name, kind] : topics)
            if (topic == name) {
                report.kind = kind;
                is_known = true;
            }
        if (!is_known || !event.contains("payload")) return std::nullopt;
        report.id = text_at(event, "external_id");
        const auto* const payload = &event["payload"];
        const auto* const data =
            payload->is_object() && payload->contains("data") ? &(*payload)["data"] : payload;
        if (report.id.empty()) report.id = text_at(*data, "id");
        const auto attributes =
            data->is_object() ? data->value("attributes", json::object()) : json::object();
        const auto properties = attributes.is_object()
                                    ? attributes.value("event_properties", json::object())
                                    : json::object();
        report.at = time_at(attributes, "datetime").value_or(now);
        for (const auto* key : {"sojourn_intent", "$sojourn_intent"})
            if (const auto id = journeys::parse_intent_id(text_at(properties, key)))
                report.intent = *id;
        report.permanent =
            report.kind == FeedbackKind::bounced && text_at(properties, "Bounce Type") != "Soft";
        report.machine = flag_at(properties, "machine_open") || flag_at(properties, "Bot Click");
        report.link = text_at(properties, "URL");
        report.address = text_at(properties, "Recipient Email Address");
        if (payload->is_object())
            for (const auto& included : payload->value("included", json::array())) {
                if (text_at(included, "type") != "profile") continue;
                const auto profile = included.value("attributes", json::object());
                report.customer = text_at(profile, "external_id");
                if (report.address.empty()) report.address = text_at(profile, "email");
            }
        return report;
    }

    ProviderSettings settings_;
};

} // namespace

std::unique_ptr<Provider> make_klaviyo(ProviderSettings settings) {
    return std::make_unique<Klaviyo>(std::move(settings));
}

} // namespace runtime
