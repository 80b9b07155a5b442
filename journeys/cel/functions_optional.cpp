#include "journeys/cel/functions.hpp"

namespace journeys::cel {
namespace {

using Arguments = std::span<const Value>;

bool is_zero(Value value) {
    switch (value.kind()) {
    case Kind::null: return true;
    case Kind::boolean: return !value.as_bool();
    case Kind::integer:
    case Kind::unsigned_integer: return value.as_uint() == 0;
    case Kind::floating: return value.as_double() == 0.0;
    case Kind::string:
    case Kind::bytes: return value.as_string().empty();
    case Kind::list:
    case Kind::map: return value.size() == 0;
    case Kind::duration: return value.as_duration().count() == 0;
    case Kind::optional: return !value.has_inner();
    case Kind::timestamp: return value.seconds() == 0 && value.nanos() == 0;
    case Kind::type:
    case Kind::object:
    case Kind::error: break;
    }
    return false;
}

Value none(CallContext&, Arguments) { return Value::optional_none(); }
Value of(CallContext& context, Arguments a) { return Value::optional_of(a[0], context.arena); }
Value of_non_zero(CallContext& context, Arguments a) {
    return is_zero(a[0]) ? Value::optional_none() : Value::optional_of(a[0], context.arena);
}
Value has_value(CallContext&, Arguments a) { return Value::boolean(a[0].has_inner()); }
Value value_of(CallContext&, Arguments a) {
    return a[0].has_inner() ? a[0].inner() : Value::error("the optional has no value");
}
Value value_or(CallContext&, Arguments a) { return a[0].has_inner() ? a[0].inner() : a[1]; }
Value optional_or(CallContext&, Arguments a) { return a[0].has_inner() ? a[0] : a[1]; }

constexpr BuiltIn table[] = {
    {"optional.none", false, "", 'o', none},
    {"optional.of", false, "x", 'o', of},
    {"optional.ofNonZeroValue", false, "x", 'o', of_non_zero},
    {"hasValue", true, "o", 'b', has_value},
    {"value", true, "o", 'x', value_of},
    // These two leave their argument unevaluated where it is not needed (see plan_calls.cpp).
    {"orValue", true, "ox", 'x', value_or},
    {"or", true, "oo", 'o', optional_or},
};

} // namespace

std::span<const BuiltIn> optional_functions() { return table; }

} // namespace journeys::cel
