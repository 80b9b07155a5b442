#include "runtime/foreign_json.hpp"

#include "journeys/local_time.hpp"

#include <cmath>
#include <cstdlib>

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

std::string to_text(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
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

} // namespace runtime
