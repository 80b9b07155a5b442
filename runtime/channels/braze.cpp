/// Braze: a campaign or a canvas is triggered, or an event is tracked. braze.com/docs/api, and for
/// reports Currents' custom HTTP connector and the postbacks of transactional campaigns.
///
/// A template names `campaign:ID` (or an id alone), `canvas:ID`, or `transactional:ID`; a journey's
/// `call` becomes an event of /users/track. Only a transactional send has an idempotency key
/// (`external_send_id`, kept for a day), so only where all are such the channel may be said to
/// deduplicate. Braze's own people are at most 50 in one request.
///
/// Currents names the person and the dispatch, and of a message's own data only what its author
/// asks for (braze.com/docs: message_extras). With
///
///     {% message_extras :key sojourn_intent :value {{api_trigger_properties.${sojourn_intent}}} %}
///
/// in the message (in a canvas `canvas_entry_properties`) the event of its sending names our intent
/// and settles an `unknown`. Without it Braze never tells what became of a call whose answer was
/// lost. The other events find the intent by the dispatch that the answer named.
#include "runtime/channels/message.hpp"
#include "runtime/channels/registry.hpp"
#include "runtime/foreign_json.hpp"
#include "runtime/signature.hpp"

namespace runtime {
namespace {

using journeys::FeedbackKind;
using nlohmann::json;

constexpr std::size_t recipients_max = 50;

class Braze final : public Provider {
public:
    explicit Braze(ProviderSettings settings) : settings_(std::move(settings)) {}

    journeys::Result<HttpRequest> prepare(const actors::ProviderRequest& message,
                                          std::chrono::sys_seconds now) const override {
        return prepare_batch({message}, now);
    }

    std::size_t batch_max() const override { return recipients_max; }

    std::string batch_key(const actors::ProviderRequest& request) const override {
        const auto message = read_message(request);
        if (!message) return {};
        if (message->is_call) return "track";
        const auto target = target_of(*message);
        return target.kind == "transactional" || target.id.empty() ? std::string{}
                                                                   : target.kind + ':' + target.id;
    }

    journeys::Result<HttpRequest>
    prepare_batch(const std::vector<actors::ProviderRequest>& requests,
                  std::chrono::sys_seconds) const override {
        std::vector<Message> messages;
        for (const auto& request : requests) {
            auto message = read_message(request);
            if (!message) return message.error();
            if (request.customer.space != journeys::IdNamespace::user)
                return journeys::Error{journeys::ErrorCode::invalid_argument,
                                       "Braze knows people by their user id; this one has none"};
            messages.push_back(std::move(*message));
        }
        HttpRequest http;
        http.timeout = settings_.timeout;
        http.headers = {{"authorization", "Bearer " + settings_.option("key")},
                        {"content-type", "application/json"}};
        if (messages.front().is_call) {
            json events = json::array();
            for (std::size_t i = 0; i < messages.size(); ++i)
                events.push_back({{"external_id", requests[i].customer.value},
                                  {"name", messages[i].journey + " " + messages[i].step},
                                  {"time", messages[i].at},
                                  {"properties", properties_of(messages[i])}});
            http.url = settings_.url + "/users/track";
            http.body = to_text({{"events", std::move(events)}});
            return http;
        }
        const auto target = target_of(messages.front());
        if (target.id.empty())
            return journeys::Error{journeys::ErrorCode::invalid_argument,
                                   "no campaign or canvas of Braze is named for " +
                                       messages.front().template_name};
        json body = json::object();
        if (target.kind == "transactional") {
            http.url = settings_.url + "/transactional/v1/campaigns/" + target.id + "/send";
            body["external_send_id"] = messages.front().intent;
            body["trigger_properties"] = properties_of(messages.front());
            body["recipient"] = {{"external_user_id", requests.front().customer.value}};
        } else {
            const bool is_canvas = target.kind == "canvas";
            http.url =
                settings_.url + (is_canvas ? "/canvas/trigger/send" : "/campaigns/trigger/send");
            body[is_canvas ? "canvas_id" : "campaign_id"] = target.id;
            body["recipients"] = json::array();
            for (std::size_t i = 0; i < messages.size(); ++i)
                body["recipients"].push_back(
                    {{"external_user_id", requests[i].customer.value},
                     {is_canvas ? "canvas_entry_properties" : "trigger_properties",
                      properties_of(messages[i])}});
        }
        http.body = to_text(body);
        return http;
    }

