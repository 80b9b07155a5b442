#include "journeys/cel/time_text.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace journeys::cel {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes exactly `count` digits off the front.
bool take_number(std::string_view& text, std::size_t count, int& number) {
    if (text.size() < count) return false;
    number = 0;
    for (std::size_t i = 0; i < count; ++i) {
        if (!is_digit(text[i])) return false;
        number = number * 10 + (text[i] - '0');
    }
    text.remove_prefix(count);
    return true;
}

bool take(std::string_view& text, char wanted) {
    if (text.empty() || text.front() != wanted) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<std::int64_t> seconds_of_day(int year, int month, int day) {
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days{date}.time_since_epoch().count() * std::int64_t{86400};
}

/// A fraction of a second after its point, as nanoseconds; digits past the ninth are cut.
bool take_fraction(std::string_view& text, std::int32_t& nanos) {
    std::size_t digits = 0;
    std::int32_t scale = 100'000'000;
    for (; digits < text.size() && is_digit(text[digits]); ++digits) {
        nanos += (text[digits] - '0') * scale;
        scale /= 10;
    }
    text.remove_prefix(digits);
    return digits > 0;
}

/// Behind the time: `Z`, or an offset as `+05:30`, in seconds.
bool take_offset(std::string_view& text, int& seconds) {
    seconds = 0;
    if (take(text, 'Z') || take(text, 'z')) return true;
    const bool is_negative = !text.empty() && text.front() == '-';
    if (!take(text, '+') && !take(text, '-')) return false;
    int hours = 0;
    int minutes = 0;
    if (!take_number(text, 2, hours) || !take(text, ':') || !take_number(text, 2, minutes)) {
        return false;
    }
    if (hours > 23 || minutes > 59) return false;
    seconds = (hours * 3600 + minutes * 60) * (is_negative ? -1 : 1);
    return true;
}

void append_fraction(std::string& out, std::int64_t nanos) {
    if (nanos == 0) return;
    char digits[10] = ".";
    for (int i = 9; i > 0; --i, nanos /= 10) digits[i] = static_cast<char>('0' + nanos % 10);
    std::size_t size = 10;
    while (digits[size - 1] == '0') --size;
    out.append(digits, size);
}

void append_padded(std::string& out, std::int64_t number, int width) {
    const auto text = std::to_string(number);
    for (auto missing = width - static_cast<int>(text.size()); missing > 0; --missing) out += '0';
    out += text;
}

struct Unit {
    std::string_view name;
    std::int64_t nanos;
};
constexpr std::array<Unit, 6> units{{{"ns", 1},
                                     {"us", 1'000},
                                     {"ms", 1'000'000},
                                     {"h", 3'600'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"s", 1'000'000'000}}};

const Unit* take_unit(std::string_view& text) {
    for (const auto& unit : units) {
        if (text.substr(0, unit.name.size()) == unit.name) {
            text.remove_prefix(unit.name.size());
            return &unit;
        }
    }
    return nullptr;
}

} // namespace

std::optional<Value> parse_timestamp(std::string_view text) {
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    std::int32_t nanos = 0;
    int offset = 0;
    if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) ||
        !take(text, '-') || !take_number(text, 2, day)) {
        return std::nullopt;
    }
    if (!take(text, 'T') && !take(text, 't')) return std::nullopt;
    if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute) ||
        !take(text, ':') || !take_number(text, 2, second)) {
        return std::nullopt;
    }
    if (take(text, '.') && !take_fraction(text, nanos)) return std::nullopt;
    if (!take_offset(text, offset) || !text.empty()) return std::nullopt;
    if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
    const auto start = seconds_of_day(year, month, day);
    if (!start) return std::nullopt;
    const auto seconds = *start + hour * 3600 + minute * 60 + second - offset;
    if (seconds < seconds_min || seconds > seconds_max) return std::nullopt;
    return Value::timestamp(seconds, nanos);
}

