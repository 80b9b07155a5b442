/// Times as producers write them. Looser than RFC 3339, because a message is not lost for a missing
/// zone.
#pragma once

#include "journeys/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace schema {

/// ISO 8601: date, `T` or blank, hours and minutes, and optionally seconds, a fraction (cut to
/// milliseconds) and `Z`, `+hh:mm`, `+hhmm` or `+hh`; a date alone is its midnight. No zone means
/// UTC. Years 0001 to 9999.
std::optional<journeys::Timestamp> parse_producer_time(std::string_view text);

/// `2026-11-20T08:00:20.000Z`.
std::string timestamp_text(journeys::Timestamp at);

} // namespace schema
