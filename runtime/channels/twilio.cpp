/// Twilio Messages: SMS and WhatsApp. github.com/twilio/twilio-oai, twilio_api_v2010.json; status
/// callbacks, inbound messages and X-Twilio-Signature: twilio.com/docs/usage/webhooks.
///
/// There is no idempotency key; the status callback's URL carries the intent, so a report settles
/// what is unknown. A person's STOP ends every use of the number at once.
#include "runtime/base64.hpp"
#include "runtime/channels/message.hpp"
#include "runtime/channels/registry.hpp"
#include "runtime/foreign_json.hpp"
#include "runtime/signature.hpp"
#include "runtime/url_text.hpp"

#include <algorithm>
#include <array>

namespace runtime {
namespace {

using journeys::FeedbackKind;

constexpr std::string_view whatsapp = "whatsapp:";
constexpr std::size_t body_characters_max = 1600;
constexpr auto recipient_said_stop = "21610";
/// Of numbers that cannot get a message, ever: no mobile number, not in service, unreachable
/// landline. twilio.com/docs/api/errors.
constexpr std::array<std::string_view, 5> dead_numbers{"21211", "21614", "21612", "30005", "30006"};

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_any(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, text) != words.end();
}

class Twilio final : public Provider {
public:
    explicit Twilio(ProviderSettings settings) : settings_(std::move(settings)) {}

    journeys::Result<HttpRequest> prepare(const actors::ProviderRequest& request,
                                          std::chrono::sys_seconds) const override {
        const auto message = read_message(request);
        if (!message) return message.error();
        std::vector<std::pair<std::string, std::string>> fields;
        const std::string prefix{is_whatsapp() ? whatsapp : ""};
        fields.emplace_back("To", prefix + request.address);
        const auto& service = settings_.option("messaging_service");
        const auto& from = message->from.empty() ? settings_.from : message->from;
        if (!service.empty()) fields.emplace_back("MessagingServiceSid", service);
        if (!from.empty()) fields.emplace_back("From", prefix + from);
        if (const auto* content = settings_.template_id(message->template_name)) {
            fields.emplace_back("ContentSid", *content);
            nlohmann::json variables = nlohmann::json::object();
            for (const auto& [name, value] : message->data.items())
                variables[name] = value.is_string() ? value : nlohmann::json(to_text(value));
            fields.emplace_back("ContentVariables", to_text(variables));
        } else if (message->rendered) {
            const auto text = plain_text(message->rendered->body);
            if (characters(text) > body_characters_max)
                return journeys::Error{journeys::ErrorCode::invalid_argument,
                                       "the text has more than 1600 characters"};
            fields.emplace_back("Body", text);
        } else {
            return journeys::Error{journeys::ErrorCode::invalid_argument,
                                   "no template of Twilio is named for " + message->template_name};
        }
        if (!settings_.feedback_url.empty())
            fields.emplace_back("StatusCallback",
                                settings_.feedback_url + "?intent=" + message->intent);
        HttpRequest http;
        http.url = (settings_.url.empty() ? "https://api.twilio.com" : settings_.url) +
                   "/2010-04-01/Accounts/" + settings_.option("account_sid") + "/Messages.json";
        const auto& user = settings_.option("key_sid");
        http.user = (user.empty() ? settings_.option("account_sid") : user) + ':' +
                    settings_.option(user.empty() ? "auth_token" : "key");
        http.timeout = settings_.timeout;
        http.headers = {{"content-type", "application/x-www-form-urlencoded"}};
        http.body = to_form(fields);
        return http;
    }

    actors::ProviderOutcome classify(const HttpResponse& response) const override {
        auto outcome = classify_api(response);
        const auto body = parse_json(response.body);
        if (outcome.kind == actors::ProviderOutcome::Kind::accepted) {
            outcome.detail = code_text(text_at(body, "sid"));
        } else if (const auto code = text_at(body, "code"); !code.empty()) {
            outcome.detail += ' ' + code_text(code);
            // About this message and not about the account, whatever the status.
            if (code == recipient_said_stop || is_dead(code))
                outcome.kind = actors::ProviderOutcome::Kind::rejected;
        }
        return outcome;
    }

