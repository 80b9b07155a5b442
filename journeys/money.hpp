/// Exact amounts of money: what a shop charges is a decimal, so sums are made in decimals.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace journeys {

/// An amount in ten-thousandths of its currency's unit (20.00 EUR is 200'000): exact for every
/// currency's smallest coin, and for sums of them up to 9e14 units. Saturates at its ends instead
/// of wrapping.
class Money {
public:
    constexpr Money() = default;
    static constexpr Money of_ten_thousandths(std::int64_t amount) {
        Money money;
        money.amount_ = amount;
        return money;
    }
    /// The decimal nearest to `value`, half away from zero; 0 for NaN, saturated where out of
    /// range.
    static Money of(double value);
    /// `-12`, `19.99`, `1e2`; digits past the fourth are rounded. Nothing for anything else.
    static std::optional<Money> parse(std::string_view text);

    constexpr std::int64_t ten_thousandths() const { return amount_; }
    double to_double() const { return static_cast<double>(amount_) / 10'000.0; }
    std::string to_text() const; ///< `19.99`, `20.00`; four digits only where needed.

    auto operator<=>(const Money&) const = default;
    Money operator+(Money other) const;
    Money operator-(Money other) const;
    Money operator*(std::int64_t times) const;
    Money& operator+=(Money other) { return *this = *this + other; }

private:
    std::int64_t amount_ = 0;
};

/// Whether amounts in both add up: one that is not known counts as the other.
constexpr bool is_same_currency(std::string_view one, std::string_view other) {
    return one.empty() || other.empty() || one == other;
}

} // namespace journeys
