#include "schema/timestamp_text.hpp"

#include <array>
#include <cstdio>

namespace schema {
namespace {

/// Takes digits and signs off the front of a text.
class Cursor {
public:
    explicit Cursor(std::string_view text) : left_(text) {}
    bool at_end() const { return left_.empty(); }
    char peek() const { return left_.empty() ? '\0' : left_.front(); }
    bool take(char c) {
        if (peek() != c) return false;
        left_.remove_prefix(1);
        return true;
    }
    bool digit(int& out) {
        if (peek() < '0' || peek() > '9') return false;
        out = left_.front() - '0';
        left_.remove_prefix(1);
        return true;
    }
    bool number(int digits, int& out) {
        out = 0;
        for (int i = 0, next = 0; i < digits; ++i) {
            if (!digit(next)) return false;
            out = out * 10 + next;
        }
        return true;
    }

private:
    std::string_view left_;
};

} // namespace

std::optional<journeys::Timestamp> parse_producer_time(std::string_view text) {
    using namespace std::chrono;
    Cursor at{text};
    int year_number = 0, month_number = 0, day_number = 0;
    if (!at.number(4, year_number) || !at.take('-') || !at.number(2, month_number) ||
        !at.take('-') || !at.number(2, day_number))
        return std::nullopt;
    const year_month_day date{year{year_number}, month{static_cast<unsigned>(month_number)},
                              day{static_cast<unsigned>(day_number)}};
    if (!date.ok()) return std::nullopt;

    int hour = 0, minute = 0, second = 0, millis = 0, offset_minutes = 0;
    if (!at.at_end()) {
        if (!at.take('T') && !at.take('t') && !at.take(' ')) return std::nullopt;
        if (!at.number(2, hour) || !at.take(':') || !at.number(2, minute)) return std::nullopt;
        if (at.take(':')) {
            if (!at.number(2, second)) return std::nullopt;
            if (at.take('.')) {
                int next = 0;
                if (!at.digit(next)) return std::nullopt;
                millis = next * 100;
                for (int weight = 10; at.digit(next); weight /= 10) millis += next * weight;
            }
        }
        // A leap second is the first one after it.
        if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
        if (at.peek() == '+' || at.peek() == '-') {
            const int sign = at.take('-') ? -1 : 1;
            if (sign == 1) at.take('+');
            int hours = 0, minutes = 0;
            if (!at.number(2, hours)) return std::nullopt;
            const bool has_colon = at.take(':');
            if ((has_colon || !at.at_end()) && !at.number(2, minutes)) return std::nullopt;
            if (hours > 23 || minutes > 59) return std::nullopt;
            offset_minutes = sign * (hours * 60 + minutes);
        } else if (!at.at_end() && !at.take('Z') && !at.take('z')) {
            return std::nullopt;
        }
        if (!at.at_end()) return std::nullopt;
    }
    const journeys::Timestamp result = sys_days{date} + hours{hour} +
                                       minutes{minute - offset_minutes} + seconds{second} +
                                       milliseconds{millis};
    if (result < journeys::timestamp_min || result > journeys::timestamp_max) return std::nullopt;
    return result;
}

std::string timestamp_text(journeys::Timestamp at) {
    using namespace std::chrono;
    const auto midnight = floor<days>(at);
    const year_month_day date{midnight};
    const hh_mm_ss time{at - midnight};
    std::array<char, 48> text;
    const int size = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
        static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
        static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
        static_cast<int>(time.subseconds().count()));
    return {text.data(), static_cast<std::size_t>(size)};
}

} // namespace schema