std::optional<Value> parse_date(std::string_view text) {
    if (text.size() != 10 && text.size() != 5) return parse_timestamp(text);
    int year = 2000;
    int month = 0;
    int day = 0;
    if (text.size() == 10 && (!take_number(text, 4, year) || !take(text, '-'))) return std::nullopt;
    if (!take_number(text, 2, month) || !take(text, '-') || !take_number(text, 2, day)) {
        return std::nullopt;
    }
    const auto seconds = seconds_of_day(year, month, day);
    if (!seconds || *seconds < seconds_min) return std::nullopt;
    return Value::timestamp(*seconds, 0);
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    const bool is_negative = !text.empty() && text.front() == '-';
    if (!take(text, '-')) take(text, '+');
    if (text == "0") return std::chrono::nanoseconds{0};
    if (text.empty()) return std::nullopt;
    // Summed up below zero, where there is room for one more.
    std::int64_t total = 0;
    while (!text.empty()) {
        std::int64_t whole = 0;
        std::size_t digits = 0;
        for (; digits < text.size() && is_digit(text[digits]); ++digits) {
            if (__builtin_mul_overflow(whole, 10, &whole) ||
                __builtin_add_overflow(whole, text[digits] - '0', &whole)) {
                return std::nullopt;
            }
        }
        text.remove_prefix(digits);
        double fraction = 0;
        std::size_t fraction_digits = 0;
        if (take(text, '.')) {
            std::int64_t cut = 0;
            double whole_scale = 1;
            for (; fraction_digits < text.size() && is_digit(text[fraction_digits]);
                 ++fraction_digits) {
                if (fraction_digits >= 15) continue; // Far below a nanosecond.
                cut = cut * 10 + (text[fraction_digits] - '0');
                whole_scale *= 10;
            }
            fraction = static_cast<double>(cut) / whole_scale;
            text.remove_prefix(fraction_digits);
        }
        if (digits + fraction_digits == 0) return std::nullopt;
        const auto* const unit = take_unit(text);
        std::int64_t nanos = 0;
        if (unit == nullptr || __builtin_mul_overflow(whole, unit->nanos, &nanos)) {
            return std::nullopt;
        }
        const auto rest = std::llround(fraction * static_cast<double>(unit->nanos));
        if (__builtin_sub_overflow(total, nanos, &total) ||
            __builtin_sub_overflow(total, static_cast<std::int64_t>(rest), &total)) {
            return std::nullopt;
        }
    }
    if (!is_negative && __builtin_sub_overflow(std::int64_t{0}, total, &total)) return std::nullopt;
    return std::chrono::nanoseconds{total};
}

void append_timestamp(std::string& out, Value timestamp) {
    const std::chrono::sys_seconds at{std::chrono::seconds{timestamp.seconds()}};
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date{day};
    const auto second = (at - day).count();
    append_padded(out, static_cast<int>(date.year()), 4);
    out += '-';
    append_padded(out, static_cast<unsigned>(date.month()), 2);
    out += '-';
    append_padded(out, static_cast<unsigned>(date.day()), 2);
    out += 'T';
    append_padded(out, second / 3600, 2);
    out += ':';
    append_padded(out, second / 60 % 60, 2);
    out += ':';
    append_padded(out, second % 60, 2);
    append_fraction(out, timestamp.nanos());
    out += 'Z';
}

void append_duration(std::string& out, std::chrono::nanoseconds span) {
    const auto count = span.count();
    if (count < 0) out += '-';
    const auto size =
        count < 0 ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
    out += std::to_string(size / 1'000'000'000);
    append_fraction(out, static_cast<std::int64_t>(size % 1'000'000'000));
    out += 's';
}

void append_double(std::string& out, double value) {
    if (std::isnan(value)) {
        out += "NaN";
        return;
    }
    if (std::isinf(value)) {
        out += value < 0 ? "-Infinity" : "Infinity";
        return;
    }
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    out.append(text, end);
}

} // namespace journeys::cel