    actors::ProviderOutcome classify(const HttpResponse& response) const override {
        auto outcome = classify_api(response);
        const auto body = parse_json(response.body);
        if (outcome.kind != actors::ProviderOutcome::Kind::accepted) return outcome;
        if (const auto dispatch = text_at(body, "dispatch_id"); !dispatch.empty())
            outcome.detail = code_text(dispatch);
        // 201 can list errors that did not stop the rest; of a single message there is no rest.
        const bool has_errors = body.is_object() && body.contains("errors") &&
                                body["errors"].is_array() && !body["errors"].empty();
        if (has_errors && is_nothing_done(body)) {
            outcome.kind = actors::ProviderOutcome::Kind::rejected;
            outcome.detail = "HTTP " + std::to_string(response.status) + " with errors";
        }
        return outcome;
    }

    /// 201 can name items that it left out: `errors: [{type, input_array, index}]`. One that names
    /// none is about something that did not matter.
    std::vector<actors::ProviderOutcome> classify_batch(const HttpResponse& response,
                                                        std::size_t messages) const override {
        const auto whole = classify(response);
        std::vector outcomes(messages, whole);
        if (whole.kind != actors::ProviderOutcome::Kind::accepted) return outcomes;
        const auto body = parse_json(response.body);
        if (!body.is_object() || !body.contains("errors") || !body["errors"].is_array())
            return outcomes;
        for (const auto& error : body["errors"]) {
            if (!error.is_object() || !error.contains("index")) continue;
            const auto& index = error["index"];
            if (!index.is_number_unsigned() || index.get<std::uint64_t>() >= messages) continue;
            auto& outcome = outcomes[index.get<std::size_t>()];
            outcome.kind = actors::ProviderOutcome::Kind::rejected;
            outcome.detail = "HTTP " + std::to_string(response.status) + " leaves it out";
        }
        return outcomes;
    }

    journeys::Result<Reports> feedback(const ReportRequest& request) const override {
        const auto& secret = settings_.option("feedback_key");
        if (secret.empty())
            return journeys::Error{journeys::ErrorCode::not_found,
                                   "feedback_key, the bearer token of Currents, is not set"};
        if (!equal_secret(request.header("authorization"), "Bearer " + secret))
            return journeys::Error{journeys::ErrorCode::unauthorized, "the token is not right"};
        const auto body = parse_json(request.body);
        if (!body.is_object())
            return journeys::Error{journeys::ErrorCode::invalid_argument, "no object"};
        Reports all;
        if (const auto events = body.find("events"); events != body.end() && events->is_array()) {
            for (const auto& event : *events)
                if (auto report = read_event(event, request.now))
                    all.reports.push_back(std::move(*report));
        } else if (auto report = read_postback(body, request.now)) {
            all.reports.push_back(std::move(*report));
        }
        return all;
    }

private:
    struct Target {
        std::string kind, id;
    };
    Target target_of(const Message& message) const {
        const auto* mapped = settings_.template_id(message.template_name);
        const auto text = mapped ? *mapped : std::string{};
        const auto colon = text.find(':');
        if (colon == std::string::npos) return {"campaign", text};
        return {text.substr(0, colon), text.substr(colon + 1)};
    }

    static json properties_of(const Message& message) {
        auto properties = message.data;
        properties["sojourn_intent"] = message.intent;
        if (!message.unsubscribe_url.empty())
            properties["unsubscribe_url"] = message.unsubscribe_url;
        return properties;
    }

