#include "runtime/base64.hpp"
#include "runtime/channels/registry.hpp"
#include "runtime/channels/spent_tokens.hpp"
#include "runtime/signature.hpp"
#include "runtime/url_text.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/signing_key.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <memory>

using namespace runtime;
using namespace std::chrono_literals;
using namespace support;
using journeys::ErrorCode;
using journeys::FeedbackKind;

namespace {

const std::chrono::sys_seconds now{1'795'435'200s};
const std::string intent = "00000000000000010000000000000002";

/// What a webhook came to, one line each: `kind intent flags address`.
std::vector<std::string> told(const ProviderSettings& settings, const ReportRequest& request) {
    static constexpr std::string_view kinds[]{"sent",       "delivered",    "opened",
                                              "clicked",    "failed",       "bounced",
                                              "complained", "unsubscribed", "resubscribed"};
    const auto provider = std::move(make_provider(settings)).value();
    const auto result = provider->feedback(request);
    if (!result)
        return {result.error().code == ErrorCode::unauthorized ? "unauthorized" : "refused"};
    std::vector<std::string> lines;
    for (const auto& report : result->reports) {
        std::string line{kinds[static_cast<std::size_t>(report.kind)]};
        if (report.intent) line += report.intent == journeys::IntentId{1, 2} ? " ours" : " other";
        if (report.machine) line += " machine";
        if (report.permanent) line += " permanent";
        if (report.stop) line += " stop";
        if (!report.customer.empty()) line += " of " + report.customer;
        if (!report.answer.empty()) line += " as " + report.answer;
        if (!report.address.empty()) line += " " + report.address;
        CHECK_FALSE(report.id.empty());
        lines.push_back(line);
    }
    return lines;
}

ReportRequest signed_by_sendgrid(const SigningKey& key, const std::string& body) {
    ReportRequest request;
    request.body = body;
    request.now = now;
    request.headers = {{"x-twilio-email-event-webhook-timestamp", "1600112502"},
                       {"x-twilio-email-event-webhook-signature", key.sign("1600112502" + body)}};
    return request;
}

std::string signed_by_mailgun(std::chrono::sys_seconds at, const std::string& token,
                              const std::string& data, const std::string& key = "signing") {
    const auto timestamp = std::to_string(at.time_since_epoch().count());
    return R"({"signature":{"timestamp":")" + timestamp + R"(","token":")" + token +
           R"(","signature":")" + hex_text(hmac_sha256(key, timestamp + token)) +
           R"("},"event-data":)" + data + '}';
}

ReportRequest signed_by_twilio(const std::vector<std::pair<std::string, std::string>>& fields,
                               const std::string& query = "") {
    ReportRequest request;
    request.url = "https://shop.example/v1/feedback/sms" + query;
    request.body = to_form(fields);
    request.now = now;
    if (query.starts_with("?")) request.query = parse_form(query.substr(1));
    auto sorted = fields;
    std::ranges::sort(sorted);
    auto text = request.url;
    for (const auto& [name, value] : sorted) text += name + value;
    request.headers = {{"x-twilio-signature", to_base64(hmac_sha1("auth-token", text))}};
    return request;
}

} // namespace

