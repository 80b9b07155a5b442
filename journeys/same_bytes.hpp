/// Equality of short texts without a call: names of fields, codes of countries, ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace journeys {

/// `size` bytes of each can be read.
inline bool same_bytes(const char* left, const char* right, std::size_t size) {
    // Two loads that overlap cover every size between theirs and twice theirs.
    const auto both_ends = [&]<class Word>(Word) {
        Word first[2], last[2];
        std::memcpy(&first[0], left, sizeof(Word));
        std::memcpy(&first[1], right, sizeof(Word));
        std::memcpy(&last[0], left + size - sizeof(Word), sizeof(Word));
        std::memcpy(&last[1], right + size - sizeof(Word), sizeof(Word));
        return first[0] == first[1] && last[0] == last[1];
    };
    if (size > 16) return std::memcmp(left, right, size) == 0;
    if (size >= 8) return both_ends(std::uint64_t{});
    if (size >= 4) return both_ends(std::uint32_t{});
    if (size >= 2) return both_ends(std::uint16_t{});
    return size == 0 || *left == *right;
}

inline bool same_text(std::string_view left, std::string_view right) {
    return left.size() == right.size() && same_bytes(left.data(), right.data(), left.size());
}

} // namespace journeys
