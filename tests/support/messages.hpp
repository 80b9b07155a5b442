/// Messages as channels are given them, and providers as sojourn.yaml would set them up.
#pragma once

#include "runtime/channels/provider.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace support {

inline actors::ProviderRequest mail(const std::string& address = "ada@example.com",
                                    std::uint64_t intent = 2) {
    actors::ProviderRequest message;
    message.channel = "email";
    message.intent = {1, intent};
    message.customer = {journeys::IdNamespace::user, "ada"};
    message.address = address;
    message.payload =
        R"({"intent":"00000000000000010000000000000002","customer":"ada","journey":"cart-abandon",
"version":"9f2c","step":"touch","channel":"email","template":"cart-reminder","topic":"cart",
"purpose":"marketing","at":"2026-11-20T08:05:00.000Z","data":{"total":204.4},
"links":{"unsubscribe":"https://shop.example/u/t1","preferences":"https://shop.example/u/t2"}})";
    return message;
}

inline std::string with(const std::string& payload, const char* key, const nlohmann::json& value) {
    auto object = nlohmann::json::parse(payload);
    object[key] = value;
    return object.dump();
}

inline actors::ProviderRequest rendered_mail() {
    auto message = mail();
    message.payload = with(message.payload, "template", "text-of-ours");
    message.payload =
        with(message.payload, "message",
             {{"subject", "Still there – 10 %"}, {"body", "<p>Your cart: 204.40</p>"}});
    return message;
}

inline std::string with_subject(const std::string& payload, const std::string& subject) {
    auto object = nlohmann::json::parse(payload);
    object["message"]["subject"] = subject;
    return object.dump();
}

inline actors::ProviderRequest sms(const std::string& text = "Hallo Ada & co – 10 %") {
    auto message = mail("+4915112345678");
    message.channel = "sms";
    message.payload = with(message.payload, "template", "text-of-ours");
    message.payload = with(message.payload, "message", {{"body", text}});
    return message;
}

/// A journey's `call`: no message, so no purpose and no links.
inline actors::ProviderRequest call() {
    auto message = mail("");
    auto object = nlohmann::json::parse(message.payload);
    object.erase("purpose");
    object.erase("links");
    object.erase("template");
    message.payload = object.dump();
    return message;
}

inline runtime::ProviderSettings provider(std::string type) {
    runtime::ProviderSettings settings;
    settings.channel = "email";
    settings.type = std::move(type);
    settings.address = "email";
    settings.from = "Northbound <shop@example.com>";
    settings.options["key"] = "key";
    settings.feedback_url = "https://shop.example/v1/feedback/email";
    return settings;
}

inline runtime::ProviderSettings sendgrid() {
    auto settings = provider("sendgrid");
    settings.options["key"] = "SG.key";
    settings.templates["cart-reminder"] = "d-00000000000000000000000000000001";
    return settings;
}
inline runtime::ProviderSettings twilio() {
    auto settings = provider("twilio");
    settings.channel = "sms";
    settings.address = "phone";
    settings.from = "+15017122661";
    settings.options = {{"account_sid", "AC00000000000000000000000000000001"},
                        {"auth_token", "auth-token"}};
    settings.feedback_url = "https://shop.example/v1/feedback/sms";
    return settings;
}
inline runtime::ProviderSettings klaviyo() {
    auto settings = provider("klaviyo");
    settings.options["key"] = "pk_test";
    settings.templates["cart-reminder"] = "Cart Reminder";
    return settings;
}
inline runtime::ProviderSettings braze() {
    auto settings = provider("braze");
    settings.url = "https://rest.example";
    settings.templates["cart-reminder"] = "c1";
    return settings;
}
inline runtime::ProviderSettings postmark() {
    auto settings = provider("postmark");
    settings.options["key"] = "token";
    return settings;
}
inline runtime::ProviderSettings mailgun() {
    auto settings = provider("mailgun");
    settings.options["domain"] = "mg.example.com";
    return settings;
}
inline runtime::ProviderSettings smtp() {
    auto settings = provider("smtp");
    settings.url = "smtp://mail.example:587";
    settings.options = {{"user", "shop"}, {"password", "secret"}};
    return settings;
}

} // namespace support
