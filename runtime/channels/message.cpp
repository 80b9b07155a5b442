#include "runtime/channels/message.hpp"

#include "runtime/foreign_json.hpp"

#include <utility>

namespace runtime {

using nlohmann::json;

journeys::Result<Message> read_message(const actors::ProviderRequest& request) {
    const auto payload = parse_json(request.payload);
    if (!payload.is_object())
        return journeys::Error{journeys::ErrorCode::invalid_argument, "the payload is no object"};
    Message message;
    message.intent = journeys::to_text(request.intent);
    message.customer = text_at(payload, "customer");
    message.journey = text_at(payload, "journey");
    message.step = text_at(payload, "step");
    message.template_name = text_at(payload, "template");
    message.topic = text_at(payload, "topic");
    message.from = text_at(payload, "from");
    message.at = text_at(payload, "at");
    const auto purpose = text_at(payload, "purpose");
    message.is_marketing = purpose != "transactional";
    message.is_call = purpose.empty();
    if (const auto data = payload.find("data"); data != payload.end() && data->is_object())
        message.data = *data;
    if (const auto links = payload.find("links"); links != payload.end() && links->is_object()) {
        message.unsubscribe_url = text_at(*links, "unsubscribe");
        message.preferences_url = text_at(*links, "preferences");
    }
    if (const auto text = payload.find("message"); text != payload.end() && text->is_object())
        message.rendered = Message::Rendered{text_at(*text, "subject"), text_at(*text, "preheader"),
                                             text_at(*text, "body")};
    return message;
}

Mailbox parse_mailbox(std::string_view text) {
    const auto trim = [](std::string_view part) {
        const auto first = part.find_first_not_of(" \t\"");
        if (first == std::string_view::npos) return std::string{};
        return std::string{part.substr(first, part.find_last_not_of(" \t\"") - first + 1)};
    };
    const auto open = text.find('<'), close = text.find('>');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open)
        return {"", trim(text)};
    return {trim(text.substr(0, open)), trim(text.substr(open + 1, close - open - 1))};
}

bool is_html(std::string_view body) {
    const auto first = body.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && body[first] == '<' &&
           body.find("</") != std::string_view::npos;
}

std::string plain_text(std::string_view html) {
    if (!is_html(html)) return std::string{html};
    std::string out;
    bool in_tag = false;
    std::string tag, link;
    const auto ends_line = [](std::string_view name) {
        for (const auto* block : {"/p", "br", "br/", "/div", "/tr", "/li", "/h1", "/h2", "/h3"})
            if (name == block) return true;
        return false;
    };
    for (const char c : html) {
        if (in_tag) {
            if (c != '>') {
                tag += c;
                continue;
            }
            in_tag = false;
            const auto name = tag.substr(0, tag.find_first_of(" \t\r\n"));
            if (ends_line(name)) out += '\n';
            if (name == "a") {
                const auto from = tag.find("href=\"");
                const auto to = from == std::string::npos ? from : tag.find('"', from + 6);
                link = to == std::string::npos ? "" : tag.substr(from + 6, to - from - 6);
            } else if (name == "/a" && !link.empty()) {
                out += " (" + std::exchange(link, {}) + ')';
            }
        } else if (c == '<') {
            in_tag = true;
            tag.clear();
        } else {
            out += c;
        }
    }
    static constexpr std::pair<std::string_view, std::string_view> entities[]{
        {"&lt;", "<"},   {"&gt;", ">"},   {"&quot;", "\""}, {"&#39;", "'"},
        {"&apos;", "'"}, {"&nbsp;", " "}, {"&amp;", "&"}};
    for (const auto& [entity, text] : entities)
        for (auto at = out.find(entity); at != std::string::npos;
             at = out.find(entity, at + text.size()))
            out.replace(at, entity.size(), text);
    return out;
}

} // namespace runtime
