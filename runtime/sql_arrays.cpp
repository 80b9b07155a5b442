#include "runtime/sql_arrays.hpp"

#include <string_view>

namespace runtime {
namespace {

/// `{"…","…"}`; `append` writes what stands between the quotes.
template <class Append>
std::string quoted_array(const std::vector<std::string>& values, Append append) {
    std::string text = "{";
    for (const auto& value : values) {
        text += text.size() > 1 ? ",\"" : "\"";
        append(text, value);
        text += '"';
    }
    return text + '}';
}

} // namespace

std::string bytea_array(const std::vector<std::string>& values) {
    constexpr std::string_view digits = "0123456789abcdef";
    return quoted_array(values, [&](std::string& text, const std::string& value) {
        text += "\\\\x";
        for (const char c : value) {
            text += digits[static_cast<unsigned char>(c) >> 4];
            text += digits[static_cast<unsigned char>(c) & 15];
        }
    });
}

std::string text_array(const std::vector<std::string>& values) {
    return quoted_array(values, [](std::string& text, const std::string& value) {
        for (const char c : value) {
            if (c == '"' || c == '\\') text += '\\';
            if (c != '\0') text += c; // PostgreSQL has no text with it.
        }
    });
}

std::string int_array(const std::vector<std::int64_t>& values) {
    std::string text = "{";
    for (const auto value : values) text += (text.size() > 1 ? "," : "") + std::to_string(value);
    return text + '}';
}

} // namespace runtime
