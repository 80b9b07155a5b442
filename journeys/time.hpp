/// Instants and spans of the core: UTC, in milliseconds. Nothing here reads a clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace journeys {

using Duration = std::chrono::milliseconds;
using Timestamp = std::chrono::sys_time<Duration>;

/// The instants that a state may hold: years 0001 to 9999, as CEL and RFC 3339 have them.
inline constexpr Timestamp timestamp_min{Duration{-62135596800000}};
inline constexpr Timestamp timestamp_max{Duration{253402300799999}};
/// Stands where a due time is absent: it never comes.
inline constexpr Timestamp no_time = timestamp_max;

constexpr std::int64_t to_millis(Timestamp at) { return at.time_since_epoch().count(); }
constexpr Timestamp from_millis(std::int64_t millis) { return Timestamp{Duration{millis}}; }

} // namespace journeys