    std::optional<Report> revealed(const HttpResponse& response) const override {
        if (response.status < 400) return std::nullopt;
        const auto code = text_at(parse_json(response.body), "code");
        Report report;
        report.detail = code_text(code);
        if (code == recipient_said_stop) {
            report.kind = FeedbackKind::unsubscribed;
            report.stop = true;
            return report;
        }
        if (!is_dead(code)) return std::nullopt;
        report.kind = FeedbackKind::bounced;
        report.permanent = true;
        return report;
    }

    journeys::Result<Reports> feedback(const ReportRequest& request) const override {
        const auto fields = parse_form(request.body);
        auto sorted = fields;
        std::ranges::sort(sorted);
        auto signed_text = request.url;
        for (const auto& [name, value] : sorted) signed_text += name + value;
        const auto expected = to_base64(hmac_sha1(settings_.option("auth_token"), signed_text));
        if (!equal_secret(request.header("x-twilio-signature"), expected))
            return journeys::Error{journeys::ErrorCode::unauthorized, "the signature is not right"};
        const auto field = [&](std::string_view name) {
            for (const auto& [each, value] : fields)
                if (each == name) return value;
            return std::string{};
        };
        Reports all;
        Report report;
        report.at = request.now;
        report.intent =
            journeys::parse_intent_id(request.parameter("intent")).value_or(journeys::IntentId{});
        if (const auto status = field("MessageStatus"); !status.empty()) {
            report.id = field("MessageSid") + ':' + status;
            report.address = bare(field("To"));
            report.detail = code_text(field("ErrorCode"));
            if (read_status(status, report)) all.reports.push_back(std::move(report));
        } else if (!field("From").empty()) {
            // A message of the person. TwiML without a word: Twilio answers STOP itself.
            all.answer = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response></Response>";
            all.answer_type = "text/xml";
            report.id = field("MessageSid");
            report.address = bare(field("From"));
            if (read_word(field("OptOutType"), field("Body"), report))
                all.reports.push_back(std::move(report));
        }
        return all;
    }

private:
    bool is_whatsapp() const { return settings_.option("whatsapp") == "true"; }

    static bool is_dead(std::string_view code) {
        return std::ranges::find(dead_numbers, code) != dead_numbers.end();
    }

    static std::string bare(const std::string& address) {
        return address.starts_with(whatsapp) ? address.substr(whatsapp.size()) : address;
    }

    static bool read_status(std::string_view status, Report& report) {
        if (status == "delivered") {
            report.kind = FeedbackKind::delivered;
        } else if (status == "read") {
            report.kind = FeedbackKind::opened;
        } else if (status == "failed" || status == "undelivered") {
            const bool said_stop = report.detail == recipient_said_stop;
            report.kind = said_stop                ? FeedbackKind::unsubscribed
                          : is_dead(report.detail) ? FeedbackKind::bounced
                                                   : FeedbackKind::failed;
            report.stop = said_stop;
            report.permanent = report.kind == FeedbackKind::bounced;
        } else {
            return false; // On its way: accepted, queued, sending, sent, …
        }
        return true;
    }

    /// `OptOutType` is there where Twilio manages opt-outs; else the words of the trade count.
    static bool read_word(std::string_view type, std::string_view body, Report& report) {
        std::string word;
        for (const char c : body)
            if (c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != '.' && c != '!')
                word += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
        const bool stops =
            type == "STOP" ||
            (type.empty() && is_any(word, {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END",
                                           "QUIT", "REVOKE", "OPTOUT", "STOPP", "ARRET"}));
        const bool starts = type == "START" || (type.empty() && is_any(word, {"START", "UNSTOP"}));
        if (!stops && !starts) return false;
        report.kind = stops ? FeedbackKind::unsubscribed : FeedbackKind::resubscribed;
        report.stop = true;
        return true;
    }

    ProviderSettings settings_;
};

} // namespace

std::unique_ptr<Provider> make_twilio(ProviderSettings settings) {
    return std::make_unique<Twilio>(std::move(settings));
}

} // namespace runtime