TEST_CASE("SendGrid's events, signed by its key", "[reports]") {
    const SigningKey key;
    auto settings = sendgrid();
    settings.options["feedback_key"] = key.public_text();
    // The shapes of twilio.com/docs/sendgrid/for-developers/tracking-events/event.
    const std::string body = R"([
{"email":"ada@example.com","timestamp":1513299569,"event":"processed","sg_event_id":"e0","intent":")" +
                             intent + R"("},
{"email":"ada@example.com","timestamp":1513299569,"event":"delivered","sg_event_id":"e1","intent":")" +
                             intent + R"(","response":"250 OK"},
{"email":"ada@example.com","timestamp":1513299569,"event":"open","sg_event_id":"e2","intent":")" +
                             intent + R"(","sg_machine_open":true},
{"email":"ada@example.com","timestamp":1513299569,"event":"open","sg_event_id":"e3","sg_machine_open":false},
{"email":"ada@example.com","timestamp":1513299569,"event":"click","sg_event_id":"e4","url":"https://shop.example/cart"},
{"email":"ada@example.com","timestamp":1513299569,"event":"bounce","sg_event_id":"e5","type":"bounce","status":"5.0.0","reason":"550 no such user"},
{"email":"ada@example.com","timestamp":1513299569,"event":"bounce","sg_event_id":"e6","type":"blocked"},
{"email":"ada@example.com","timestamp":1513299569,"event":"dropped","sg_event_id":"e7","reason":"Bounced Address"},
{"email":"ada@example.com","timestamp":1513299569,"event":"dropped","sg_event_id":"e8","reason":"Unsubscribed Address"},
{"email":"ada@example.com","timestamp":1513299569,"event":"spamreport","sg_event_id":"e9"},
{"email":"ada@example.com","timestamp":1513299569,"event":"unsubscribe","sg_event_id":"e10"},
{"email":"ada@example.com","timestamp":1513299569,"event":"group_unsubscribe","sg_event_id":"e11","asm_group_id":10},
{"email":"ada@example.com","timestamp":1513299569,"event":"group_resubscribe","sg_event_id":"e12"}])";
    CHECK(told(settings, signed_by_sendgrid(key, body)) ==
          std::vector<std::string>{"delivered ours ada@example.com",
                                   "opened ours machine ada@example.com", "opened ada@example.com",
                                   "clicked ada@example.com", "bounced permanent ada@example.com",
                                   "bounced ada@example.com", "bounced permanent ada@example.com",
                                   "failed ada@example.com", "complained ada@example.com",
                                   "unsubscribed ada@example.com", "unsubscribed ada@example.com",
                                   "resubscribed ada@example.com"});
    SECTION("another's key, another's text, no signature, no key") {
        const SigningKey other;
        CHECK(told(settings, signed_by_sendgrid(other, body)) ==
              std::vector<std::string>{"unauthorized"});
        auto request = signed_by_sendgrid(key, body);
        request.body += ' ';
        CHECK(told(settings, request) == std::vector<std::string>{"unauthorized"});
        request.headers.clear();
        CHECK(told(settings, request) == std::vector<std::string>{"unauthorized"});
        settings.options.erase("feedback_key");
        CHECK(told(settings, signed_by_sendgrid(key, body)) == std::vector<std::string>{"refused"});
    }
    SECTION("signed nonsense is no report, and no crash") {
        for (const auto* nonsense : {"", "{}", "[]", "[1,null,[],{}]", "[{\"event\":1}]", "nul"}) {
            const auto lines = told(settings, signed_by_sendgrid(key, nonsense));
            CHECK((lines.empty() || lines == std::vector<std::string>{"refused"}));
        }
    }
}

TEST_CASE("Twilio's signature is that of its own example", "[reports]") {
    // twilio.com/docs/usage/security#validating-requests: token 12345.
    auto settings = twilio();
    settings.options["auth_token"] = "12345";
    ReportRequest request;
    request.url = "https://mycompany.com/myapp.php?foo=1&bar=2";
    request.body = to_form({{"CallSid", "CA1234567890ABCDE"},
                            {"Caller", "+14158675309"},
                            {"Digits", "1234"},
                            {"From", "+14158675309"},
                            {"To", "+18005551212"}});
    request.headers = {{"x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="}};
    CHECK(told(settings, request).empty());
    request.headers = {{"x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B9="}};
    CHECK(told(settings, request) == std::vector<std::string>{"unauthorized"});
}

TEST_CASE("Twilio's callbacks, and what people answer", "[reports]") {
    const auto status = [](const std::string& word, const std::string& code = "") {
        return told(twilio(), signed_by_twilio({{"MessageSid", "SM1"},
                                                {"MessageStatus", word},
                                                {"ErrorCode", code},
                                                {"To", "+4915112345678"}},
                                               "?intent=" + intent));
    };
    using Lines = std::vector<std::string>;
    CHECK(status("queued").empty());
    CHECK(status("sent").empty());
    CHECK(status("delivered") == Lines{"delivered ours +4915112345678"});
    CHECK(status("read") == Lines{"opened ours +4915112345678"});
    CHECK(status("failed", "30007") == Lines{"failed ours +4915112345678"});
    CHECK(status("undelivered", "30005") == Lines{"bounced ours permanent +4915112345678"});
    CHECK(status("failed", "21610") == Lines{"unsubscribed ours stop +4915112345678"});

    const auto answer = [](const std::string& body, const std::string& type = "") {
        std::vector<std::pair<std::string, std::string>> fields{
            {"MessageSid", "SM2"}, {"From", "whatsapp:+4915112345678"}, {"Body", body}};
        if (!type.empty()) fields.emplace_back("OptOutType", type);
        return told(twilio(), signed_by_twilio(fields));
    };
    for (const auto* word : {"STOP", "stop", " Stop. ", "UNSUBSCRIBE", "Quit!", "stopall"})
        CHECK(answer(word) == Lines{"unsubscribed stop +4915112345678"});
    CHECK(answer("Start") == Lines{"resubscribed stop +4915112345678"});
    CHECK(answer("when does the shop open?").empty());
    CHECK(answer("please don't stop").empty());
    CHECK(answer("bitte nicht mehr", "STOP") == Lines{"unsubscribed stop +4915112345678"});
    CHECK(answer("STOP", "HELP").empty());
    SECTION("an answer is TwiML without a word") {
        const auto provider = std::move(make_provider(twilio())).value();
        const auto result = provider->feedback(
            signed_by_twilio({{"MessageSid", "SM2"}, {"From", "+49151"}, {"Body", "hello"}}));
        REQUIRE(result.has_value());
        CHECK(result->answer_type == "text/xml");
        CHECK(result->answer.find("<Message>") == std::string::npos);
    }
    SECTION("a changed field breaks the signature") {
        auto request = signed_by_twilio({{"From", "+4915112345678"}, {"Body", "STOP"}});
        request.body = to_form({{"From", "+4915112345679"}, {"Body", "STOP"}});
        CHECK(told(twilio(), request) == Lines{"unauthorized"});
    }
}

