#include "journeys/date_entry.hpp"

#include "journeys/local_time.hpp"

#include <algorithm>

namespace journeys {
namespace {

using std::chrono::days;
using std::chrono::local_days;
using std::chrono::year_month_day;

/// No run begins later: far from where calendars end.
constexpr int year_max = 9'990;

CalendarDay parts_of(const year_month_day& date) {
    return {static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
            static_cast<unsigned>(date.day())};
}

CalendarDay day_of(Timestamp at, std::string_view zone) {
    const auto day = std::chrono::floor<days>(at);
    if (at == day) return parts_of(year_month_day{day});
    return parts_of(year_month_day{to_local(zone, at).day});
}

/// The day of that month, or its last one where it is shorter.
year_month_day in_month(int year, unsigned month, unsigned day) {
    const auto last =
        year_month_day{std::chrono::year{year} / std::chrono::month{month} / std::chrono::last};
    return last.year() / last.month() / std::min(std::chrono::day{day}, last.day());
}

} // namespace

std::optional<CalendarDay> calendar_day(const cel::Value& value, std::string_view zone) {
    if (value.is_error()) return std::nullopt;
    if (value.is(cel::Kind::timestamp)) return day_of(value.as_timestamp(), zone);
    if (!value.is(cel::Kind::string)) return std::nullopt;
    const auto text = value.as_string();
    const bool has_no_year = text.size() == 5;
    const auto whole = has_no_year ? "2000-" + std::string{text} + "T00:00:00Z" // A leap year.
                       : text.size() == 10 ? std::string{text} + "T00:00:00Z"
                                           : std::string{text};
    const auto instant = parse_timestamp(whole, true);
    if (!instant) return std::nullopt;
    auto day = day_of(*instant, zone);
    if (has_no_year) day.year.reset();
    return day;
}

std::optional<Occurrence> next_occurrence(const DateEntry& entry, const CalendarDay& date,
                                          std::string_view zone, Timestamp at,
                                          std::int32_t last_day) {
    const auto today = to_local(zone, at).day;
    const auto look = [&](const year_month_day& candidate,
                          bool is_origin) -> std::optional<Occurrence> {
        const local_days day{candidate};
        const auto number = static_cast<std::int32_t>(day.time_since_epoch().count());
        if (number <= last_day || static_cast<int>(candidate.year()) > year_max)
            return std::nullopt;
        const auto begins = day + entry.offset;
        const auto due = at_local(zone, begins, entry.time);
        if (due > at) return Occurrence{number, due};
        if (is_origin || begins != today) return std::nullopt;
        return Occurrence{number, at};
    };
    if (entry.every == DateEntry::Every::once) {
        if (!date.year) return std::nullopt;
        return look(in_month(*date.year, date.month, date.day), false);
    }

    // From a little before today, or from the date itself where that is later.
    const bool is_monthly = entry.every == DateEntry::Every::month;
    const auto near = year_month_day{today - entry.offset};
    int year = static_cast<int>(near.year()) - 1;
    unsigned month = is_monthly ? static_cast<unsigned>(near.month()) : date.month;
    if (is_monthly) year += month > 1 ? 1 : 0, month = month > 1 ? month - 1 : 12;
    if (date.year && std::pair{*date.year, date.month} > std::pair{year, month}) {
        year = *date.year;
        month = date.month;
    }
    for (int i = 0; i < 5; ++i) {
        const bool is_origin = date.year && *date.year == year && date.month == month;
        if (const auto found = look(in_month(year, month, date.day), is_origin)) return found;
        if (!is_monthly || ++month > 12) {
            if (is_monthly) month = 1;
            ++year;
        }
    }
    return std::nullopt;
}

std::string day_text(std::int32_t day) { return to_text(Timestamp{days{day}}).substr(0, 10); }

} // namespace journeys
