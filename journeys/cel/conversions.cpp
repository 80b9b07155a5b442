#include "journeys/cel/functions.hpp"
#include "journeys/cel/time_text.hpp"
#include "journeys/cel/utf8.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace journeys::cel {
namespace {

using Arguments = std::span<const Value>;

Value same(CallContext&, Arguments a) { return a[0]; }

Value no_conversion(std::string_view what, Value text, CallContext& context) {
    return Value::error(what, text.as_string().substr(0, 100), context.arena);
}

template <class Number> bool read_all(std::string_view text, Number& number) {
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc{} && read.ptr == text.data() + text.size();
}

Value int_of_uint(CallContext&, Arguments a) {
    if (a[0].as_uint() > std::numeric_limits<std::int64_t>::max())
        return Value::error("int out of range");
    return Value::integer(static_cast<std::int64_t>(a[0].as_uint()));
}
Value int_of_double(CallContext&, Arguments a) {
    const double number = a[0].as_double();
    // Both ends are left out: they are what larger numbers are rounded to.
    if (!(number > -9223372036854775808.0 && number < 9223372036854775808.0)) {
        return Value::error("int out of range");
    }
    return Value::integer(static_cast<std::int64_t>(number));
}
Value int_of_string(CallContext& context, Arguments a) {
    std::int64_t number = 0;
    if (!read_all(a[0].as_string(), number)) return no_conversion("no int: ", a[0], context);
    return Value::integer(number);
}
Value int_of_timestamp(CallContext&, Arguments a) { return Value::integer(a[0].seconds()); }

Value uint_of_int(CallContext&, Arguments a) {
    if (a[0].as_int() < 0) return Value::error("uint out of range");
    return Value::unsigned_integer(static_cast<std::uint64_t>(a[0].as_int()));
}
Value uint_of_double(CallContext&, Arguments a) {
    const double number = a[0].as_double();
    if (!(number > -1.0 && number < 18446744073709551616.0))
        return Value::error("uint out of range");
    return Value::unsigned_integer(static_cast<std::uint64_t>(number));
}
Value uint_of_string(CallContext& context, Arguments a) {
    std::uint64_t number = 0;
    if (!read_all(a[0].as_string(), number)) return no_conversion("no uint: ", a[0], context);
    return Value::unsigned_integer(number);
}

Value double_of_number(CallContext&, Arguments a) { return Value::floating(a[0].as_double()); }
Value double_of_string(CallContext& context, Arguments a) {
    double number = 0;
    const auto text = a[0].as_string();
    if (text == "Infinity" || text == "+Infinity") return Value::floating(HUGE_VAL);
    if (text == "-Infinity") return Value::floating(-HUGE_VAL);
    if (text == "NaN") return Value::floating(std::numeric_limits<double>::quiet_NaN());
    if (!read_all(text, number)) return no_conversion("no double: ", a[0], context);
    return Value::floating(number);
}

Value string_of_int(CallContext& context, Arguments a) {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, a[0].as_int()).ptr;
    return Value::string({text, static_cast<std::size_t>(end - text)}, context.arena);
}
Value string_of_uint(CallContext& context, Arguments a) {
    char text[24];
    const auto end = std::to_chars(text, text + sizeof text, a[0].as_uint()).ptr;
    return Value::string({text, static_cast<std::size_t>(end - text)}, context.arena);
}
Value string_of_double(CallContext& context, Arguments a) {
    std::string text;
    append_double(text, a[0].as_double());
    return Value::string(text, context.arena);
}
Value string_of_bool(CallContext&, Arguments a) {
    return Value::string(a[0].as_bool() ? "true" : "false");
}
Value string_of_bytes(CallContext&, Arguments a) {
    if (!is_utf8(a[0].as_string())) return Value::error("invalid UTF-8");
    return Value::string(a[0].as_string());
}
Value string_of_timestamp(CallContext& context, Arguments a) {
    std::string text;
    append_timestamp(text, a[0]);
    return Value::string(text, context.arena);
}
Value string_of_duration(CallContext& context, Arguments a) {
    std::string text;
    append_duration(text, a[0].as_duration());
    return Value::string(text, context.arena);
}

Value bytes_of_string(CallContext&, Arguments a) { return Value::bytes(a[0].as_string()); }

Value bool_of_string(CallContext& context, Arguments a) {
    const auto text = a[0].as_string();
    for (const std::string_view yes : {"1", "t", "true", "TRUE", "True"}) {
        if (text == yes) return Value::boolean(true);
    }
    for (const std::string_view no : {"0", "f", "false", "FALSE", "False"}) {
        if (text == no) return Value::boolean(false);
    }
    return no_conversion("no bool: ", a[0], context);
}

Value timestamp_of_string(CallContext& context, Arguments a) {
    const auto read = parse_timestamp(a[0].as_string());
    return read ? *read : no_conversion("no timestamp of the years 1 to 9999: ", a[0], context);
}
Value timestamp_of_int(CallContext&, Arguments a) {
    const auto seconds = a[0].as_int();
    if (seconds < seconds_min || seconds > seconds_max)
        return Value::error("timestamp out of range");
    return Value::timestamp(seconds, 0);
}
Value duration_of_string(CallContext& context, Arguments a) {
    const auto read = parse_duration(a[0].as_string());
    return read ? Value::duration(*read) : no_conversion("no duration: ", a[0], context);
}

Value type_of_value(CallContext& context, Arguments a) {
    if (a[0].is(Kind::object)) return Value::type(a[0].as_object()->object_type().name);
    const auto name = type_name(a[0]);
    const auto copy = Value::string(name, context.arena);
    return copy.is_error() ? copy : Value::type(copy.as_string());
}

constexpr BuiltIn table[] = {
    {"int", false, "i", 'i', same},
    {"int", false, "u", 'i', int_of_uint},
    {"int", false, "d", 'i', int_of_double},
    {"int", false, "s", 'i', int_of_string},
    {"int", false, "t", 'i', int_of_timestamp},
    {"uint", false, "u", 'u', same},
    {"uint", false, "i", 'u', uint_of_int},
    {"uint", false, "d", 'u', uint_of_double},
    {"uint", false, "s", 'u', uint_of_string},
    {"double", false, "d", 'd', double_of_number},
    {"double", false, "i", 'd', double_of_number},
    {"double", false, "u", 'd', double_of_number},
    {"double", false, "s", 'd', double_of_string},
    {"string", false, "s", 's', same},
    {"string", false, "i", 's', string_of_int},
    {"string", false, "u", 's', string_of_uint},
    {"string", false, "d", 's', string_of_double},
    {"string", false, "b", 's', string_of_bool},
    {"string", false, "y", 's', string_of_bytes},
    {"string", false, "t", 's', string_of_timestamp},
    {"string", false, "D", 's', string_of_duration},
    {"bytes", false, "y", 'y', same},
    {"bytes", false, "s", 'y', bytes_of_string},
    {"bool", false, "b", 'b', same},
    {"bool", false, "s", 'b', bool_of_string},
    {"timestamp", false, "t", 't', same},
    {"timestamp", false, "s", 't', timestamp_of_string},
    {"timestamp", false, "i", 't', timestamp_of_int},
    {"duration", false, "D", 'D', same},
    {"duration", false, "s", 'D', duration_of_string},
    {"dyn", false, "x", 'x', same},
    {"type", false, "x", 'T', type_of_value},
};

} // namespace

std::span<const BuiltIn> conversions() { return table; }

} // namespace journeys::cel
