#include "journeys/cel/compare.hpp"

#include "journeys/cel/cursor.hpp"
#include "journeys/same_bytes.hpp"

namespace journeys::cel {
namespace {

constexpr int depth_max = 100;

std::partial_ordering order_numbers(Value left, Value right) {
    const auto a = left.kind();
    const auto b = right.kind();
    // The conformance suite rounds an int to a double before it compares the two.
    if (a == Kind::floating || b == Kind::floating) return left.as_double() <=> right.as_double();
    if (a == b) {
        if (a == Kind::integer) return left.as_int() <=> right.as_int();
        return left.as_uint() <=> right.as_uint();
    }
    if (a == Kind::integer) {
        if (left.as_int() < 0) return std::partial_ordering::less;
        return static_cast<std::uint64_t>(left.as_int()) <=> right.as_uint();
    }
    if (right.as_int() < 0) return std::partial_ordering::greater;
    return left.as_uint() <=> static_cast<std::uint64_t>(right.as_int());
}

Value equal_within(Value left, Value right, Arena& arena, Budget& budget, int depth);

Value equal_lists(Value left, Value right, Arena& arena, Budget& budget, int depth) {
    if (left.size() != right.size()) return Value::boolean(false);
    Cursor a{left, arena};
    Cursor b{right, arena};
    while (a.next() && b.next()) {
        const auto same = equal_within(a.value(), b.value(), arena, budget, depth + 1);
        if (!same.is_true()) return same;
    }
    return Value::boolean(true);
}

Value equal_maps(Value left, Value right, Arena& arena, Budget& budget, int depth) {
    const auto size = left.size();
    if (size != right.size()) return Value::boolean(false);
    for (Cursor a{left, arena}; a.next();) {
        Value other;
        if (!budget.charge(size / 8)) return Value::error(out_of_steps);
        if (!right.find(a.key(), other, arena)) return Value::boolean(false);
        const auto same = equal_within(a.value(), other, arena, budget, depth + 1);
        if (!same.is_true()) return same;
    }
    return Value::boolean(true);
}

Value equal_within(Value left, Value right, Arena& arena, Budget& budget, int depth) {
    if (left.is_error()) return left;
    if (right.is_error()) return right;
    if (!budget.charge(1)) return Value::error(out_of_steps);
    if (depth > depth_max) return Value::error("the values are nested too deep");
    if (left.kind() != right.kind()) {
        return Value::boolean(left.is_number() && right.is_number() &&
                              order_numbers(left, right) == 0);
    }
    switch (left.kind()) {
    case Kind::string:
    case Kind::bytes:
        if (!budget.charge(left.as_string().size() / 64)) return Value::error(out_of_steps);
        return Value::boolean(same_text(left.as_string(), right.as_string()));
    case Kind::list: return equal_lists(left, right, arena, budget, depth);
    case Kind::map: return equal_maps(left, right, arena, budget, depth);
    case Kind::optional:
        if (!left.has_inner() || !right.has_inner()) {
            return Value::boolean(left.has_inner() == right.has_inner());
        }
        return equal_within(left.inner(), right.inner(), arena, budget, depth + 1);
    case Kind::null:
    case Kind::boolean:
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::floating:
    case Kind::timestamp:
    case Kind::duration:
    case Kind::type:
    case Kind::object:
    case Kind::error: break;
    }
    return Value::boolean(same_scalar(left, right));
}

} // namespace

bool same_scalar(Value left, Value right) {
    if (left.is_number() && right.is_number()) return order_numbers(left, right) == 0;
    if (left.kind() != right.kind()) return false;
    switch (left.kind()) {
    case Kind::null: return true;
    case Kind::boolean: return left.as_bool() == right.as_bool();
    case Kind::string:
    case Kind::bytes:
    case Kind::type: return same_text(left.as_string(), right.as_string());
    case Kind::timestamp: return left.seconds() == right.seconds() && left.nanos() == right.nanos();
    case Kind::duration: return left.as_duration() == right.as_duration();
    case Kind::object: return left.as_object() == right.as_object();
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::floating:
    case Kind::list:
    case Kind::map:
    case Kind::optional:
    case Kind::error: break;
    }
    return false;
}

Value equal(Value left, Value right, Arena& arena, Budget& budget) {
    return equal_within(left, right, arena, budget, 0);
}

std::optional<std::partial_ordering> order(Value left, Value right) {
    if (left.is_number() && right.is_number()) return order_numbers(left, right);
    if (left.kind() != right.kind()) return std::nullopt;
    switch (left.kind()) {
    case Kind::boolean: return left.as_bool() <=> right.as_bool();
    case Kind::string: // UTF-8 sorts by octets as by code points.
    case Kind::bytes: return left.as_string().compare(right.as_string()) <=> 0;
    case Kind::timestamp:
        if (left.seconds() != right.seconds()) return left.seconds() <=> right.seconds();
        return left.nanos() <=> right.nanos();
    case Kind::duration: return left.as_duration().count() <=> right.as_duration().count();
    case Kind::null:
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::floating:
    case Kind::list:
    case Kind::map:
    case Kind::type:
    case Kind::optional:
    case Kind::object:
    case Kind::error: break;
    }
    return std::nullopt;
}

Value contains(Value range, Value item, Arena& arena, Budget& budget) {
    if (item.is_error()) return item;
    if (range.is(Kind::map)) {
        Value ignored;
        if (!budget.charge(1 + range.size() / 8)) return Value::error(out_of_steps);
        return Value::boolean(range.find(item, ignored, arena));
    }
    if (!range.is(Kind::list)) return Value::error("\"in\" looks into a list or a map");
    for (Cursor at{range, arena}; at.next();) {
        const auto same = equal(at.value(), item, arena, budget);
        if (same.is_true() || same.is_error()) return same;
    }
    return Value::boolean(false);
}

} // namespace journeys::cel
