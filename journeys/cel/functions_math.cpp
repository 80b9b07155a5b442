#include "journeys/cel/cursor.hpp"
#include "journeys/cel/functions.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace journeys::cel {
namespace {

using Arguments = std::span<const Value>;

Value extreme(CallContext& context, Arguments arguments, bool wants_greatest) {
    const bool is_list = arguments.size() == 1 && arguments[0].is(Kind::list);
    const auto range = is_list ? arguments[0] : Value::list_of(arguments);
    std::optional<Value> best;
    for (Cursor at{range, context.arena}; at.next();) {
        const auto value = at.value();
        if (value.is_error()) return value;
        if (!context.budget.charge(1)) return Value::error(out_of_steps);
        if (!value.is_number()) return Value::error("math.greatest and math.least need numbers");
        const auto sign = best ? order(value, *best) : std::nullopt;
        if (!best || (sign && (wants_greatest ? *sign > 0 : *sign < 0))) best = value;
    }
    return best ? *best : Value::error("there is no number to choose from");
}

Value greatest(CallContext& context, Arguments arguments) {
    return extreme(context, arguments, true);
}
Value least(CallContext& context, Arguments arguments) {
    return extreme(context, arguments, false);
}

template <double (*function)(double)> Value on_double(CallContext&, Arguments arguments) {
    return Value::floating(function(arguments[0].as_double()));
}
double ceil_of(double x) { return std::ceil(x); }
double floor_of(double x) { return std::floor(x); }
double round_of(double x) { return std::round(x); } // Halves away from zero.
double trunc_of(double x) { return std::trunc(x); }
double sqrt_of(double x) { return std::sqrt(x); }
double abs_of(double x) { return std::fabs(x); }
double sign_of(double x) { return std::isnan(x) ? x : x > 0 ? 1 : x < 0 ? -1 : 0; }

template <bool (*test)(double)> Value test_double(CallContext&, Arguments arguments) {
    return Value::boolean(test(arguments[0].as_double()));
}
bool is_nan(double x) { return std::isnan(x); }
bool is_inf(double x) { return std::isinf(x); }
bool is_finite(double x) { return std::isfinite(x); }

Value abs_int(CallContext&, Arguments arguments) {
    const auto value = arguments[0].as_int();
    if (value == std::numeric_limits<std::int64_t>::min()) return Value::error("int overflow");
    return Value::integer(value < 0 ? -value : value);
}
Value same(CallContext&, Arguments arguments) { return arguments[0]; }
Value sign_int(CallContext&, Arguments arguments) {
    const auto value = arguments[0].as_int();
    return Value::integer(value > 0 ? 1 : value < 0 ? -1 : 0);
}
Value sign_uint(CallContext&, Arguments arguments) {
    return Value::unsigned_integer(arguments[0].as_uint() > 0 ? 1 : 0);
}

/// Ints and uints alike, by their bits.
Value with_bits(Value like, std::uint64_t bits) {
    return like.is(Kind::integer) ? Value::integer(static_cast<std::int64_t>(bits))
                                  : Value::unsigned_integer(bits);
}
Value bit_and(CallContext&, Arguments a) {
    return with_bits(a[0], a[0].as_uint() & a[1].as_uint());
}
Value bit_or(CallContext&, Arguments a) { return with_bits(a[0], a[0].as_uint() | a[1].as_uint()); }
Value bit_xor(CallContext&, Arguments a) {
    return with_bits(a[0], a[0].as_uint() ^ a[1].as_uint());
}
Value bit_not(CallContext&, Arguments a) { return with_bits(a[0], ~a[0].as_uint()); }

Value shift(Arguments arguments, bool is_left) {
    const auto by = arguments[1].as_int();
    if (by < 0) return Value::error("a shift by a negative number");
    const auto bits = arguments[0].as_uint();
    if (by > 63) return with_bits(arguments[0], 0);
    return with_bits(arguments[0], is_left ? bits << by : bits >> by);
}
Value shift_left(CallContext&, Arguments arguments) { return shift(arguments, true); }
Value shift_right(CallContext&, Arguments arguments) { return shift(arguments, false); }

constexpr BuiltIn table[] = {
    // greatest and least take any number of numbers, or a list; the checker knows (see
    // checker.cpp).
    {"math.greatest", false, "x", 'x', greatest},
    {"math.least", false, "x", 'x', least},
    {"math.ceil", false, "d", 'd', on_double<ceil_of>},
    {"math.floor", false, "d", 'd', on_double<floor_of>},
    {"math.round", false, "d", 'd', on_double<round_of>},
    {"math.trunc", false, "d", 'd', on_double<trunc_of>},
    {"math.sqrt", false, "d", 'd', on_double<sqrt_of>},
    {"math.sqrt", false, "i", 'd', on_double<sqrt_of>},
    {"math.sqrt", false, "u", 'd', on_double<sqrt_of>},
    {"math.abs", false, "i", 'i', abs_int},
    {"math.abs", false, "u", 'u', same},
    {"math.abs", false, "d", 'd', on_double<abs_of>},
    {"math.sign", false, "i", 'i', sign_int},
    {"math.sign", false, "u", 'u', sign_uint},
    {"math.sign", false, "d", 'd', on_double<sign_of>},
    {"math.isNaN", false, "d", 'b', test_double<is_nan>},
    {"math.isInf", false, "d", 'b', test_double<is_inf>},
    {"math.isFinite", false, "d", 'b', test_double<is_finite>},
    {"math.bitAnd", false, "ii", 'i', bit_and},
    {"math.bitAnd", false, "uu", 'u', bit_and},
    {"math.bitOr", false, "ii", 'i', bit_or},
    {"math.bitOr", false, "uu", 'u', bit_or},
    {"math.bitXor", false, "ii", 'i', bit_xor},
    {"math.bitXor", false, "uu", 'u', bit_xor},
    {"math.bitNot", false, "i", 'i', bit_not},
    {"math.bitNot", false, "u", 'u', bit_not},
    {"math.bitShiftLeft", false, "ii", 'i', shift_left},
    {"math.bitShiftLeft", false, "ui", 'u', shift_left},
    {"math.bitShiftRight", false, "ii", 'i', shift_right},
    {"math.bitShiftRight", false, "ui", 'u', shift_right},
};

} // namespace

std::span<const BuiltIn> math_functions() { return table; }

} // namespace journeys::cel
