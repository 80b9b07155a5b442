#include "journeys/duration_text.hpp"

#include <charconv>

namespace journeys {

std::optional<Duration> parse_duration(std::string_view text, Duration most) {
    if (text.empty()) return std::nullopt;
    Duration total{};
    while (!text.empty()) {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        const auto digits = static_cast<std::size_t>(end - text.data());
        if (error != std::errc{} || digits == text.size() || number < 0) return std::nullopt;
        Duration unit{};
        switch (text[digits]) {
        case 's': unit = std::chrono::seconds{1}; break;
        case 'm': unit = std::chrono::minutes{1}; break;
        case 'h': unit = std::chrono::hours{1}; break;
        case 'd': unit = std::chrono::hours{24}; break;
        case 'w': unit = std::chrono::hours{7 * 24}; break;
        default: return std::nullopt;
        }
        if (number > (most - total) / unit) return std::nullopt; // Never past `most`, nor wraps.
        total += number * unit;
        text.remove_prefix(digits + 1);
    }
    return total;
}

} // namespace journeys
