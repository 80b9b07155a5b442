/// Equality and order of values, as CEL has them: numbers on one line, everything else by its own
/// kind.
#pragma once

#include "journeys/cel/value.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace journeys::cel {

/// What an evaluation may still spend on walking data. Negative: spent, and the evaluation fails.
struct Budget {
    std::int64_t steps;
    bool charge(std::size_t amount) {
        steps -= static_cast<std::int64_t>(amount);
        return steps >= 0;
    }
};
inline constexpr std::string_view out_of_steps = "the expression takes too many steps";
inline constexpr std::string_view too_large_result = "the result is too large";

/// Equality of two values of which neither is a list, a map or an object.
bool same_scalar(Value left, Value right);

/// A bool; an error where an operand is one, where the budget ends, or past a depth of 100.
Value equal(Value left, Value right, Arena& arena, Budget& budget);

/// The order of two values; nothing for kinds that have none between them. NaN is unordered.
std::optional<std::partial_ordering> order(Value left, Value right);

/// Whether every number is to this one as its double is to this one's: true of all doubles, and of
/// ints that lie below the first that a double cannot tell from its neighbour.
inline bool is_exact_as_double(Value number) {
    constexpr std::int64_t first_rounded = std::int64_t{1} << 53;
    if (number.is(Kind::floating)) return true;
    return number.is(Kind::integer) && number.as_int() > -first_rounded &&
           number.as_int() < first_rounded;
}

/// Whether `item` is in a list, or is a key of a map; an error for anything else.
Value contains(Value range, Value item, Arena& arena, Budget& budget);

} // namespace journeys::cel
