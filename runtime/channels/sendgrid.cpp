/// SendGrid v3. Mail: github.com/twilio/sendgrid-oai, spec/json/tsg_mail_v3.json. Reports: the
/// Event Webhook, twilio.com/docs/sendgrid/for-developers/tracking-events.
///
/// There is no idempotency key: what is unknown stays so until a report settles it, by the intent
/// in `custom_args`. Messages of one template and sender share a request, a personalization each.
#include "runtime/channels/message.hpp"
#include "runtime/channels/registry.hpp"
#include "runtime/foreign_json.hpp"
#include "runtime/signature.hpp"

namespace runtime {
namespace {

using journeys::FeedbackKind;
using nlohmann::json;

constexpr std::size_t personalizations_max = 1000;

class SendGrid final : public Provider {
public:
    explicit SendGrid(ProviderSettings settings) : settings_(std::move(settings)) {}

    journeys::Result<HttpRequest> prepare(const actors::ProviderRequest& message,
                                          std::chrono::sys_seconds now) const override {
        return prepare_batch({message}, now);
    }

    std::size_t batch_max() const override { return personalizations_max; }

    std::string batch_key(const actors::ProviderRequest& request) const override {
        const auto message = read_message(request);
        // What is rendered here differs from person to person, and its links do in any case.
        if (!message || message->rendered || !settings_.template_id(message->template_name))
            return {};
        return message->template_name + '\n' + message->from + '\n' +
               (message->is_marketing ? "m" : "t");
    }

    journeys::Result<HttpRequest>
    prepare_batch(const std::vector<actors::ProviderRequest>& requests,
                  std::chrono::sys_seconds) const override {
        json body{{"personalizations", json::array()}};
        for (const auto& request : requests) {
            const auto message = read_message(request);
            if (!message) return message.error();
            json person{{"to", json::array({{{"email", request.address}}})},
                        {"custom_args", {{"intent", message->intent}}}};
            if (message->is_marketing && !message->unsubscribe_url.empty())
                person["headers"] = {{"List-Unsubscribe", '<' + message->unsubscribe_url + '>'},
                                     {"List-Unsubscribe-Post", "List-Unsubscribe=One-Click"}};
            if (const auto* id = settings_.template_id(message->template_name)) {
                auto data = message->data;
                data["unsubscribe_url"] = message->unsubscribe_url;
                data["preferences_url"] = message->preferences_url;
                person["dynamic_template_data"] = std::move(data);
                body["template_id"] = *id;
            } else if (message->rendered) {
                person["subject"] = message->rendered->subject;
                body["content"] = json::array(
                    {{{"type", "text/plain"}, {"value", plain_text(message->rendered->body)}}});
                if (is_html(message->rendered->body))
                    body["content"].push_back(
                        {{"type", "text/html"}, {"value", message->rendered->body}});
            } else {
                return journeys::Error{journeys::ErrorCode::invalid_argument,
                                       "no template of SendGrid is named for " +
                                           message->template_name};
            }
            const auto sender =
                parse_mailbox(message->from.empty() ? settings_.from : message->from);
            body["from"] = {{"email", sender.address}};
            if (!sender.name.empty()) body["from"]["name"] = sender.name;
            body["personalizations"].push_back(std::move(person));
        }
        if (const auto& group = settings_.option("unsubscribe_group"); !group.empty())
            body["asm"] = {{"group_id", std::stoi(group)}};
        if (settings_.option("test_mode") == "true")
            body["mail_settings"] = {{"sandbox_mode", {{"enable", true}}}};
        HttpRequest http;
        http.url =
            (settings_.url.empty() ? "https://api.sendgrid.com" : settings_.url) + "/v3/mail/send";
        http.timeout = settings_.timeout;
        http.headers = {{"authorization", "Bearer " + settings_.option("key")},
                        {"content-type", "application/json"}};
        http.body = to_text(body);
        return http;
    }

    /// 202 takes all of them or none; a 200 is what the test mode says.
    actors::ProviderOutcome classify(const HttpResponse& response) const override {
        auto outcome = classify_api(response);
        if (outcome.kind == actors::ProviderOutcome::Kind::accepted) {
            if (!response.message_id.empty())
                outcome.detail += ' ' + code_text(response.message_id);
            return outcome;
        }
        // What it says may quote the message; the field at fault does not.
        const auto body = parse_json(response.body);
        if (body.is_object() && body.contains("errors") && body["errors"].is_array() &&
            !body["errors"].empty())
            if (const auto field = text_at(body["errors"][0], "field"); !field.empty())
                outcome.detail += ' ' + code_text(field);
        return outcome;
    }

    journeys::Result<Reports> feedback(const ReportRequest& request) const override {
        const auto timestamp = request.header("x-twilio-email-event-webhook-timestamp");
        const auto signature = request.header("x-twilio-email-event-webhook-signature");
        if (settings_.option("feedback_key").empty())
            return journeys::Error{journeys::ErrorCode::not_found,
                                   "feedback_key, the webhook's verification key, is not set"};
        if (!verify_ecdsa(settings_.option("feedback_key"), signature,
                          std::string{timestamp} + request.body))
            return journeys::Error{journeys::ErrorCode::unauthorized, "the signature is not right"};
        const auto events = parse_json(request.body);
        if (!events.is_array())
            return journeys::Error{journeys::ErrorCode::invalid_argument, "no array of events"};
        Reports all;
        for (const auto& event : events)
            if (auto report = read(event, request.now)) all.reports.push_back(std::move(*report));
        return all;
    }

private:
    static std::optional<Report> read(const json& event, std::chrono::sys_seconds now) {
        const auto name = text_at(event, "event");
        Report report;
        report.id = text_at(event, "sg_event_id");
        report.intent =
            journeys::parse_intent_id(text_at(event, "intent")).value_or(journeys::IntentId{});
        report.address = text_at(event, "email");
        report.at = epoch_at(event, "timestamp").value_or(now);
        const auto reason = text_at(event, "reason");
        if (name == "delivered") {
            report.kind = FeedbackKind::delivered;
        } else if (name == "open") {
            report.kind = FeedbackKind::opened;
            report.machine = flag_at(event, "sg_machine_open");
        } else if (name == "click") {
            report.kind = FeedbackKind::clicked;
            report.link = text_at(event, "url");
        } else if (name == "bounce") {
            report.kind = FeedbackKind::bounced;
            report.permanent = text_at(event, "type") != "blocked";
            report.detail = code_text(text_at(event, "status"));
        } else if (name == "dropped") {
            // Because of an earlier report; of those that made the address useless it says so.
            report.kind = reason == "Bounced Address" || reason == "Invalid" ? FeedbackKind::bounced
                                                                             : FeedbackKind::failed;
            report.permanent = report.kind == FeedbackKind::bounced;
            report.detail = "dropped";
        } else if (name == "spamreport") {
            report.kind = FeedbackKind::complained;
        } else if (name == "unsubscribe" || name == "group_unsubscribe") {
            report.kind = FeedbackKind::unsubscribed;
        } else if (name == "group_resubscribe") {
            report.kind = FeedbackKind::resubscribed;
        } else {
            return std::nullopt; // `processed` and `deferred` say nothing that we would act on.
        }
        return report;
    }

    ProviderSettings settings_;
};

} // namespace

std::unique_ptr<Provider> make_sendgrid(ProviderSettings settings) {
    return std::make_unique<SendGrid>(std::move(settings));
}

} // namespace runtime
