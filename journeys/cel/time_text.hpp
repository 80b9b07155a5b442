/// Timestamps and durations as text, in CEL's forms.
#pragma once

#include "journeys/cel/value.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace journeys::cel {

inline constexpr std::int64_t seconds_min = -62135596800; ///< 0001-01-01T00:00:00Z
inline constexpr std::int64_t seconds_max = 253402300799; ///< 9999-12-31T23:59:59Z

/// Reads RFC 3339 with any offset. Nothing for other text, and outside of the years 1 to 9999.
std::optional<Value> parse_timestamp(std::string_view text);

/// Reads `1990-05-17` (midnight, UTC), `05-17` (in 2000, a leap year) and what `parse_timestamp`
/// reads.
std::optional<Value> parse_date(std::string_view text);

/// Reads "1h30m", "-1.5h", "0"; units h m s ms us ns. Nothing for other text and for what passes an
/// int64 of nanoseconds.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// UTC, with the fraction digits that matter.
void append_timestamp(std::string& out, Value timestamp);
/// Seconds, with the fraction digits that matter: "60.001s".
void append_duration(std::string& out, std::chrono::nanoseconds span);
/// The shortest text that reads back; "NaN", "Infinity", "-Infinity".
void append_double(std::string& out, double value);

} // namespace journeys::cel
