#include "runtime/preference_page.hpp"

#include "journeys/policy.hpp"

#include <algorithm>

namespace runtime {
namespace {

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        case '\'': out += "&#39;"; break;
        default: out += c;
        }
    }
    return out;
}

std::string page(std::string_view title, std::string_view body) {
    return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
           "<meta name=\"robots\" content=\"noindex\">\n<title>" +
           escaped(title) +
           "</title>\n<style>body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;"
           "margin:2rem auto;padding:0 1rem;color:#111;background:#fff}"
           "label{display:block;padding:.4rem 0}input[type=checkbox]{width:1.2rem;height:1.2rem;"
           "vertical-align:middle;margin-right:.6rem}button{font:inherit;padding:.6rem 1.2rem;"
           "margin:.6rem .6rem 0 0;border:2px solid #111;border-radius:.3rem;background:#fff;"
           "color:#111}button.first{background:#111;color:#fff}fieldset{border:1px solid #767676;"
           "border-radius:.3rem}</style>\n</head>\n<body>\n<main>\n<h1>" +
           escaped(title) + "</h1>\n" + std::string{body} + "</main>\n</body>\n</html>\n";
}

std::string topic_name(std::string_view topic) {
    return topic.empty() ? "Everything else" : std::string{topic};
}

std::string medium(std::string_view channel) {
    if (channel == "email") return "e-mails";
    if (channel == "sms") return "text messages";
    return "messages by " + std::string{channel};
}

} // namespace

std::vector<TopicChoice> topic_choices(const journeys::Customer& customer,
                                       const journeys::Settings& settings, std::string_view channel,
                                       std::string_view topic) {
    std::vector<std::string> topics = settings.topics;
    if (std::ranges::find(topics, topic) == topics.end()) topics.emplace_back(topic);
    const auto* rules = settings.channel(channel);
    std::vector<TopicChoice> choices;
    for (const auto& each : topics) {
        const auto state = journeys::consent_of(customer, channel, each);
        const bool asks_nobody = rules && !journeys::needs_opt_in(customer, *rules);
        choices.push_back({each,
                           state == journeys::ConsentState::subscribed ||
                               (state == journeys::ConsentState::never && asks_nobody),
                           state == journeys::ConsentState::pending});
    }
    return choices;
}

std::string preference_page(const std::vector<TopicChoice>& choices, std::string_view channel,
                            std::string_view asked, bool saved) {
    std::string body;
    if (saved) body += "<p role=\"status\"><strong>Saved.</strong></p>\n";
    body += "<form method=\"post\">\n<fieldset>\n<legend>Which " + escaped(medium(channel)) +
            " do you want to get?</legend>\n";
    std::size_t number = 0;
    for (const auto& choice : choices) {
        const auto id = "t" + std::to_string(number++);
        body += "<label for=\"" + id + "\"><input type=\"checkbox\" id=\"" + id +
                "\" name=\"topic\" value=\"" + escaped(choice.topic) + '"' +
                (choice.is_wanted ? " checked" : "") + "> " + escaped(topic_name(choice.topic)) +
                (choice.is_pending ? " (not yet confirmed)" : "") + "</label>\n";
    }
    body += "</fieldset>\n<button class=\"first\" name=\"save\" value=\"1\">Save</button>\n";
    if (!asked.empty() || choices.size() == 1)
        body += "<button name=\"stop\" value=\"1\">No more: " + escaped(topic_name(asked)) +
                "</button>\n";
    body += "<button name=\"all\" value=\"none\">No more " + escaped(medium(channel)) +
            " at all</button>\n</form>\n"
            "<p>Messages about an order that you have placed come in any case.</p>\n";
    return page("Your preferences", body);
}

std::string confirm_page(std::string_view topic, bool done) {
    if (done) return page("Thank you", "<p role=\"status\">Your subscription is confirmed.</p>\n");
    return page("Confirm your subscription",
                "<form method=\"post\">\n<p>" +
                    (topic.empty() ? std::string{"You asked to hear from us."}
                                   : "You asked to hear from us: " + escaped(topic) + ".") +
                    "</p>\n<button class=\"first\" name=\"confirm\" value=\"1\">Yes, "
                    "subscribe</button>\n</form>\n");
}

std::string notice_page(std::string_view title, std::string_view text) {
    return page(title, "<p role=\"status\">" + escaped(text) + "</p>\n");
}

} // namespace runtime