    static bool is_nothing_done(const json& body) {
        for (const auto* key : {"events_processed", "attributes_processed"})
            if (body.contains(key) && body[key] == 0) return true;
        return !body.contains("dispatch_id") && !body.contains("events_processed") &&
               !body.contains("attributes_processed");
    }

    /// Currents: `{id, event_type, user: {external_user_id}, time, properties: {…}}`.
    static std::optional<Report> read_event(const json& event, std::chrono::sys_seconds now) {
        static constexpr std::pair<std::string_view, FeedbackKind> types[]{
            {"users.messages.email.Send", FeedbackKind::sent},
            {"users.messages.sms.Send", FeedbackKind::sent},
            {"users.messages.whatsapp.Send", FeedbackKind::sent},
            {"users.messages.pushnotification.Send", FeedbackKind::sent},
            {"users.messages.email.Delivery", FeedbackKind::delivered},
            {"users.messages.email.Open", FeedbackKind::opened},
            {"users.messages.email.Click", FeedbackKind::clicked},
            {"users.messages.email.Bounce", FeedbackKind::bounced},
            {"users.messages.email.SoftBounce", FeedbackKind::bounced},
            {"users.messages.email.MarkAsSpam", FeedbackKind::complained},
            {"users.messages.email.Unsubscribe", FeedbackKind::unsubscribed},
            {"users.messages.sms.Delivery", FeedbackKind::delivered},
            {"users.messages.sms.DeliveryFailure", FeedbackKind::failed},
            {"users.messages.sms.Rejection", FeedbackKind::failed},
            {"users.messages.sms.ShortLinkClick", FeedbackKind::clicked}};
        const auto type = text_at(event, "event_type");
        Report report;
        bool is_known = false;
        for (const auto& [name, kind] : types)
            if (type == name) {
                report.kind = kind;
                is_known = true;
            }
        if (!is_known) return std::nullopt;
        report.id = text_at(event, "id");
        report.permanent = type == "users.messages.email.Bounce";
        report.at = epoch_at(event, "time").value_or(now);
        const auto properties = event.value("properties", json::object());
        if (const auto user = event.find("user"); user != event.end())
            report.customer = text_at(*user, "external_user_id");
        if (report.customer.empty()) report.customer = text_at(event, "external_user_id");
        report.address = text_at(properties, "email_address");
        const auto extras = parse_json(text_at(properties, "message_extras"));
        report.intent = journeys::parse_intent_id(text_at(extras, "sojourn_intent"))
                            .value_or(journeys::IntentId{});
        // Written as `classify` writes it.
        if (!report.intent) report.answer = code_text(text_at(properties, "dispatch_id"));
        report.machine = !text_at(properties, "machine_open").empty() ||
                         flag_at(properties, "machine_open") ||
                         flag_at(properties, "is_suspected_bot_click");
        report.link = text_at(properties, "url");
        return report;
    }

    /// Of a transactional campaign: `{dispatch_id, status, metadata: {external_send_id, …}}`.
    static std::optional<Report> read_postback(const json& body, std::chrono::sys_seconds now) {
        const auto status = text_at(body, "status");
        const auto metadata = body.value("metadata", json::object());
        Report report;
        if (status == "delivered") {
            report.kind = FeedbackKind::delivered;
        } else if (status == "bounced") {
            report.kind = FeedbackKind::bounced;
            report.permanent = true;
        } else if (status == "aborted") {
            report.kind = FeedbackKind::failed;
            report.detail = code_text(text_at(metadata, "reason"));
        } else {
            return std::nullopt; // sent, processed: on its way.
        }
        report.intent = journeys::parse_intent_id(text_at(metadata, "external_send_id"))
                            .value_or(journeys::IntentId{});
        report.id = text_at(body, "dispatch_id") + ':' + status;
        report.at = now;
        return report;
    }

    ProviderSettings settings_;
};

} // namespace

std::unique_ptr<Provider> make_braze(ProviderSettings settings) {
    return std::make_unique<Braze>(std::move(settings));
}

} // namespace runtime
