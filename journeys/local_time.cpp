#include "journeys/local_time.hpp"

#include <date/tz.h>

#include <algorithm>
#include <exception>

namespace journeys {
namespace {

using std::chrono::duration_cast;
using std::chrono::floor;
using std::chrono::minutes;
using std::chrono::seconds;

/// The zone of that name; null where there is none, or where the machine has no zone data.
const date::time_zone* find_zone(std::string_view name) {
    if (name.empty() || name.size() > 64) return nullptr;
    // The last answer of this thread: neighbours in a stream of customers live in the same zone.
    struct Last {
        std::string name;
        const date::time_zone* zone = nullptr;
    };
    thread_local Last last;
    if (last.name == name) return last.zone;
    const date::time_zone* zone = nullptr;
    try {
        // Not `locate_zone`, which throws for a name that any producer may send.
        const auto& zones = date::get_tzdb().zones;
        const auto found =
            std::lower_bound(zones.begin(), zones.end(), name,
                             [](const date::time_zone& each, std::string_view wanted) {
                                 return each.name() < wanted;
                             });
        if (found != zones.end() && found->name() == name) {
            found->get_info(date::sys_seconds{}); // Reads its rules; a broken file throws here.
            zone = &*found;
        }
    } catch (const std::exception&) {
        zone = nullptr;
    }
    last.name = name;
    last.zone = zone;
    return zone;
}

constexpr Timestamp clamped(Timestamp at) { return std::clamp(at, timestamp_min, timestamp_max); }

/// Local seconds since 1970 of `at`.
seconds local_seconds(const date::time_zone* zone, Timestamp at) {
    const auto since = floor<seconds>(at.time_since_epoch());
    return zone ? since + zone->get_info(date::sys_seconds{since}).offset : since;
}

void write_digits(char* out, unsigned value, int count) {
    for (int i = count - 1; i >= 0; --i) {
        out[i] = static_cast<char>('0' + value % 10);
        value /= 10;
    }
}

/// The number that `count` digits at `at` make; -1 where one of them is none.
int read_digits(const char* at, int count) {
    int value = 0;
    for (int i = 0; i < count; ++i) {
        const auto digit = static_cast<unsigned>(at[i] - '0');
        if (digit > 9) return -1;
        value = value * 10 + static_cast<int>(digit);
    }
    return value;
}

} // namespace

bool is_known_zone(std::string_view zone) { return find_zone(zone) != nullptr; }

Timestamp at_local(std::string_view zone, std::chrono::local_days day, minutes time) {
    const auto local = duration_cast<seconds>(day.time_since_epoch()) + time;
    const auto* known = find_zone(zone);
    if (!known) return clamped(Timestamp{local});
    const auto info = known->get_info(date::local_seconds{local});
    if (info.result == date::local_info::nonexistent)
        return clamped(Timestamp{info.first.end.time_since_epoch()});
    return clamped(Timestamp{local - info.first.offset});
}

LocalMoment to_local(std::string_view zone, Timestamp at) {
    const auto local = local_seconds(find_zone(zone), clamped(at));
    const auto day = std::chrono::local_days{floor<std::chrono::days>(local)};
    const auto of_day = floor<minutes>(local - day.time_since_epoch());
    return {day, of_day, std::chrono::weekday{day}.c_encoding()};
}

Timestamp next_local(std::string_view zone, Timestamp from, minutes time, std::uint8_t weekdays) {
    const auto today = to_local(zone, from).day;
    // From yesterday on, because where a zone skipped a day that day's time falls into the next.
    for (int offset = -1; offset <= 8; ++offset) {
        const auto day = today + std::chrono::days{offset};
        if ((weekdays >> std::chrono::weekday{day}.c_encoding() & 1) == 0) continue;
        if (const auto at = at_local(zone, day, time); at >= from) return at;
    }
    return no_time; // No weekday is wanted, or the calendar ends.
}

std::string to_text(Timestamp at) {
    at = clamped(at);
    const auto day = floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{day};
    auto rest = static_cast<unsigned>((at - day).count());
    std::string text = "0000-00-00T00:00:00.000Z";
    char* out = text.data();
    write_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    write_digits(out + 5, static_cast<unsigned>(date.month()), 2);
    write_digits(out + 8, static_cast<unsigned>(date.day()), 2);
    write_digits(out + 20, rest % 1000, 3);
    rest /= 1000;
    write_digits(out + 17, rest % 60, 2);
    write_digits(out + 14, rest / 60 % 60, 2);
    write_digits(out + 11, rest / 3600, 2);
    return text;
}

std::optional<Timestamp> parse_timestamp(std::string_view text, bool zone_optional) {
    constexpr std::size_t seconds_end = sizeof("0001-01-01T00:00:00") - 1;
    if (text.size() < seconds_end) return std::nullopt;
    const char* at = text.data();
    const char* const end = at + text.size();
    if (at[4] != '-' || at[7] != '-' || at[13] != ':' || at[16] != ':') return std::nullopt;
    if (at[10] != 'T' && at[10] != 't' && at[10] != ' ') return std::nullopt;
    const int year = read_digits(at, 4), month = read_digits(at + 5, 2),
              day = read_digits(at + 8, 2);
    const int hour = read_digits(at + 11, 2), minute = read_digits(at + 14, 2);
    const int second = read_digits(at + 17, 2);
    if (year < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return std::nullopt;
    if (month < 1 || day < 1) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return std::nullopt;
    at += seconds_end;

    int millis = 0;
    if (at != end && *at == '.') {
        const char* const first = ++at;
        for (int scale = 100; at != end && *at >= '0' && *at <= '9'; ++at, scale /= 10)
            millis += scale * (*at - '0');
        if (at == first) return std::nullopt;
    }

    int offset_minutes = 0;
    if (at == end) {
        if (!zone_optional) return std::nullopt;
    } else if (*at == 'Z' || *at == 'z') {
        ++at;
    } else {
        if (end - at != 6 || (*at != '+' && *at != '-') || at[3] != ':') return std::nullopt;
        const int hours = read_digits(at + 1, 2), rest = read_digits(at + 4, 2);
        if (hours < 0 || hours > 23 || rest < 0 || rest > 59) return std::nullopt;
        offset_minutes = (hours * 60 + rest) * (*at == '-' ? -1 : 1);
        at = end;
    }
    if (at != end) return std::nullopt;

    const auto to_minute =
        std::chrono::sys_days{date} + minutes{hour * 60 + minute - offset_minutes};
    // RFC 3339, 5.7: a leap second stands only at the end of a UTC day. It counts as the second
    // after it.
    if (second == 60 && to_minute - floor<std::chrono::days>(to_minute) != minutes{23 * 60 + 59})
        return std::nullopt;
    const Timestamp result = to_minute + seconds{second} + Duration{millis};
    if (result < timestamp_min || result > timestamp_max) return std::nullopt;
    return result;
}

} // namespace journeys