TEST_CASE("Mailgun's events", "[reports]") {
    auto settings = mailgun();
    settings.options["feedback_key"] = "signing";
    const auto event = [&](const std::string& data, const std::string& key = "signing") {
        ReportRequest request;
        request.now = now;
        request.body = signed_by_mailgun(now, "a8ce", data, key);
        return told(settings, request);
    };
    const auto with_event = [&](const std::string& name, const std::string& more = "") {
        return event(R"({"id":"x1","timestamp":1521472262.908,"recipient":"ada@example.com",
            "user-variables":{"intent":")" +
                     intent + R"("},"event":")" + name + '"' + more + '}');
    };
    using Lines = std::vector<std::string>;
    CHECK(with_event("accepted").empty());
    CHECK(with_event("delivered") == Lines{"delivered ours ada@example.com"});
    CHECK(with_event("opened", R"(,"client-info":{"bot":"apple"})") ==
          Lines{"opened ours machine ada@example.com"});
    CHECK(with_event("opened", R"(,"client-info":{"bot":""})") ==
          Lines{"opened ours ada@example.com"});
    CHECK(with_event("clicked", R"(,"url":"https://shop.example")") ==
          Lines{"clicked ours ada@example.com"});
    CHECK(with_event("failed", R"(,"severity":"temporary")").empty());
    CHECK(with_event("failed", R"(,"severity":"permanent","reason":"bounce")") ==
          Lines{"bounced ours permanent ada@example.com"});
    CHECK(with_event("failed", R"(,"severity":"permanent","reason":"suppress-unsubscribe")") ==
          Lines{"failed ours ada@example.com"});
    CHECK(with_event("complained") == Lines{"complained ours ada@example.com"});
    CHECK(with_event("unsubscribed") == Lines{"unsubscribed ours ada@example.com"});
    CHECK(event(R"({"event":"delivered"})", "another") == Lines{"unauthorized"});

    // Whoever has not signed may not make us read much.
    const auto padded = [&](const std::string& padding) {
        return with_event("delivered", R"(,"more":)" + padding);
    };
    CHECK(padded('"' + std::string(100'000, '[') + "\\\"[" + '"') ==
          Lines{"delivered ours ada@example.com"});
    CHECK(padded(std::string(50, '[') + std::string(50, ']')) ==
          Lines{"delivered ours ada@example.com"});
    CHECK(padded(std::string(1000, '[') + std::string(1000, ']')) == Lines{"refused"});
    CHECK(padded('"' + std::string(300'000, 'x') + '"') == Lines{"refused"});
}

TEST_CASE("a signature of Mailgun's is good for one event, and not for long", "[reports]") {
    auto settings = mailgun();
    settings.options["feedback_key"] = "signing";
    const auto provider = std::move(make_provider(settings)).value();
    const auto is_taken = [&](std::chrono::sys_seconds at, const std::string& token,
                              const std::string& data) {
        ReportRequest request;
        request.now = now;
        request.body = signed_by_mailgun(at, token, data);
        return provider->feedback(request).has_value();
    };
    const auto first = R"({"id":"x1","event":"delivered","recipient":"ada@example.com"})",
               other = R"({"id":"x2","event":"complained","recipient":"bob@example.com"})";
    CHECK(is_taken(now, "t1", first));
    CHECK(is_taken(now, "t1", first)); // Not answered the first time, so it comes again.
    CHECK_FALSE(is_taken(now, "t1", other));
    CHECK(is_taken(now, "t2", other));
    CHECK(is_taken(now - 8h, "t3", first));
    CHECK_FALSE(is_taken(now - 13h, "t4", first));
    CHECK_FALSE(is_taken(std::chrono::sys_seconds{1'500'000'000s}, "t5", first));
    CHECK(is_taken(now + 5min, "t6", first));
    CHECK_FALSE(is_taken(now + 1h, "t7", first));
}

TEST_CASE("spent tokens are forgotten oldest first, and do not come back", "[reports]") {
    SpentTokens tokens{{.age_max = 100s, .ahead_max = 10s, .tokens_max = 3}};
    for (int i = 0; i < 4; ++i) CHECK(tokens.spend(now + 1s * i, std::to_string(i), 1, now + 4s));
    CHECK_FALSE(tokens.spend(now, "0", 1, now + 4s)); // Forgotten, so it is too old.
    CHECK_FALSE(tokens.spend(now, "late", 1, now + 4s));
    CHECK(tokens.spend(now + 3s, "3", 1, now + 4s));
    CHECK_FALSE(tokens.spend(now + 3s, "3", 2, now + 4s));
    CHECK_FALSE(tokens.spend(now + 3s, "3", 1, now + 104s));
    CHECK(tokens.spend(now + 104s, "3", 2, now + 104s));
}

TEST_CASE("Postmark's webhooks", "[reports]") {
    auto settings = postmark();
    settings.options["feedback_key"] = "postmark:secret";
    const auto told_of = [&](const std::string& body,
                             const std::string& login = "postmark:secret") {
        ReportRequest request;
        request.now = now;
        request.body = body;
        request.headers = {{"authorization", "Basic " + to_base64(login)}};
        return told(settings, request);
    };
    const auto record = [&](const std::string& type, const std::string& more) {
        return told_of(R"({"RecordType":")" + type +
                       R"(","MessageID":"m1","Metadata":{"intent":")" + intent + R"("})" + more +
                       '}');
    };
    using Lines = std::vector<std::string>;
    CHECK(record("Delivery",
                 R"(,"Recipient":"ada@example.com","DeliveredAt":"2026-11-20T08:06:00Z")") ==
          Lines{"delivered ours ada@example.com"});
    CHECK(record("Bounce", R"(,"Email":"ada@example.com","Type":"HardBounce","Inactive":true)") ==
          Lines{"bounced ours permanent ada@example.com"});
    CHECK(record("Bounce", R"(,"Email":"ada@example.com","Type":"SoftBounce","Inactive":false)") ==
          Lines{"bounced ours ada@example.com"});
    CHECK(record("SpamComplaint", R"(,"Email":"ada@example.com")") ==
          Lines{"complained ours ada@example.com"});
    CHECK(record("Open", R"(,"Recipient":"ada@example.com","UserAgent":"Mozilla/5.0 X11")") ==
          Lines{"opened ours ada@example.com"});
    CHECK(record("Open", R"(,"UserAgent":"Mozilla/5.0","Client":{"Name":"Apple Mail"})") ==
          Lines{"opened ours machine"});
    CHECK(record("Click", R"(,"OriginalLink":"https://shop.example")") == Lines{"clicked ours"});
    CHECK(record("SubscriptionChange",
                 R"(,"SuppressSending":true,"SuppressionReason":"ManualSuppression")") ==
          Lines{"unsubscribed ours"});
    CHECK(record("SubscriptionChange",
                 R"(,"SuppressSending":true,"SuppressionReason":"HardBounce")") ==
          Lines{"bounced ours permanent"});
    CHECK(record("SubscriptionChange", R"(,"SuppressSending":false)") ==
          Lines{"resubscribed ours"});
    CHECK(record("Inbound", "").empty());
    CHECK(told_of("{}", "postmark:wrong") == Lines{"unauthorized"});
    CHECK(told_of("[]") == Lines{"refused"});
}

TEST_CASE("Braze: Currents, and the postbacks of transactional campaigns", "[reports]") {
    auto settings = braze();
    settings.options["feedback_key"] = "currents";
    const auto told_of = [&](const std::string& body, const std::string& token = "currents") {
        ReportRequest request;
        request.now = now;
        request.body = body;
        request.headers = {{"authorization", "Bearer " + token}};
        return told(settings, request);
    };
    using Lines = std::vector<std::string>;
    CHECK(told_of(R"({"events":[
{"id":"1","event_type":"users.messages.email.Delivery","time":1477502783,"user":{"external_user_id":"ada"},"properties":{"email_address":"ada@example.com"}},
{"id":"2","event_type":"users.messages.email.Open","time":1477502783,"user":{"external_user_id":"ada"},"properties":{"machine_open":"true"}},
{"id":"3","event_type":"users.messages.email.Open","time":1477502783,"user":{"external_user_id":"ada"},"properties":{}},
{"id":"4","event_type":"users.messages.email.Bounce","time":1477502783,"user":{"external_user_id":"ada"},"properties":{}},
{"id":"5","event_type":"users.messages.email.SoftBounce","time":1477502783,"user":{"external_user_id":"ada"},"properties":{}},
{"id":"6","event_type":"users.messages.email.MarkAsSpam","time":1477502783,"user":{"external_user_id":"ada"},"properties":{}},
{"id":"7","event_type":"users.messages.email.Unsubscribe","time":1477502783,"user":{"external_user_id":"ada"},"properties":{}},
{"id":"8","event_type":"users.behaviors.app.SessionStart","time":1477502783,"user":{"external_user_id":"ada"},"properties":{}}]})") ==
          Lines{"delivered of ada ada@example.com", "opened machine of ada", "opened of ada",
                "bounced permanent of ada", "bounced of ada", "complained of ada",
                "unsubscribed of ada"});
    // What the author of the message asks for by message_extras is ours.
    CHECK(told_of(R"({"events":[
{"id":"9","event_type":"users.messages.email.Send","time":1477502783,"user":{"external_user_id":"ada"},"properties":{"dispatch_id":"d1","message_extras":"{\"sojourn_intent\":\")" +
                  intent + R"(\"}"}},
{"id":"10","event_type":"users.messages.sms.Send","time":1477502783,"user":{"external_user_id":"ada"},"properties":{"message_extras":"no JSON"}},
{"id":"11","event_type":"users.messages.pushnotification.Send","time":1477502783,"user":{"external_user_id":"ada"},"properties":{"message_extras":"{\"sojourn_intent\":7}","dispatch_id":"d2"}}]})") ==
          Lines{"sent ours of ada", "sent of ada", "sent of ada as d2"});
    const auto postback = [&](const std::string& status) {
        return told_of(R"({"dispatch_id":"d1","status":")" + status +
                       R"(","metadata":{"external_send_id":")" + intent + R"("}})");
    };
    CHECK(postback("sent").empty());
    CHECK(postback("delivered") == Lines{"delivered ours"});
    CHECK(postback("bounced") == Lines{"bounced ours permanent"});
    CHECK(postback("aborted") == Lines{"failed ours"});
    CHECK(told_of("{}", "wrong") == Lines{"unauthorized"});
}

TEST_CASE("Klaviyo's webhooks", "[reports]") {
    auto settings = klaviyo();
    settings.options["feedback_key"] = "hush";
    const auto told_of = [&](const std::string& body, const std::string& key = "hush") {
        ReportRequest request;
        request.now = now;
        request.body = body;
        request.headers = {{"klaviyo-timestamp", "Fri, 20 Nov 2026 08:06:00 GMT"},
                           {"klaviyo-signature",
                            hex_text(hmac_sha256(key, body + "Fri, 20 Nov 2026 08:06:00 GMT"))}};
        return told(settings, request);
    };
    const auto event = [&](const std::string& topic, const std::string& properties = "{}") {
        return told_of(R"({"data":[{"external_id":"e1","topic":"event:klaviyo.)" + topic +
                       R"(","payload":{"data":{"type":"event","id":"e1","attributes":{
                           "datetime":"2026-11-20T08:06:00+00:00","event_properties":)" +
                       properties + R"(}},"included":[{"type":"profile","attributes":{
                           "external_id":"ada","email":"ada@example.com"}}]}}],
                           "meta":{"timestamp":"x"}})");
    };
    using Lines = std::vector<std::string>;
    CHECK(event("email_delivered", R"({"sojourn_intent":")" + intent + R"("})") ==
          Lines{"delivered ours of ada ada@example.com"});
    CHECK(event("opened_email", R"({"machine_open":true})") ==
          Lines{"opened machine of ada ada@example.com"});
    CHECK(event("clicked_email", R"({"URL":"https://shop.example"})") ==
          Lines{"clicked of ada ada@example.com"});
    CHECK(event("bounced_email") == Lines{"bounced permanent of ada ada@example.com"});
    CHECK(event("bounced_email", R"({"Bounce Type":"Soft"})") ==
          Lines{"bounced of ada ada@example.com"});
    CHECK(event("marked_email_as_spam") == Lines{"complained of ada ada@example.com"});
    CHECK(event("unsubscribed_from_email_marketing") ==
          Lines{"unsubscribed of ada ada@example.com"});
    CHECK(event("placed_order").empty());
    CHECK(told_of(R"({"data":[]})", "other") == Lines{"unauthorized"});
    CHECK(told_of("{}") == Lines{"refused"});
}
