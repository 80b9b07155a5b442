#include "runtime/channels/message.hpp"

#include "journeys/local_time.hpp"

#include <algorithm>
#include <cmath>

namespace runtime {

using nlohmann::json;

namespace {

/// A message of ours has 64 levels at most, and something around it.
constexpr int json_depth_max = 100;

/// A million open brackets are a million values, whatever becomes of them.
bool is_too_deep(std::string_view text) {
    int depth = 0;
    bool is_in_text = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_in_text && c == '\\')
            ++i;
        else if (c == '"')
            is_in_text = !is_in_text;
        else if (!is_in_text && (c == '[' || c == '{') && ++depth > json_depth_max)
            return true;
        else if (!is_in_text && (c == ']' || c == '}'))
            --depth;
    }
    return false;
}

} // namespace

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

std::string to_text(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
                              c == '~';
        if (is_plain) {
            out += c;
        } else {
            out += '%';
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
    }
    return out;
}

std::string to_form(const std::vector<std::pair<std::string, std::string>>& fields) {
    std::string out;
    for (const auto& [name, value] : fields)
        out += (out.empty() ? "" : "&") + percent_encode(name) + '=' + percent_encode(value);
    return out;
}

std::vector<std::pair<std::string, std::string>> parse_form(std::string_view text) {
    const auto digit = [](char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        if (c >= 'A' && c <= 'F') return c - 'A' + 10;
        return -1;
    };
    const auto decode = [&](std::string_view part) {
        std::string out;
        for (std::size_t i = 0; i < part.size(); ++i) {
            if (part[i] == '%' && i + 2 < part.size() && digit(part[i + 1]) >= 0 &&
                digit(part[i + 2]) >= 0) {
                out += static_cast<char>(digit(part[i + 1]) * 16 + digit(part[i + 2]));
                i += 2;
            } else {
                out += part[i] == '+' ? ' ' : part[i];
            }
        }
        return out;
    };
    std::vector<std::pair<std::string, std::string>> fields;
    while (!text.empty()) {
        const auto end = std::min(text.find('&'), text.size());
        const auto field = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (field.empty()) continue;
        const auto split = std::min(field.find('='), field.size());
        fields.emplace_back(decode(field.substr(0, split)),
                            decode(field.substr(std::min(split + 1, field.size()))));
    }
    return fields;
}

json parse_json(std::string_view text) {
    if (is_too_deep(text)) return json::value_t::discarded;
    return json::parse(text, nullptr, false);
}

std::string text_at(const json& object, const char* key) {
    if (!object.is_object()) return {};
    const auto found = object.find(key);
    if (found == object.end()) return {};
    if (found->is_string()) return found->get<std::string>();
    if (found->is_number()) return found->dump();
    return {};
}

bool flag_at(const json& object, const char* key) {
    if (!object.is_object()) return false;
    const auto found = object.find(key);
    if (found == object.end()) return false;
    return found->is_boolean() ? found->get<bool>() : *found == "true";
}

std::optional<journeys::Timestamp> epoch_at(const json& object, const char* key) {
    const auto text = text_at(object, key);
    if (text.empty()) return std::nullopt;
    char* end = nullptr;
    const double seconds = std::strtod(text.c_str(), &end);
    constexpr double last = 253'402'300'799; // The year 9999.
    if (end != text.c_str() + text.size() || !std::isfinite(seconds) || seconds <= 0 ||
        seconds > last)
        return std::nullopt;
    return journeys::from_millis(static_cast<std::int64_t>(std::llround(seconds * 1000)));
}

std::optional<journeys::Timestamp> time_at(const json& object, const char* key) {
    return journeys::parse_timestamp(text_at(object, key), true);
}

std::string code_text(std::string_view text, std::size_t bytes) {
    std::string out;
    for (const char c : text.substr(0, bytes))
        out += c > ' ' && c < '\x7f' && c != '@' ? c : ' '; // No address comes through this.
    return out;
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
