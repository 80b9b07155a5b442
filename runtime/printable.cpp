#include "runtime/printable.hpp"

#include "journeys/cel/utf8.hpp"

#include <algorithm>
#include <cstdint>

namespace runtime {
namespace {

namespace cel = journeys::cel;

constexpr std::uint32_t no_code_point = 0xfffd;

bool is_control(std::uint32_t point) { return point < 0x20 || (point >= 0x7f && point < 0xa0); }

/// Breaks of lines and paragraphs; marks, embeddings and isolates of the bidirectional algorithm
/// (UAX #9), with which a text can show itself in another order than it has.
bool rearranges(std::uint32_t point) {
    return point == 0x2028 || point == 0x2029 || point == 0x061c || point == 0x200e ||
           point == 0x200f || (point >= 0x202a && point <= 0x202e) ||
           (point >= 0x2066 && point <= 0x2069);
}

void append_hex(std::string& out, std::uint32_t number, int digits) {
    constexpr std::string_view hex = "0123456789abcdef";
    for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += hex[number >> shift & 0xf];
}

void append_escaped(std::string& out, std::uint32_t point) {
    switch (point) {
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: out += "\\u"; append_hex(out, point, 4);
    }
}

std::string escaped(std::string_view text, bool keeps_lines) {
    const bool is_plain = std::ranges::all_of(
        text, [&](char c) { return (c >= ' ' && c < 0x7f) || (keeps_lines && c == '\n'); });
    if (is_plain) return std::string{text};
    std::string out;
    out.reserve(text.size() + 16);
    for (std::size_t at = 0; at < text.size();) {
        const auto point = cel::code_point_at(text, at);
        std::string itself;
        cel::append_utf8(itself, point);
        if (point == no_code_point && !text.substr(at).starts_with(itself)) {
            out += "\\x";
            append_hex(out, static_cast<unsigned char>(text[at++]), 2);
            continue;
        }
        if ((is_control(point) && !(keeps_lines && point == '\n')) || rearranges(point))
            append_escaped(out, point);
        else
            out += itself;
        at += itself.size();
    }
    return out;
}

} // namespace

std::string printable(std::string_view text) { return escaped(text, false); }

std::string printable_lines(std::string_view text) { return escaped(text, true); }

} // namespace runtime
