/// Journeys that are entered at a date: which day is meant, and when it comes next.
#pragma once

#include "journeys/cel/value.hpp"
#include "journeys/definition.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace journeys {

/// A day as a shop stores it.
struct CalendarDay {
    std::optional<int> year; ///< None: of every year, as in `05-17`.
    unsigned month = 1, day = 1;
};

/// Reads a timestamp, or a text: `1990-05-17`, `05-17`, or an instant of RFC 3339. An instant is a
/// day of `zone`, but at midnight UTC it is the day as written, since birthdays are stored so.
std::optional<CalendarDay> calendar_day(const cel::Value& value, std::string_view zone);

struct Occurrence {
    std::int32_t day = 0; ///< Since 1970: the date itself, without the offset.
    Timestamp due{};
};

/// The next one after that of `last_day`. One whose instant has passed at `at` counts where it was
/// on the day that it still is in `zone`, and is due at once: who tells their birthday on their
/// birthday is congratulated. The date itself is the first of its repetitions only where it is
/// still to come. 29 February, and the 29th to the 31st, are the last day of a shorter month.
std::optional<Occurrence> next_occurrence(const DateEntry& entry, const CalendarDay& date,
                                          std::string_view zone, Timestamp at,
                                          std::int32_t last_day);

/// `2026-05-17`.
std::string day_text(std::int32_t day);

} // namespace journeys
