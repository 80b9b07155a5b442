/// `format` of the string extension: %s %d %f %e %x %X %o %b %%.
#include "journeys/cel/cursor.hpp"
#include "journeys/cel/functions.hpp"
#include "journeys/cel/time_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace journeys::cel {
namespace {

constexpr int precision_max = 100;
constexpr int depth_max = 64;

/// Appends to a text that may not outgrow the arena; a problem ends everything.
class Formatter {
public:
    Formatter(CallContext& context, std::size_t bytes_max)
        : context_(context), bytes_max_(bytes_max) {}
    std::string out;
    std::string problem;

    bool clause(char kind, int precision, Value value) {
        if (value.is_error()) return fail(value.error_text());
        switch (kind) {
        case 's': return text(out, value, 0);
        case 'd': return decimal(value);
        case 'f':
        case 'e': return floating(value, kind, precision < 0 ? 6 : precision);
        case 'x':
        case 'X': return hexadecimal(value, kind == 'X');
        case 'o':
            if (!is_integer(value)) return fail("%o needs an integer");
            return integer(value, 8);
        case 'b':
            if (value.is(Kind::boolean))
                out += value.as_bool() ? '1' : '0';
            else if (is_integer(value))
                return integer(value, 2);
            else
                return fail("%b needs an integer or a bool");
            return fits();
        default: return fail(std::string{"unknown clause %"} + kind);
        }
    }
    bool fail(std::string_view text) {
        problem = text;
        return false;
    }
    bool fits() { return out.size() <= bytes_max_ || fail(too_large_result); }

private:
    static bool is_integer(Value value) {
        return value.is(Kind::integer) || value.is(Kind::unsigned_integer);
    }

    bool integer(Value value, int base, bool is_upper = false) {
        char digits[72];
        const auto end =
            value.is(Kind::integer)
                ? std::to_chars(digits, digits + sizeof digits, value.as_int(), base).ptr
                : std::to_chars(digits, digits + sizeof digits, value.as_uint(), base).ptr;
        if (is_upper) {
            std::transform(digits, end, digits, [](char c) {
                return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
            });
        }
        out.append(digits, end);
        return fits();
    }

    bool decimal(Value value) {
        if (is_integer(value)) return integer(value, 10);
        if (!value.is(Kind::floating)) return fail("%d needs a number");
        append_double(out, value.as_double());
        return fits();
    }

    bool floating(Value value, char kind, int precision) {
        if (!value.is_number()) return fail("%f and %e need a number");
        const double number = value.as_double();
        if (!std::isfinite(number)) {
            append_double(out, number);
            return fits();
        }
        char digits[512]; // 309 digits before the point and 100 behind it.
        const auto style = kind == 'f' ? std::chars_format::fixed : std::chars_format::scientific;
        const auto end =
            std::to_chars(digits, digits + sizeof digits, number, style, precision).ptr;
        out.append(digits, end);
        return fits();
    }

    bool hexadecimal(Value value, bool is_upper) {
        if (is_integer(value)) return integer(value, 16, is_upper);
        if (!value.is(Kind::string) && !value.is(Kind::bytes)) {
            return fail("%x needs an integer, a text or bytes");
        }
        const char* const hex = is_upper ? "0123456789ABCDEF" : "0123456789abcdef";
        if (value.as_string().size() > bytes_max_) return fail(too_large_result);
        for (const char c : value.as_string()) {
            out += hex[static_cast<unsigned char>(c) >> 4];
            out += hex[static_cast<unsigned char>(c) & 15];
        }
        return fits();
    }

    bool text(std::string& to, Value value, int depth) {
        if (!context_.budget.charge(1)) return fail(out_of_steps);
        if (depth > depth_max) return fail("the values are nested too deep");
        switch (value.kind()) {
        case Kind::null: to += "null"; break;
        case Kind::boolean: to += value.as_bool() ? "true" : "false"; break;
        case Kind::integer: to += std::to_string(value.as_int()); break;
        case Kind::unsigned_integer: to += std::to_string(value.as_uint()); break;
        case Kind::floating: append_double(to, value.as_double()); break;
        case Kind::string:
        case Kind::bytes:
        case Kind::type:
            if (value.as_string().size() > bytes_max_) return fail(too_large_result);
            to += value.as_string();
            break;
        case Kind::timestamp: append_timestamp(to, value); break;
        case Kind::duration: append_duration(to, value.as_duration()); break;
        case Kind::list: return list(to, value, depth);
        case Kind::map: return map(to, value, depth);
        case Kind::error: return fail(value.error_text());
        case Kind::optional:
        case Kind::object: return fail("%s has no form for " + type_name(value));
        }
        return to.size() <= bytes_max_ || fail(too_large_result);
    }

    bool list(std::string& to, Value value, int depth) {
        to += '[';
        bool is_first = true;
        for (Cursor at{value, context_.arena}; at.next(); is_first = false) {
            if (!is_first) to += ", ";
            if (!text(to, at.value(), depth + 1)) return false;
        }
        to += ']';
        return true;
    }

    bool map(std::string& to, Value value, int depth) {
        std::vector<std::pair<std::string, std::string>>
            entries; // Sorted by the text of their keys.
        std::size_t bytes = 0;
        for (Cursor at{value, context_.arena}; at.next();) {
            auto& [key, content] = entries.emplace_back();
            if (!text(key, at.key(), depth + 1) || !text(content, at.value(), depth + 1))
                return false;
            bytes += key.size() + content.size();
            if (bytes > bytes_max_) return fail(too_large_result);
        }
        std::sort(entries.begin(), entries.end());
        to += '{';
        bool is_first = true;
        for (const auto& [key, content] : entries) {
            if (!is_first) to += ", ";
            is_first = false;
            to += key + ": " + content;
        }
        to += '}';
        return true;
    }

    CallContext& context_;
    std::size_t bytes_max_;
};

} // namespace

Value format(CallContext& context, std::span<const Value> arguments) {
    const auto pattern = arguments[0].as_string();
    const auto values = arguments[1];
    auto& arena = context.arena;
    const auto room = std::min<std::size_t>(arena.limit() - arena.used(), std::size_t{1} << 30);
    Formatter formatter{context, room};
    std::size_t next = 0;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        if (pattern[at] != '%') {
            formatter.out += pattern[at];
            continue;
        }
        if (++at >= pattern.size()) return Value::error("the format ends behind a %");
        if (pattern[at] == '%') {
            formatter.out += '%';
            continue;
        }
        int precision = -1;
        if (pattern[at] == '.') {
            const char* const first = pattern.data() + at + 1;
            const char* const last = pattern.data() + pattern.size();
            const auto read = std::from_chars(first, last, precision);
            if (read.ec != std::errc{} || precision < 0 || precision > precision_max) {
                return Value::error("the precision in the format is not 0 to 100");
            }
            at = static_cast<std::size_t>(read.ptr - pattern.data());
            if (at >= pattern.size()) return Value::error("the format ends within a clause");
        }
        if (next >= values.size())
            return Value::error("the format asks for more values than it is given");
        if (!formatter.clause(pattern[at], precision, values.at(next++, arena))) {
            return Value::error(formatter.problem, arena);
        }
    }
    if (!formatter.fits()) return Value::error(formatter.problem, arena);
    return Value::string(formatter.out, arena);
}

} // namespace journeys::cel
