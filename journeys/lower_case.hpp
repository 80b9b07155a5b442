/// The lower case of ASCII's letters, whatever the locale; all other bytes stay as they are.
#pragma once

#include <string>
#include <string_view>

namespace journeys {

constexpr char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline std::string to_lower(std::string_view text) {
    std::string lower{text};
    for (auto& c : lower) c = to_lower(c);
    return lower;
}

} // namespace journeys
