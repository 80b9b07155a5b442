#include "journeys/cel/base64.hpp"
#include "journeys/cel/functions.hpp"

namespace journeys::cel {
namespace {

using Arguments = std::span<const Value>;

/// Both make a text first; what could not be kept is not begun.
bool has_room(const CallContext& context, std::size_t bytes) {
    return bytes <= context.arena.limit() - context.arena.used();
}

Value encode(CallContext& context, Arguments a) {
    const auto octets = a[0].as_string();
    if (!has_room(context, octets.size() / 3 * 4)) return Value::error(too_large_result);
    std::string out;
    append_base64(out, octets);
    return Value::string(out, context.arena);
}

Value decode(CallContext& context, Arguments a) {
    const auto text = a[0].as_string();
    if (!has_room(context, text.size() / 4 * 3)) return Value::error(too_large_result);
    const auto octets = read_base64(text);
    return octets ? Value::bytes(*octets, context.arena) : Value::error("this is no base64");
}

constexpr BuiltIn table[] = {
    {"base64.encode", false, "y", 's', encode},
    {"base64.decode", false, "s", 'y', decode},
};

} // namespace

std::span<const BuiltIn> byte_functions() { return table; }

} // namespace journeys::cel
