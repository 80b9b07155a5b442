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

} // namespace journeys::cel
