#include "journeys/cel/quote.hpp"

#include <cstdint>

namespace journeys::cel {
namespace {

const char* escape_of(char c) {
    switch (c) {
    case '\a': return "\\a";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    case '\v': return "\\v";
    case '\\': return "\\\\";
    case '"': return "\\\"";
    default: return nullptr;
    }
}

} // namespace

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (const char* const escape = escape_of(c))
            out += escape;
        else
            out += c;
    }
    out += '"';
}

void append_quoted_bytes(std::string& out, std::string_view octets) {
    static constexpr char hex[] = "0123456789abcdef";
    out += "b\"";
    for (const char c : octets) {
        const auto octet = static_cast<unsigned char>(c);
        if (const char* const escape = escape_of(c)) {
            out += escape;
        } else if (octet >= 0x20 && octet < 0x7F) {
            out += c;
        } else {
            out += "\\x";
            out += hex[octet >> 4];
            out += hex[octet & 15];
        }
    }
    out += '"';
}

void append_base64(std::string& out, std::string_view octets) {
    static constexpr char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto at = [&](std::size_t i) {
        return i < octets.size() ? static_cast<unsigned char>(octets[i]) : 0u;
    };
    for (std::size_t i = 0; i < octets.size(); i += 3) {
        const std::uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
        out += digits[group >> 18];
        out += digits[group >> 12 & 63];
        out += i + 1 < octets.size() ? digits[group >> 6 & 63] : '=';
        out += i + 2 < octets.size() ? digits[group & 63] : '=';
    }
}

} // namespace journeys::cel
