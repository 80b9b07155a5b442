#include "runtime/base64.hpp"
#include "runtime/channels/registry.hpp"
#include "runtime/foreign_json.hpp"
#include "runtime/signature.hpp"
#include "runtime/url_text.hpp"
#include "schema/channel_types.hpp"
#include "tests/support/messages.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

using namespace runtime;
using namespace std::chrono_literals;
using namespace support;
using nlohmann::json;
using Kind = actors::ProviderOutcome::Kind;

namespace {

const std::chrono::sys_seconds now{1'795'435'200s};

HttpRequest prepared(const ProviderSettings& settings,
                     const actors::ProviderRequest& message = mail()) {
    const auto provider = std::move(make_provider(settings)).value();
    auto first = provider->prepare(message, now);
    if (!first) FAIL(first.error().detail);
    // Whatever the attempt, the bytes are the same.
    auto second = provider->prepare(message, now + 1h).value();
    CHECK(first->body == second.body);
    CHECK(first->url == second.url);
    return std::move(*first);
}

std::string header(const HttpRequest& request, std::string_view name) {
    for (const auto& [each, value] : request.headers)
        if (each == name) return value;
    return {};
}

std::string field(const HttpRequest& request, std::string_view name) {
    for (const auto& [each, value] : parse_form(request.body))
        if (each == name) return value;
    return {};
}

bool has_field(const HttpRequest& request, std::string_view name) {
    return std::ranges::any_of(parse_form(request.body),
                               [&](const auto& each) { return each.first == name; });
}

actors::ProviderOutcome outcome(const ProviderSettings& settings, long status,
                                const std::string& body = {}) {
    HttpResponse response;
    response.status = status;
    response.body = body;
    return std::move(make_provider(settings)).value()->classify(response);
}

} // namespace

TEST_CASE("every type of channel in the settings has its provider, and the other way round",
          "[providers]") {
    std::set<std::string_view> known, built;
    for (const auto& type : schema::channel_types())
        if (type.name != "sandbox") known.insert(type.name);
    for (const auto type : provider_types()) built.insert(type);
    CHECK(known == built);
    CHECK_FALSE(make_provider({.type = "pigeon"}).has_value());
}

TEST_CASE("SendGrid: a dynamic template with its data, and our id to find it again",
          "[providers]") {
    const auto http = prepared(sendgrid());
    CHECK(http.url == "https://api.sendgrid.com/v3/mail/send");
    CHECK(header(http, "authorization") == "Bearer SG.key");
    CHECK(json::parse(http.body) == json::parse(R"({
        "from": {"email": "shop@example.com", "name": "Northbound"},
        "template_id": "d-00000000000000000000000000000001",
        "personalizations": [{
            "to": [{"email": "ada@example.com"}],
            "custom_args": {"intent": "00000000000000010000000000000002"},
            "headers": {"List-Unsubscribe": "<https://shop.example/u/t1>",
                        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
            "dynamic_template_data": {"total": 204.4, "unsubscribe_url": "https://shop.example/u/t1",
                                      "preferences_url": "https://shop.example/u/t2"}}]})"));
    SECTION("a text rendered here goes as text and as HTML") {
        auto message = rendered_mail();
        const auto body = json::parse(prepared(sendgrid(), message).body);
        CHECK_FALSE(body.contains("template_id"));
        REQUIRE(body["content"].size() == 2);
        CHECK(body["content"][0]["type"] == "text/plain");
        CHECK(body["content"][1]["value"] == "<p>Your cart: 204.40</p>");
        CHECK(body["personalizations"][0]["subject"] == "Still there – 10 %");
    }
    SECTION("neither: it can't be sent, and says so") {
        auto settings = sendgrid();
        settings.templates.clear();
        const auto provider = std::move(make_provider(settings)).value();
        CHECK_FALSE(provider->prepare(mail(), now).has_value());
    }
    SECTION("a transactional mail has no header that unsubscribes") {
        auto message = mail();
        message.payload = with(message.payload, "purpose", "transactional");
        const auto body = json::parse(prepared(sendgrid(), message).body);
        CHECK_FALSE(body["personalizations"][0].contains("headers"));
    }
    SECTION("a region, a group and the test mode") {
        auto settings = sendgrid();
        settings.url = "https://api.eu.sendgrid.com/";
        settings.options["unsubscribe_group"] = "7";
        settings.options["test_mode"] = "true";
        const auto eu = prepared(settings);
        CHECK(eu.url == "https://api.eu.sendgrid.com/v3/mail/send");
        const auto body = json::parse(eu.body);
        CHECK(body["asm"]["group_id"] == 7);
        CHECK(body["mail_settings"]["sandbox_mode"]["enable"] == true);
    }
}

TEST_CASE("SendGrid: messages of one template share a request", "[providers]") {
    const auto provider = std::move(make_provider(sendgrid())).value();
    CHECK_FALSE(provider->batch_key(mail()).empty());
    CHECK(provider->batch_key(mail()) == provider->batch_key(mail("bob@example.com", 3)));
    CHECK(provider->batch_key(rendered_mail()).empty());
    const auto http = provider->prepare_batch({mail(), mail("bob@example.com", 3)}, now).value();
    const auto body = json::parse(http.body);
    REQUIRE(body["personalizations"].size() == 2);
    CHECK(body["personalizations"][1]["to"][0]["email"] == "bob@example.com");
    CHECK(body["personalizations"][1]["custom_args"]["intent"] ==
          "00000000000000010000000000000003");
}

TEST_CASE("Mailgun: a batch gives every recipient their own message", "[providers]") {
    auto second = rendered_mail();
    second.address = "bob@example.com";
    second.intent = {1, 3};
    second.payload = with_subject(second.payload, "Bob's");
    SECTION("rendered here: subject, text, HTML, links and intent are the recipient's") {
        const auto provider = std::move(make_provider(mailgun())).value();
        CHECK(provider->batch_max() == 1000);
        CHECK(provider->batch_key(rendered_mail()) == provider->batch_key(second));
        const auto http = provider->prepare_batch({rendered_mail(), second}, now).value();
        std::vector<std::string> to;
        for (const auto& [name, value] : parse_form(http.body))
            if (name == "to") to.push_back(value);
        CHECK(to == std::vector<std::string>{"ada@example.com", "bob@example.com"});
        CHECK(field(http, "subject") == "%recipient.subject%");
        CHECK(field(http, "html") == "%recipient.html%");
        CHECK(field(http, "text") == "%recipient.text%");
        CHECK(field(http, "v:intent") == "%recipient.intent%");
        CHECK(field(http, "h:List-Unsubscribe") == "<%recipient.unsubscribe_url%>");
        const auto own = json::parse(field(http, "recipient-variables"));
        REQUIRE(own.size() == 2);
        CHECK(own["ada@example.com"]["subject"] == "Still there – 10 %");
        CHECK(own["ada@example.com"]["intent"] == "00000000000000010000000000000002");
        CHECK(own["bob@example.com"]["subject"] == "Bob's");
        CHECK(own["bob@example.com"]["intent"] == "00000000000000010000000000000003");
        CHECK(own["bob@example.com"]["unsubscribe_url"] == "https://shop.example/u/t1");
    }
    SECTION("of Mailgun's own templates those with the same data, for it escapes nothing") {
        auto settings = mailgun();
        settings.templates["cart-reminder"] = "cart";
        const auto provider = std::move(make_provider(settings)).value();
        auto other = mail("bob@example.com", 3);
        CHECK(provider->batch_key(mail()) == provider->batch_key(other));
        const auto http = provider->prepare_batch({mail(), other}, now).value();
        const auto variables = json::parse(field(http, "t:variables"));
        CHECK(variables["total"] == 204.4);
        CHECK(variables["unsubscribe_url"] == "%recipient.unsubscribe_url%");
        other.payload = with(other.payload, "data", {{"total", 1}});
        CHECK(provider->batch_key(mail()) != provider->batch_key(other));
    }
    SECTION("what does not fit together, or holds a mark itself, goes alone") {
        const auto provider = std::move(make_provider(mailgun())).value();
        second.payload = with_subject(second.payload, "20 %recipient.x% off");
        CHECK(provider->batch_key(second).empty());
        auto plain = rendered_mail();
        plain.payload = with(plain.payload, "message", {{"subject", "s"}, {"body", "no HTML"}});
        CHECK(provider->batch_key(plain) != provider->batch_key(rendered_mail()));
        CHECK(provider->batch_key(mail()).empty()); // There is nothing to send.
        auto receipt = rendered_mail();
        receipt.payload = with(receipt.payload, "purpose", "transactional");
        CHECK(provider->batch_key(receipt) != provider->batch_key(rendered_mail()));
        // Alone there are no marks, for then nobody fills them in.
        CHECK(prepared(mailgun(), rendered_mail()).body.find("recipient") == std::string::npos);
    }
}

TEST_CASE("Klaviyo: events share a bulk, but for what may have arrived before", "[providers]") {
    const auto provider = std::move(make_provider(klaviyo())).value();
    CHECK(provider->batch_max() == 1000);
    REQUIRE_FALSE(provider->batch_key(mail()).empty());
    CHECK(provider->batch_key(mail()) == provider->batch_key(call()));
    const auto http = provider->prepare_batch({mail(), mail("bob@example.com", 3)}, now).value();
    CHECK(http.url == "https://a.klaviyo.com/api/event-bulk-create-jobs");
    const auto job = json::parse(http.body)["data"];
    CHECK(job["type"] == "event-bulk-create-job");
    const auto& entries = job["attributes"]["events-bulk-create"]["data"];
    REQUIRE(entries.size() == 2);
    const auto& second = entries[1]["attributes"];
    CHECK(second["profile"]["data"]["attributes"]["email"] == "bob@example.com");
    REQUIRE(second["events"]["data"].size() == 1);
    const auto& event = second["events"]["data"][0]["attributes"];
    CHECK(event["unique_id"] == "00000000000000010000000000000003");
    CHECK(event["metric"]["data"]["attributes"]["name"] == "Cart Reminder");
    CHECK_FALSE(event.contains("profile"));

    auto again = mail();
    again.attempt = 2;
    CHECK(provider->batch_key(again).empty());
    auto large = mail();
    large.payload = with(large.payload, "data", {{"text", std::string(5'000, 'x')}});
    CHECK(provider->batch_key(large).empty());
    auto settings = klaviyo();
    settings.options["calls"] = "profile";
    CHECK(std::move(make_provider(settings)).value()->batch_key(call()).empty());
}

TEST_CASE("Braze: recipients of a campaign and events share a request", "[providers]") {
    auto settings = braze();
    const auto provider = std::move(make_provider(settings)).value();
    CHECK(provider->batch_key(mail()) == "campaign:c1");
    CHECK(provider->batch_key(call()) != provider->batch_key(mail()));
    REQUIRE_FALSE(provider->batch_key(call()).empty());
    auto other = call();
    other.customer.value = "bob";
    const auto http = provider->prepare_batch({call(), other}, now).value();
    const auto events = json::parse(http.body)["events"];
    REQUIRE(events.size() == 2);
    CHECK(events[1]["external_id"] == "bob");
    settings.templates["cart-reminder"] = "transactional:t7";
    CHECK(std::move(make_provider(settings)).value()->batch_key(mail()).empty());
}

TEST_CASE("Twilio: a form, by Basic authentication, with the way back in its callback",
          "[providers]") {
    const auto http = prepared(twilio(), sms());
    CHECK(http.url == "https://api.twilio.com/2010-04-01/Accounts/"
                      "AC00000000000000000000000000000001/Messages.json");
    CHECK(http.user == "AC00000000000000000000000000000001:auth-token");
    CHECK(header(http, "content-type") == "application/x-www-form-urlencoded");
    CHECK(http.body ==
          "To=%2B4915112345678&From=%2B15017122661&Body=Hallo%20Ada%20%26%20co%20%E2%80%93%2010%20"
          "%25&StatusCallback=https%3A%2F%2Fshop.example%2Fv1%2Ffeedback%2Fsms%3Fintent%3D"
          "00000000000000010000000000000002");
    SECTION("WhatsApp, a messaging service, a content template, an API key") {
        auto settings = twilio();
        settings.from.clear();
        settings.options["whatsapp"] = "true";
        settings.options["messaging_service"] = "MG00000000000000000000000000000001";
        settings.options["key_sid"] = "SK1";
        settings.options["key"] = "secret";
        settings.templates["cart-reminder"] = "HX1";
        auto message = mail();
        message.address = "+4915112345678";
        const auto other = prepared(settings, message);
        CHECK(other.user == "SK1:secret");
        CHECK(field(other, "To") == "whatsapp:+4915112345678");
        CHECK(field(other, "MessagingServiceSid") == "MG00000000000000000000000000000001");
        CHECK_FALSE(has_field(other, "From"));
        CHECK(field(other, "ContentSid") == "HX1");
        CHECK(json::parse(field(other, "ContentVariables")) == json{{"total", "204.4"}});
    }
    SECTION("1600 characters are the most, whatever their bytes") {
        const auto provider = std::move(make_provider(twilio())).value();
        std::string text;
        for (int i = 0; i < 1600; ++i) text += "ü";
        CHECK(provider->prepare(sms(text), now).has_value());
        CHECK_FALSE(provider->prepare(sms(text + "ü"), now).has_value());
    }
}

TEST_CASE("Klaviyo: an event of the profile, once by its unique_id", "[providers]") {
    const auto http = prepared(klaviyo());
    CHECK(http.url == "https://a.klaviyo.com/api/events");
    CHECK(header(http, "authorization") == "Klaviyo-API-Key pk_test");
    CHECK(header(http, "revision") == "2026-07-15");
    CHECK(header(http, "content-type") == "application/vnd.api+json");
    const auto attributes = json::parse(http.body)["data"]["attributes"];
    CHECK(attributes["unique_id"] == "00000000000000010000000000000002");
    CHECK(attributes["time"] == "2026-11-20T08:05:00.000Z");
    CHECK(attributes["metric"]["data"]["attributes"]["name"] == "Cart Reminder");
    CHECK(attributes["profile"]["data"]["attributes"] ==
          json{{"external_id", "ada"}, {"email", "ada@example.com"}});
    CHECK(attributes["properties"]["total"] == 204.4);
    CHECK(attributes["properties"]["sojourn_intent"] == "00000000000000010000000000000002");
    SECTION("a call may set the profile") {
        auto settings = klaviyo();
        settings.options["calls"] = "profile";
        const auto other = prepared(settings, call());
        CHECK(other.url == "https://a.klaviyo.com/api/profile-import");
        CHECK(json::parse(other.body)["data"]["attributes"]["properties"]["total"] == 204.4);
        CHECK(prepared(settings).url == "https://a.klaviyo.com/api/events");
    }
    SECTION("an anonymous customer is known by the address") {
        auto message = mail();
        message.customer = {journeys::IdNamespace::anonymous, "7f"};
        CHECK(json::parse(prepared(klaviyo(), message)
                              .body)["data"]["attributes"]["profile"]["data"]["attributes"] ==
              json{{"email", "ada@example.com"}});
        message.address.clear();
        CHECK_FALSE(std::move(make_provider(klaviyo())).value()->prepare(message, now).has_value());
    }
}

TEST_CASE("Braze: a campaign, a canvas, a transactional campaign, a tracked event", "[providers]") {
    auto settings = braze();
    SECTION("a campaign") {
        const auto http = prepared(settings);
        CHECK(http.url == "https://rest.example/campaigns/trigger/send");
        CHECK(header(http, "authorization") == "Bearer key");
        CHECK(json::parse(http.body) == json::parse(R"({"campaign_id": "c1", "recipients": [
            {"external_user_id": "ada", "trigger_properties": {"total": 204.4,
             "sojourn_intent": "00000000000000010000000000000002",
             "unsubscribe_url": "https://shop.example/u/t1"}}]})"));
    }
    SECTION("a canvas") {
        settings.templates["cart-reminder"] = "canvas:x9";
        const auto http = prepared(settings);
        CHECK(http.url == "https://rest.example/canvas/trigger/send");
        CHECK(json::parse(http.body)["canvas_id"] == "x9");
        CHECK(json::parse(http.body)["recipients"][0].contains("canvas_entry_properties"));
    }
    SECTION("a transactional campaign has an idempotency key") {
        settings.templates["cart-reminder"] = "transactional:t7";
        const auto http = prepared(settings);
        CHECK(http.url == "https://rest.example/transactional/v1/campaigns/t7/send");
        CHECK(json::parse(http.body)["external_send_id"] == "00000000000000010000000000000002");
    }
    SECTION("a call") {
        const auto http = prepared(settings, call());
        CHECK(http.url == "https://rest.example/users/track");
        CHECK(json::parse(http.body)["events"][0]["external_id"] == "ada");
        CHECK(json::parse(http.body)["events"][0]["time"] == "2026-11-20T08:05:00.000Z");
    }
    SECTION("whom Braze does not know can't be reached") {
        auto message = mail();
        message.customer = {journeys::IdNamespace::email, "ada@example.com"};
        CHECK_FALSE(std::move(make_provider(settings)).value()->prepare(message, now).has_value());
    }
}

TEST_CASE("Postmark and Mailgun: the next provider is one file", "[providers]") {
    SECTION("Postmark, rendered here") {
        const auto http = prepared(postmark(), rendered_mail());
        CHECK(http.url == "https://api.postmarkapp.com/email");
        CHECK(header(http, "x-postmark-server-token") == "token");
        const auto body = json::parse(http.body);
        CHECK(body["To"] == "ada@example.com");
        CHECK(body["MessageStream"] == "broadcast");
        CHECK(body["Metadata"]["intent"] == "00000000000000010000000000000002");
        CHECK(body["Subject"] == "Still there – 10 %");
        CHECK(body["Headers"][0]["Name"] == "List-Unsubscribe");
    }
    SECTION("Postmark, a template of its own, several at once") {
        auto settings = postmark();
        settings.templates["cart-reminder"] = "cart";
        CHECK(prepared(settings).url == "https://api.postmarkapp.com/email/withTemplate");
        const auto provider = std::move(make_provider(settings)).value();
        const auto http =
            provider->prepare_batch({mail(), mail("bob@example.com", 3)}, now).value();
        CHECK(http.url == "https://api.postmarkapp.com/email/batchWithTemplates");
        CHECK(json::parse(http.body)["Messages"][1]["To"] == "bob@example.com");
    }
    SECTION("Mailgun") {
        auto settings = mailgun();
        settings.url = "https://api.eu.mailgun.net";
        const auto http = prepared(settings, rendered_mail());
        CHECK(http.url == "https://api.eu.mailgun.net/v3/mg.example.com/messages");
        CHECK(http.user == "api:key");
        CHECK(field(http, "to") == "ada@example.com");
        CHECK(field(http, "v:intent") == "00000000000000010000000000000002");
        CHECK(field(http, "h:List-Unsubscribe-Post") == "List-Unsubscribe=One-Click");
        CHECK(field(http, "html") == "<p>Your cart: 204.40</p>");
    }
}

TEST_CASE("SMTP: a mail that every reader understands", "[providers]") {
    auto settings = smtp();
    const auto mail = prepared(settings, rendered_mail());
    CHECK(mail.url == "smtp://mail.example:587");
    CHECK(mail.user == "shop:secret");
    CHECK(mail.mail_from == "shop@example.com");
    CHECK(mail.mail_to == "ada@example.com");
    CHECK(mail.must_encrypt);
    CHECK(mail.body.starts_with("Date: Fri, 20 Nov 2026 08:05:00 +0000\r\n"
                                "From: \"Northbound\" <shop@example.com>\r\n"
                                "To: ada@example.com\r\n"
                                "Subject: =?utf-8?B?U3RpbGwgdGhlcmUg4oCTIDEwICU=?=\r\n"
                                "Message-ID: <00000000000000010000000000000002@example.com>\r\n"));
    CHECK(mail.body.find("List-Unsubscribe: <https://shop.example/u/t1>\r\n"
                         "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n") !=
          std::string::npos);
    CHECK(mail.body.find("Content-Type: text/html") != std::string::npos);
    CHECK(mail.body.find(to_base64("<p>Your cart: 204.40</p>")) != std::string::npos);
    SECTION("nothing of a value ends its header") {
        auto evil = rendered_mail();
        evil.payload = with_subject(evil.payload, "Hi\r\nBcc: everybody@example.com");
        evil.address = "ada@example.com\r\nBcc: x@example.com";
        const auto safe = prepared(settings, evil);
        CHECK(safe.body.find("\r\nBcc:") == std::string::npos);
        CHECK(safe.mail_to.find('\r') == std::string::npos);
    }
    SECTION("a long subject is cut between characters") {
        auto long_one = rendered_mail();
        std::string subject;
        for (int i = 0; i < 60; ++i) subject += "ä";
        long_one.payload = with_subject(long_one.payload, subject);
        std::string decoded;
        const auto body = prepared(settings, long_one).body;
        const auto from = body.find("Subject: ") + 9;
        for (auto at = body.find("=?utf-8?B?", from);
             at != std::string::npos && at < body.find("\r\nMessage-ID", from);
             at = body.find("=?utf-8?B?", at + 1)) {
            const auto word = body.substr(at, body.find("?=", at) + 2 - at);
            CHECK(word.size() <= 75);
            const auto text = from_base64(word.substr(10, word.size() - 12)).value_or("?");
            CHECK(text.size() % 2 == 0);
            decoded += text;
        }
        CHECK(decoded == subject);
    }
}

TEST_CASE("what each provider's answers mean", "[providers]") {
    struct Row {
        ProviderSettings settings;
        long status;
        std::string body;
        Kind kind;
    };
    const std::vector<Row> rows{
        {sendgrid(), 202, "", Kind::accepted},
        {sendgrid(), 400, R"({"errors":[{"field":"from.email"}]})", Kind::rejected},
        {sendgrid(), 401, "", Kind::retry},
        {sendgrid(), 403, "", Kind::retry},
        {sendgrid(), 413, "", Kind::rejected},
        {sendgrid(), 429, "", Kind::retry},
        {sendgrid(), 500, "", Kind::unknown},
        {sendgrid(), 503, "", Kind::retry},
        {twilio(), 201, R"({"sid":"SM1","status":"queued"})", Kind::accepted},
        {twilio(), 400, R"({"code":21610})", Kind::rejected},
        {twilio(), 400, R"({"code":21211})", Kind::rejected},
        {twilio(), 403, R"({"code":21610})", Kind::rejected},
        {twilio(), 401, R"({"code":20003})", Kind::retry},
        {twilio(), 429, R"({"code":20429})", Kind::retry},
        {twilio(), 502, "", Kind::unknown},
        {klaviyo(), 202, "", Kind::accepted},
        {klaviyo(), 400, R"({"errors":[{"code":"invalid"}]})", Kind::rejected},
        {klaviyo(), 401, "", Kind::retry},
        {klaviyo(), 409, "", Kind::rejected},
        {klaviyo(), 429, "", Kind::retry},
        {klaviyo(), 504, "", Kind::unknown},
        {braze(), 201, R"({"message":"success","dispatch_id":"d"})", Kind::accepted},
        {braze(), 201, R"({"message":"success","dispatch_id":"d","errors":["minor"]})",
         Kind::accepted},
        {braze(), 201, R"({"message":"success","events_processed":0,"errors":[{}]})",
         Kind::rejected},
        {braze(), 400, R"({"message":"invalid"})", Kind::rejected},
        {braze(), 401, "", Kind::retry},
        {braze(), 500, "", Kind::unknown},
        {postmark(), 200, R"({"ErrorCode":0,"MessageID":"m"})", Kind::accepted},
        {postmark(), 422, R"({"ErrorCode":406})", Kind::rejected},
        {postmark(), 422, R"({"ErrorCode":100})", Kind::retry},
        {postmark(), 401, R"({"ErrorCode":10})", Kind::retry},
        {postmark(), 503, "", Kind::retry},
        {mailgun(), 200, R"({"id":"<x@mg>","message":"Queued."})", Kind::accepted},
        {mailgun(), 400, "", Kind::rejected},
        {mailgun(), 401, "", Kind::retry},
        {mailgun(), 502, "", Kind::unknown},
        {smtp(), 250, "", Kind::accepted},
        {smtp(), 421, "", Kind::retry},
        {smtp(), 450, "", Kind::retry},
        {smtp(), 535, "", Kind::retry},
        {smtp(), 550, "", Kind::rejected},
        {smtp(), 554, "", Kind::rejected}};
    for (const auto& row : rows) {
        CAPTURE(row.settings.type, row.status, row.body);
        CHECK(outcome(row.settings, row.status, row.body).kind == row.kind);
    }
    for (const auto& settings :
         {sendgrid(), twilio(), klaviyo(), braze(), postmark(), mailgun(), smtp()}) {
        const auto provider = std::move(make_provider(settings)).value();
        HttpResponse nothing;
        CHECK(provider->classify(nothing).kind == Kind::retry);
        nothing.may_have_arrived = true;
        CHECK(provider->classify(nothing).kind == Kind::unknown);
    }
}

TEST_CASE("a limit that is reached says when to come back", "[providers]") {
    HttpResponse response;
    response.status = 429;
    const auto wait = [&] {
        return std::move(make_provider(sendgrid())).value()->classify(response).retry_after;
    };
    CHECK(wait() == 0ms);
    response.rate_limit_reset = 30s;
    CHECK(wait() == 30s);
    response.retry_after = 7s;
    CHECK(wait() == 7s);
    CHECK(parse_rate_limit_reset("12", now) == 12s);
    CHECK(parse_rate_limit_reset(std::to_string((now + 90s).time_since_epoch().count()), now) ==
          90s);
    CHECK(parse_rate_limit_reset("1000000000", now) == 0s);
    CHECK_FALSE(parse_rate_limit_reset("soon", now));
}

TEST_CASE("details hold a code and nothing of a person", "[providers]") {
    CHECK(
        outcome(sendgrid(), 400,
                R"({"errors":[{"message":"ada@example.com is wrong","field":"personalizations"}]})")
            .detail == "HTTP 400 personalizations");
    CHECK(outcome(twilio(), 400, R"({"code":21211,"message":"+4915112345678 is no number"})")
              .detail == "HTTP 400 21211");
    CHECK(code_text("ada@example.com").find('@') == std::string::npos);
}

TEST_CASE("of a batch each item's own answer counts", "[providers]") {
    const auto provider = std::move(make_provider(postmark())).value();
    HttpResponse response;
    response.status = 200;
    response.body = R"([{"ErrorCode":0,"MessageID":"a"},{"ErrorCode":406},{"ErrorCode":300}])";
    const auto outcomes = provider->classify_batch(response, 4);
    REQUIRE(outcomes.size() == 4);
    CHECK(outcomes[0].kind == Kind::accepted);
    CHECK(outcomes[1].kind == Kind::rejected);
    CHECK(outcomes[2].kind == Kind::rejected);
    CHECK(outcomes[3].kind == Kind::unknown); // Taken, and not named.
    response.status = 401;
    for (const auto& each : provider->classify_batch(response, 2)) CHECK(each.kind == Kind::retry);
}

TEST_CASE("of Braze's answer to several each that it names is left out", "[providers]") {
    const auto provider = std::move(make_provider(braze())).value();
    HttpResponse response;
    response.status = 201;
    response.body = R"({"message":"success","dispatch_id":"d1","errors":[
        {"type":"'external_id' is required","input_array":"events","index":1},
        {"type":"a remark"},{"index":7},{"index":-1},{"index":"x"},3]})";
    const auto outcomes = provider->classify_batch(response, 3);
    REQUIRE(outcomes.size() == 3);
    CHECK(outcomes[0].kind == Kind::accepted);
    CHECK(outcomes[0].detail == "d1");
    CHECK(outcomes[1].kind == Kind::rejected);
    CHECK(outcomes[2].kind == Kind::accepted);
    response.status = 500;
    for (const auto& each : provider->classify_batch(response, 3))
        CHECK(each.kind == Kind::unknown);
}

TEST_CASE("an answer that ends an address says so", "[providers]") {
    const auto revealed = [](const ProviderSettings& settings, long status,
                             const std::string& body) {
        HttpResponse response;
        response.status = status;
        response.body = body;
        return std::move(make_provider(settings)).value()->revealed(response);
    };
    const auto stop = revealed(twilio(), 400, R"({"code":21610})");
    REQUIRE(stop);
    CHECK(stop->kind == journeys::FeedbackKind::unsubscribed);
    CHECK(stop->stop);
    const auto dead = revealed(twilio(), 400, R"({"code":21614})");
    REQUIRE(dead);
    CHECK(dead->permanent);
    CHECK_FALSE(revealed(twilio(), 400, R"({"code":21612345})"));
    CHECK_FALSE(revealed(twilio(), 201, R"({"sid":"SM1"})"));
    CHECK(revealed(postmark(), 422, R"({"ErrorCode":406})"));
    CHECK_FALSE(revealed(postmark(), 200, R"({"ErrorCode":0})"));
    CHECK_FALSE(revealed(sendgrid(), 400, ""));

    HttpResponse batch;
    batch.status = 200;
    batch.body = R"([{"ErrorCode":0},{"ErrorCode":406}])";
    const auto provider = std::move(make_provider(postmark())).value();
    CHECK_FALSE(provider->revealed_in_batch(batch, 0));
    CHECK(provider->revealed_in_batch(batch, 1));
    CHECK_FALSE(provider->revealed_in_batch(batch, 2));
}
