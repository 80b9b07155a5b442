/// Klaviyo: an event of the person's profile, by which a flow of Klaviyo is triggered.
/// github.com/klaviyo/openapi, revision 2026-07-15; webhooks:
/// developers.klaviyo.com/en/docs/working_with_system_webhooks.
///
/// A journey's `call` is an event, too, or with `calls: profile` sets properties of the profile.
/// `unique_id` is the intent: Klaviyo takes the first event with it, so an unknown outcome may be
/// tried again. 202 means taken, not processed; of a bulk, too, whose events nothing tells apart.
#include "runtime/channels/message.hpp"
#include "runtime/channels/registry.hpp"
#include "runtime/foreign_json.hpp"
#include "runtime/signature.hpp"

namespace runtime {
namespace {

using journeys::FeedbackKind;
using nlohmann::json;

constexpr auto newest_revision = "2026-07-15";
constexpr std::size_t properties_max = 400;
constexpr std::size_t metric_bytes_max = 127;
constexpr std::size_t events_max = 1000;
/// A bulk has at most 5 MB: so many bytes for each of a thousand, all that we add included.
constexpr std::size_t bulk_payload_max = 4'000;

class Klaviyo final : public Provider {
public:
    explicit Klaviyo(ProviderSettings settings) : settings_(std::move(settings)) {}

    journeys::Result<HttpRequest> prepare(const actors::ProviderRequest& request,
                                          std::chrono::sys_seconds) const override {
        auto message = read_message(request);
        if (!message) return message.error();
        auto profile = profile_of(request);
        if (profile.empty()) return unknown_to_klaviyo();
        if (is_profile(*message)) {
            profile["properties"] = std::move(message->data);
            return call("/api/profile-import",
                        {{"data", {{"type", "profile"}, {"attributes", std::move(profile)}}}});
        }
        auto attributes = event_of(*message);
        if (!attributes) return too_many_properties();
        (*attributes)["profile"] = data_of("profile", std::move(profile));
        return call("/api/events", data_of("event", std::move(*attributes)));
    }

    std::size_t batch_max() const override { return events_max; }

    /// A repeated `unique_id` makes Klaviyo drop the whole bulk, so what may have arrived before
    /// goes alone.
    std::string batch_key(const actors::ProviderRequest& request) const override {
        const auto message = read_message(request);
        const bool may_share = message && request.attempt <= 1 && !is_profile(*message) &&
                               request.payload.size() <= bulk_payload_max;
        return may_share ? "events" : "";
    }

    journeys::Result<HttpRequest>
    prepare_batch(const std::vector<actors::ProviderRequest>& requests,
                  std::chrono::sys_seconds) const override {
        json entries = json::array();
        for (const auto& request : requests) {
            const auto message = read_message(request);
            if (!message) return message.error();
            auto profile = profile_of(request);
            if (profile.empty()) return unknown_to_klaviyo();
            auto event = event_of(*message);
            if (!event) return too_many_properties();
            json one{{"type", "event"}, {"attributes", std::move(*event)}};
            entries.push_back({{"type", "event-bulk-create"},
                               {"attributes",
                                {{"profile", data_of("profile", std::move(profile))},
                                 {"events", {{"data", json::array({std::move(one)})}}}}}});
        }
        return call("/api/event-bulk-create-jobs",
                    data_of("event-bulk-create-job",
                            {{"events-bulk-create", {{"data", std::move(entries)}}}}));
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
    static journeys::Error unknown_to_klaviyo() {
        return {journeys::ErrorCode::invalid_argument,
                "Klaviyo knows this customer by no id and no address"};
    }
    static journeys::Error too_many_properties() {
        return {journeys::ErrorCode::invalid_argument,
                "an event of Klaviyo has at most 400 properties"};
    }
    static json data_of(const char* type, json attributes) {
        return {{"data", {{"type", type}, {"attributes", std::move(attributes)}}}};
    }

    bool is_profile(const Message& message) const {
        return message.is_call && settings_.option("calls") == "profile";
    }

    /// Ids of one's own space only: an anonymous id would make a profile of its own. Empty: nobody.
    json profile_of(const actors::ProviderRequest& request) const {
        json profile = json::object();
        if (request.customer.space == journeys::IdNamespace::user)
            profile["external_id"] = request.customer.value;
        if (settings_.address == "email" && !request.address.empty())
            profile["email"] = request.address;
        if (settings_.address == "phone" && !request.address.empty())
            profile["phone_number"] = request.address;
        return profile;
    }

    /// The event without its profile; nothing where it has too many properties. No Result: a json
    /// would be taken for an error, too.
    std::optional<json> event_of(const Message& message) const {
        auto properties = message.data;
        if (properties.size() + 5 > properties_max) return std::nullopt;
        properties["sojourn_intent"] = message.intent;
        properties["journey"] = message.journey;
        properties["step"] = message.step;
        if (!message.unsubscribe_url.empty()) {
            properties["unsubscribe_url"] = message.unsubscribe_url;
            properties["preferences_url"] = message.preferences_url;
        }
        const auto* mapped = settings_.template_id(message.template_name);
        auto metric = mapped ? *mapped : message.template_name;
        if (metric.empty()) metric = message.journey;
        metric.resize(std::min(metric.size(), metric_bytes_max));
        json attributes{{"properties", std::move(properties)},
                        {"unique_id", message.intent},
                        {"metric", data_of("metric", {{"name", metric}})}};
        if (!message.at.empty()) attributes["time"] = message.at;
        return attributes;
    }

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
