/// Local times in IANA zones. In a gap the first instant after it, in a fold the first (rule 11).
#pragma once

#include "journeys/time.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace journeys {

bool is_known_zone(std::string_view zone);

/// The instant at `minutes` of the local day `day` in `zone`; an unknown zone counts as UTC.
Timestamp at_local(std::string_view zone, std::chrono::local_days day,
                   std::chrono::minutes minutes);
struct LocalMoment {
    std::chrono::local_days day;
    std::chrono::minutes minutes; ///< Of the day, rounded down.
    unsigned weekday;             ///< 0 is Sunday.
};
LocalMoment to_local(std::string_view zone, Timestamp at);

/// The first instant at or after `from` that is `time` on one of `weekdays` (bit 0 Sunday) in
/// `zone`.
Timestamp next_local(std::string_view zone, Timestamp from, std::chrono::minutes time,
                     std::uint8_t weekdays = 0x7f);

/// RFC 3339 in UTC with milliseconds: `2015-06-02T05:47:12.123Z`.
std::string to_text(Timestamp at);
/// RFC 3339 with any offset and fraction (cut to milliseconds); a missing zone counts as UTC only
/// where allowed.
std::optional<Timestamp> parse_timestamp(std::string_view text, bool zone_optional = false);

} // namespace journeys
