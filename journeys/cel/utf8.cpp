#include "journeys/cel/utf8.hpp"

namespace journeys::cel {
namespace {

/// The length of the sequence that starts here, or 0 where it is malformed.
std::size_t sequence(std::string_view text, std::uint32_t& code_point) {
    const auto octet = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::uint32_t lead = octet(0);
    code_point = lead;
    if (lead < 0x80) return 1;
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return 0;
    code_point = lead & (0x7Fu >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if ((octet(i) & 0xC0) != 0x80) return 0;
        code_point = code_point << 6 | (octet(i) & 0x3Fu);
    }
    if (size == 3 && (code_point < 0x800 || (code_point >= 0xD800 && code_point < 0xE000)))
        return 0;
    if (size == 4 && (code_point < 0x10000 || code_point > 0x10FFFF)) return 0;
    return size;
}

} // namespace

bool is_utf8(std::string_view octets) {
    while (!octets.empty()) {
        std::uint32_t code_point = 0;
        const auto size = sequence(octets, code_point);
        if (size == 0) return false;
        octets.remove_prefix(size);
    }
    return true;
}

std::uint32_t code_point_at(std::string_view text, std::size_t at) {
    std::uint32_t code_point = 0;
    return sequence(text.substr(at), code_point) == 0 ? 0xFFFD : code_point;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
    const auto put = [&](std::uint32_t octet) { out.push_back(static_cast<char>(octet)); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xC0 | code_point >> 6);
        put(0x80 | (code_point & 0x3F));
    } else if (code_point < 0x10000) {
        put(0xE0 | code_point >> 12);
        put(0x80 | (code_point >> 6 & 0x3F));
        put(0x80 | (code_point & 0x3F));
    } else {
        put(0xF0 | code_point >> 18);
        put(0x80 | (code_point >> 12 & 0x3F));
        put(0x80 | (code_point >> 6 & 0x3F));
        put(0x80 | (code_point & 0x3F));
    }
}

} // namespace journeys::cel
