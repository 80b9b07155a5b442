#include "journeys/cel/functions.hpp"
#include "journeys/cel/time_text.hpp"

#include <charconv>
#include <exception>

#include <date/tz.h>

namespace journeys::cel {
namespace {

using Arguments = std::span<const Value>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Reads "+05:30", "-09:30" and "02:00".
bool read_offset(std::string_view text, std::int64_t& seconds) {
    const bool is_negative = text.starts_with('-');
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (text.size() != 5 || text[2] != ':') return false;
    for (const std::size_t i : {0u, 1u, 3u, 4u}) {
        if (!is_digit(text[i])) return false;
    }
    const int hours = (text[0] - '0') * 10 + (text[1] - '0');
    const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
    if (hours > 23 || minutes > 59) return false;
    seconds = (hours * 60 + minutes) * (is_negative ? -60 : 60);
    return true;
}

/// What is added to UTC at this instant to get the time of the zone.
bool offset_of_zone(std::string_view zone, std::int64_t at, std::int64_t& seconds) {
    seconds = 0;
    if (zone == "UTC" || zone == "Z") return true;
    if (read_offset(zone, seconds)) return true;
    try {
        const auto* const found = date::locate_zone(std::string{zone});
        const date::sys_seconds instant{std::chrono::seconds{at}};
        seconds = found->get_info(instant).offset.count();
        return true;
    } catch (const std::exception&) { // The library throws for unknown zones.
        return false;
    }
}

struct Local {
    std::chrono::sys_days day;
    std::int64_t second_of_day;
    std::int32_t nanos;
    std::chrono::year_month_day date() const { return std::chrono::year_month_day{day}; }
};

using Read = std::int64_t (*)(const Local& at);

std::int64_t full_year(const Local& at) { return static_cast<int>(at.date().year()); }
std::int64_t month(const Local& at) { return static_cast<unsigned>(at.date().month()) - 1; }
std::int64_t date_of_month(const Local& at) { return static_cast<unsigned>(at.date().day()); }
std::int64_t day_of_month(const Local& at) { return date_of_month(at) - 1; }
std::int64_t day_of_week(const Local& at) { return std::chrono::weekday{at.day}.c_encoding(); }
std::int64_t day_of_year(const Local& at) {
    return (at.day - std::chrono::sys_days{at.date().year() / std::chrono::January / 1}).count();
}
std::int64_t hours(const Local& at) { return at.second_of_day / 3600; }
std::int64_t minutes(const Local& at) { return at.second_of_day / 60 % 60; }
std::int64_t seconds(const Local& at) { return at.second_of_day % 60; }
std::int64_t milliseconds(const Local& at) { return at.nanos / 1'000'000; }

template <Read read> Value of_timestamp(CallContext& context, Arguments a) {
    std::int64_t offset = 0;
    // An unknown zone is told by an exception of the library.
    if (a.size() > 1 && !context.budget.charge(16)) return Value::error(out_of_steps);
    if (a.size() > 1 && !offset_of_zone(a[1].as_string(), a[0].seconds(), offset)) {
        return Value::error("unknown time zone: ", a[1].as_string(), context.arena);
    }
    const std::chrono::sys_seconds local{std::chrono::seconds{a[0].seconds() + offset}};
    const auto day = std::chrono::floor<std::chrono::days>(local);
    return Value::integer(read({day, (local - day).count(), a[0].nanos()}));
}

template <std::int64_t nanos> Value of_duration(CallContext&, Arguments a) {
    return Value::integer(a[0].as_duration().count() / nanos);
}
Value milliseconds_of_duration(CallContext&, Arguments a) {
    return Value::integer(a[0].as_duration().count() / 1'000'000 % 1000);
}

template <std::int64_t seconds_each> Value span_of(CallContext&, Arguments a) {
    std::int64_t nanos = 0;
    if (__builtin_mul_overflow(a[0].as_int(), seconds_each * 1'000'000'000, &nanos)) {
        return Value::error("duration out of range");
    }
    return Value::duration(std::chrono::nanoseconds{nanos});
}

Value date_of_text(CallContext& context, Arguments a) {
    const auto read = parse_date(a[0].as_string());
    return read ? *read : Value::error("no date: ", a[0].as_string(), context.arena);
}
Value same(CallContext&, Arguments a) { return a[0]; }

constexpr BuiltIn table[] = {
    {"getFullYear", true, "t", 'i', of_timestamp<full_year>},
    {"getFullYear", true, "ts", 'i', of_timestamp<full_year>},
    {"getMonth", true, "t", 'i', of_timestamp<month>},
    {"getMonth", true, "ts", 'i', of_timestamp<month>},
    {"getDate", true, "t", 'i', of_timestamp<date_of_month>},
    {"getDate", true, "ts", 'i', of_timestamp<date_of_month>},
    {"getDayOfMonth", true, "t", 'i', of_timestamp<day_of_month>},
    {"getDayOfMonth", true, "ts", 'i', of_timestamp<day_of_month>},
    {"getDayOfWeek", true, "t", 'i', of_timestamp<day_of_week>},
    {"getDayOfWeek", true, "ts", 'i', of_timestamp<day_of_week>},
    {"getDayOfYear", true, "t", 'i', of_timestamp<day_of_year>},
    {"getDayOfYear", true, "ts", 'i', of_timestamp<day_of_year>},
    {"getHours", true, "t", 'i', of_timestamp<hours>},
    {"getHours", true, "ts", 'i', of_timestamp<hours>},
    {"getHours", true, "D", 'i', of_duration<3'600'000'000'000>},
    {"getMinutes", true, "t", 'i', of_timestamp<minutes>},
    {"getMinutes", true, "ts", 'i', of_timestamp<minutes>},
    {"getMinutes", true, "D", 'i', of_duration<60'000'000'000>},
    {"getSeconds", true, "t", 'i', of_timestamp<seconds>},
    {"getSeconds", true, "ts", 'i', of_timestamp<seconds>},
    {"getSeconds", true, "D", 'i', of_duration<1'000'000'000>},
    {"getMilliseconds", true, "t", 'i', of_timestamp<milliseconds>},
    {"getMilliseconds", true, "ts", 'i', of_timestamp<milliseconds>},
    {"getMilliseconds", true, "D", 'i', milliseconds_of_duration},
    {"days", false, "i", 'D', span_of<86400>, true},
    {"hours", false, "i", 'D', span_of<3600>, true},
    // A missing date stays missing.
    {"date", false, "s", 't', date_of_text, true},
    {"date", false, "t", 't', same, true},
    {"date", false, "0", '0', same, true},
};

} // namespace

bool is_time_zone(std::string_view name) {
    std::int64_t ignored = 0;
    return offset_of_zone(name, 0, ignored);
}

std::span<const BuiltIn> time_functions() { return table; }

} // namespace journeys::cel
