/// Texts by code points. Texts are taken to be UTF-8; a stray octet counts as one code point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace journeys::cel {

/// Code points are counted by the octets that begin one.
inline bool begins_code_point(char octet) {
    return (static_cast<unsigned char>(octet) & 0xC0) != 0x80;
}

inline std::size_t count_code_points(std::string_view text) {
    std::size_t count = 0;
    for (const char octet : text) count += begins_code_point(octet) ? 1 : 0;
    return count;
}

/// The offset of the n-th code point; the text's size for n = count, npos past it.
inline std::size_t offset_of_code_point(std::string_view text, std::size_t index) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (begins_code_point(text[at]) && index-- == 0) return at;
    }
    return index == 0 ? text.size() : std::string_view::npos;
}

/// The offset behind the code point that starts at `at`.
inline std::size_t end_of_code_point(std::string_view text, std::size_t at) {
    do ++at;
    while (at < text.size() && !begins_code_point(text[at]));
    return at;
}

/// Whether the octets are UTF-8 as RFC 3629 has it: no surrogates, no overlong forms.
bool is_utf8(std::string_view octets);

/// The code point that starts at `at`, or U+FFFD for what is none.
std::uint32_t code_point_at(std::string_view text, std::size_t at);

void append_utf8(std::string& out, std::uint32_t code_point);

} // namespace journeys::cel
