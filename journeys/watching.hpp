/// Whether a journey does what its file expects of it: silence is the worst failure, for nobody
/// notices it.
#pragma once

#include "journeys/definition.hpp"
#include "journeys/reason.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace journeys {

/// What a journey did in the last 24 hours.
struct DayOfSends {
    std::uint64_t sent = 0;                                     ///< Messages handed over.
    std::array<std::uint64_t, all_reasons.size()> suppressed{}; ///< By reason.

    void add(Reason reason, std::uint64_t count = 1) {
        suppressed[static_cast<std::size_t>(reason)] += count;
    }
    /// Not sent, the held-out apart: these are left out on purpose.
    std::uint64_t not_sent() const;
    /// Of what was ready to be sent; 0 where nothing was.
    double share_not_sent() const;
};

enum class Alarm : std::uint8_t { none, silent, flooding, suppressed };
std::string_view to_text(Alarm alarm);

/// `live_for`: how long the journey has been live and watched; before it is a day nobody can say
/// that it sends too little.
Alarm alarm_of(const Watch& watch, const DayOfSends& day, Duration live_for);

/// For people: `3 sent in 24 hours, at least 50 are expected`, or where all is well
/// `812 sent in 24 hours (at least 50), 12 % not sent (below 40 %)`.
std::string told(const Watch& watch, const DayOfSends& day, Alarm alarm);

/// Shares of fewer messages say nothing.
inline constexpr std::uint64_t watched_messages_min = 20;

} // namespace journeys
