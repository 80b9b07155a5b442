#include "journeys/cel/arithmetic.hpp"

#include "journeys/cel/cursor.hpp"
#include "journeys/cel/time_text.hpp"

#include <cstring>
#include <limits>

namespace journeys::cel {
namespace {

constexpr std::int64_t nanos_per_second = 1'000'000'000;

Value overflow() { return Value::error("number overflow"); }
Value no_form() { return Value::error("this operator has no meaning for these kinds of values"); }

template <class Number>
bool whole(Operation operation, Number left, Number right, Number& result, Value& problem) {
    problem = overflow();
    switch (operation) {
    case Operation::add: return !__builtin_add_overflow(left, right, &result);
    case Operation::subtract: return !__builtin_sub_overflow(left, right, &result);
    case Operation::multiply: return !__builtin_mul_overflow(left, right, &result);
    case Operation::divide:
    case Operation::remainder:
        if (right == 0) {
            problem = Value::error("division by zero");
            return false;
        }
        if constexpr (std::numeric_limits<Number>::is_signed) {
            if (left == std::numeric_limits<Number>::min() && right == -1) return false;
        }
        result = operation == Operation::divide ? left / right : left % right;
        return true;
    default: return false;
    }
}

Value floating(Operation operation, double left, double right) {
    switch (operation) {
    case Operation::add: return Value::floating(left + right);
    case Operation::subtract: return Value::floating(left - right);
    case Operation::multiply: return Value::floating(left * right);
    case Operation::divide: return Value::floating(left / right);
    default: return Value::error("% needs integers");
    }
}

Value numbers(Operation operation, Value left, Value right, bool is_strict) {
    Value problem;
    if (left.kind() != right.kind()) {
        const bool has_double = left.is(Kind::floating) || right.is(Kind::floating);
        if (is_strict || !has_double) return no_form();
        return floating(operation, left.as_double(), right.as_double());
    }
    if (left.is(Kind::floating)) return floating(operation, left.as_double(), right.as_double());
    if (left.is(Kind::integer)) {
        std::int64_t result = 0;
        if (!whole(operation, left.as_int(), right.as_int(), result, problem)) return problem;
        return Value::integer(result);
    }
    std::uint64_t result = 0;
    if (!whole(operation, left.as_uint(), right.as_uint(), result, problem)) return problem;
    return Value::unsigned_integer(result);
}

Value join_texts(Value left, Value right, Arena& arena) {
    const auto a = left.as_string();
    const auto b = right.as_string();
    if (a.empty()) return right;
    if (b.empty()) return left;
    auto* const out = arena.allocate_array<char>(a.size() + b.size());
    if (out == nullptr) return Value::error(too_large_result);
    std::memcpy(out, a.data(), a.size());
    std::memcpy(out + a.size(), b.data(), b.size());
    const std::string_view whole_text{out, a.size() + b.size()};
    return left.is(Kind::string) ? Value::string(whole_text) : Value::bytes(whole_text);
}

Value join_lists(Value left, Value right, Arena& arena, Budget& budget) {
    const auto size = left.size() + right.size();
    if (!budget.charge(size)) return Value::error(out_of_steps);
    auto* const out = arena.allocate_array<Value>(size);
    if (out == nullptr) return Value::error(too_large_result);
    std::size_t count = 0;
    for (const auto part : {left, right}) {
        for (Cursor at{part, arena}; at.next() && count < size;) {
            out[count] = at.value();
            if (out[count].is_error()) return out[count];
            ++count;
        }
    }
    return Value::list_of({out, count});
}

Value duration_of(std::int64_t left, std::int64_t right, bool is_sum) {
    std::int64_t nanos = 0;
    const bool is_over = is_sum ? __builtin_add_overflow(left, right, &nanos)
                                : __builtin_sub_overflow(left, right, &nanos);
    if (is_over) return Value::error("duration out of range");
    return Value::duration(std::chrono::nanoseconds{nanos});
}

Value shift(Value timestamp, std::int64_t span, bool is_forward) {
    // An int64 of nanoseconds is far from the ends of an int64 of seconds.
    const std::int64_t sign = is_forward ? 1 : -1;
    std::int64_t seconds = timestamp.seconds() + sign * (span / nanos_per_second);
    std::int64_t nanos = timestamp.nanos() + sign * (span % nanos_per_second);
    if (nanos < 0) {
        nanos += nanos_per_second;
        --seconds;
    } else if (nanos >= nanos_per_second) {
        nanos -= nanos_per_second;
        ++seconds;
    }
    if (seconds < seconds_min || seconds > seconds_max)
        return Value::error("timestamp out of range");
    return Value::timestamp(seconds, static_cast<std::int32_t>(nanos));
}

Value between(Value left, Value right) {
    std::int64_t nanos = 0;
    if (__builtin_mul_overflow(left.seconds() - right.seconds(), nanos_per_second, &nanos) ||
        __builtin_add_overflow(nanos, std::int64_t{left.nanos() - right.nanos()}, &nanos)) {
        return Value::error("duration out of range");
    }
    return Value::duration(std::chrono::nanoseconds{nanos});
}

Value sum_or_difference(Value left, Value right, bool is_sum) {
    if (left.is(Kind::duration) && right.is(Kind::duration)) {
        return duration_of(left.as_duration().count(), right.as_duration().count(), is_sum);
    }
    if (left.is(Kind::timestamp) && right.is(Kind::duration)) {
        return shift(left, right.as_duration().count(), is_sum);
    }
    if (is_sum && left.is(Kind::duration) && right.is(Kind::timestamp)) {
        return shift(right, left.as_duration().count(), true);
    }
    if (!is_sum && left.is(Kind::timestamp) && right.is(Kind::timestamp))
        return between(left, right);
    return no_form();
}

} // namespace

Value compute(Operation operation, Value left, Value right, bool is_strict, Arena& arena,
              Budget& budget) {
    if (left.is_number() && right.is_number()) return numbers(operation, left, right, is_strict);
    if (left.is_error()) return left;
    if (right.is_error()) return right;
    const bool is_sum = operation == Operation::add;
    if (is_sum && left.kind() == right.kind()) {
        if (left.is(Kind::string) || left.is(Kind::bytes)) return join_texts(left, right, arena);
        if (left.is(Kind::list)) return join_lists(left, right, arena, budget);
    }
    if (!is_sum && operation != Operation::subtract) return no_form();
    return sum_or_difference(left, right, is_sum);
}

Value negate(Value value) {
    if (value.is(Kind::floating)) return Value::floating(-value.as_double());
    if (value.is_error()) return value;
    if (!value.is(Kind::integer)) return no_form();
    if (value.as_int() == std::numeric_limits<std::int64_t>::min()) return overflow();
    return Value::integer(-value.as_int());
}

} // namespace journeys::cel
