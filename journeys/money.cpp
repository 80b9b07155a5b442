#include "journeys/money.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace journeys {
namespace {

using Limits = std::numeric_limits<std::int64_t>;

constexpr std::int64_t end_towards(bool negative) {
    return negative ? Limits::min() : Limits::max();
}

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Digits of a decimal, taken from the left, as a count of ten-thousandths; saturates.
class Accumulator {
public:
    void append(int digit) {
        const auto d = static_cast<std::uint64_t>(digit);
        if (value_ > (limit - d) / 10)
            value_ = limit;
        else
            value_ = value_ * 10 + d;
    }
    void increment() {
        if (value_ < limit) ++value_;
    }
    std::uint64_t value() const { return value_; }

private:
    static constexpr std::uint64_t limit = std::uint64_t{1} << 63;
    std::uint64_t value_ = 0;
};

std::int64_t with_sign(std::uint64_t magnitude, bool negative) {
    if (magnitude > static_cast<std::uint64_t>(Limits::max())) return end_towards(negative);
    const auto amount = static_cast<std::int64_t>(magnitude);
    return negative ? -amount : amount;
}

} // namespace

std::optional<Money> Money::parse(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);

    std::size_t at = 0;
    while (at < text.size() && is_digit(text[at])) ++at;
    const auto whole = text.substr(0, at);
    std::string_view fraction;
    if (at < text.size() && text[at] == '.') {
        const auto first = ++at;
        while (at < text.size() && is_digit(text[at])) ++at;
        fraction = text.substr(first, at - first);
        if (fraction.empty()) return std::nullopt;
    }
    if (whole.empty()) return std::nullopt;

    // Beyond this an exponent only says "zero" or "out of range", whatever digits a text can hold.
    constexpr std::int64_t exponent_max = 1'000'000'000;
    std::int64_t exponent = 0;
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        ++at;
        const bool down = at < text.size() && text[at] == '-';
        if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
        const auto first = at;
        for (; at < text.size() && is_digit(text[at]); ++at)
            exponent = std::min(exponent * 10 + (text[at] - '0'), exponent_max);
        if (at == first) return std::nullopt;
        if (down) exponent = -exponent;
    }
    if (at != text.size()) return std::nullopt;

    // `power` is the place of the next digit: 0 for units, -4 for the last one kept, -5 for the one
    // that rounds.
    auto power = static_cast<std::int64_t>(whole.size()) - 1 + exponent;
    Accumulator sum;
    const auto take = [&](std::string_view digits) {
        for (const char c : digits) {
            if (power < -5) return;
            if (power >= -4)
                sum.append(c - '0');
            else if (c >= '5')
                sum.increment();
            --power;
        }
    };
    take(whole);
    take(fraction);
    for (; power >= -4 && sum.value() != 0; --power) {
        const auto before = sum.value();
        sum.append(0);
        if (sum.value() == before) break; // Saturated.
    }
    return of_ten_thousandths(with_sign(sum.value(), negative));
}

Money Money::of(double value) {
    if (std::isnan(value)) return {};
    const double scaled = std::nearbyint(value * 10'000.0);
    if (scaled >= 0x1p63 || scaled <= -0x1p63) return of_ten_thousandths(end_towards(value < 0));
    // The usual case: the double nearest to a decimal of at most four digits.
    if (std::abs(scaled) < 0x1p53 && scaled / 10'000.0 == value)
        return of_ten_thousandths(static_cast<std::int64_t>(scaled));
    // Else by way of the shortest decimal that reads back as `value`: what a person would say it
    // is.
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    return parse({text, static_cast<std::size_t>(end - text)}).value_or(Money{});
}

std::string Money::to_text() const {
    const auto negative = amount_ < 0;
    const auto magnitude =
        negative ? ~static_cast<std::uint64_t>(amount_) + 1 : static_cast<std::uint64_t>(amount_);
    const auto part = static_cast<unsigned>(magnitude % 10'000);
    std::string text = negative ? "-" : "";
    text += std::to_string(magnitude / 10'000);
    text += '.';
    text += static_cast<char>('0' + part / 1000);
    text += static_cast<char>('0' + part / 100 % 10);
    if (part % 100 != 0) {
        text += static_cast<char>('0' + part / 10 % 10);
        text += static_cast<char>('0' + part % 10);
    }
    return text;
}

Money Money::operator+(Money other) const {
    std::int64_t sum;
    if (__builtin_add_overflow(amount_, other.amount_, &sum)) sum = end_towards(amount_ < 0);
    return of_ten_thousandths(sum);
}

Money Money::operator-(Money other) const {
    std::int64_t difference;
    if (__builtin_sub_overflow(amount_, other.amount_, &difference))
        difference = end_towards(amount_ < 0);
    return of_ten_thousandths(difference);
}

Money Money::operator*(std::int64_t times) const {
    std::int64_t product;
    if (__builtin_mul_overflow(amount_, times, &product))
        product = end_towards((amount_ < 0) != (times < 0));
    return of_ten_thousandths(product);
}

} // namespace journeys
