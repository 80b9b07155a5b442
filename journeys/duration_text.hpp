/// Spans as people write them in journeys: `45m`, `1d12h`.
#pragma once

#include "journeys/time.hpp"

#include <optional>
#include <string_view>

namespace journeys {

/// The longest span that a file may name: ten years.
inline constexpr Duration duration_max = std::chrono::hours{24 * 3660};

/// `30s 45m 20h 7d 2w` and sums of them; nothing for anything else, and for more than `most`.
std::optional<Duration> parse_duration(std::string_view text, Duration most);

} // namespace journeys
