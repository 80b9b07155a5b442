#include "journeys/cel/base64.hpp"
#include "journeys/cel/cursor.hpp"
#include "journeys/cel/quote.hpp"
#include "journeys/cel/time_text.hpp"
#include "journeys/cel/types.hpp"
#include "journeys/cel/value.hpp"

#include <limits>

namespace journeys::cel {
namespace {

constexpr int depth_max = 64;
/// A list may hold another one many times over, so that writing it out takes far more than it took
/// to make.
constexpr std::size_t written_bytes_max = std::size_t{4} << 20;

void append_key(std::string& out, Value key) {
    switch (key.kind()) {
    case Kind::string: out += key.as_string(); return;
    case Kind::boolean: out += key.as_bool() ? "true" : "false"; return;
    case Kind::unsigned_integer: out += std::to_string(key.as_uint()); return;
    default: // Keys are of these kinds; doubles only from a host.
        out += std::to_string(key.as_int());
        return;
    }
}

void pack(PackedWriter& writer, Value value, Arena& arena, int depth);

void pack_map(PackedWriter& writer, Value map, Arena& arena, int depth) {
    const auto mark = writer.begin_map();
    std::size_t count = 0;
    std::string key;
    for (Cursor at{map, arena}; at.next(); ++count) {
        key.clear();
        append_key(key, at.key());
        writer.key(key);
        pack(writer, at.value(), arena, depth + 1);
    }
    writer.end_map(mark, count);
}

void pack_object(PackedWriter& writer, const Object& object, Arena& arena, int depth) {
    const auto& fields = object.object_type().fields;
    const auto mark = writer.begin_map();
    for (unsigned i = 0; i < fields.size(); ++i) {
        writer.key(fields[i].name);
        pack(writer, object.field(i, arena), arena, depth + 1);
    }
    writer.end_map(mark, fields.size());
}

void pack(PackedWriter& writer, Value value, Arena& arena, int depth) {
    std::string text;
    if (depth > depth_max || writer.bytes().size() > written_bytes_max) return writer.null();
    switch (value.kind()) {
    case Kind::null:
    case Kind::error: return writer.null();
    case Kind::boolean: return writer.boolean(value.as_bool());
    case Kind::integer: return writer.integer(value.as_int());
    case Kind::unsigned_integer:
        if (value.as_uint() <= std::numeric_limits<std::int64_t>::max()) {
            return writer.integer(static_cast<std::int64_t>(value.as_uint()));
        }
        return writer.floating(value.as_double());
    case Kind::floating: return writer.floating(value.as_double());
    case Kind::string:
    case Kind::type: return writer.string(value.as_string());
    case Kind::bytes: append_base64(text, value.as_string()); return writer.string(text);
    case Kind::timestamp: append_timestamp(text, value); return writer.string(text);
    case Kind::duration: append_duration(text, value.as_duration()); return writer.string(text);
    case Kind::optional:
        return value.has_inner() ? pack(writer, value.inner(), arena, depth + 1) : writer.null();
    case Kind::object: return pack_object(writer, *value.as_object(), arena, depth);
    case Kind::map: return pack_map(writer, value, arena, depth);
    case Kind::list: {
        const auto mark = writer.begin_list();
        std::size_t count = 0;
        for (Cursor at{value, arena}; at.next(); ++count)
            pack(writer, at.value(), arena, depth + 1);
        return writer.end_list(mark, count);
    }
    }
}

void write(std::string& out, Value value, Arena& arena, int depth);

void write_entries(std::string& out, Value value, Arena& arena, int depth) {
    out += value.is(Kind::list) ? '[' : '{';
    bool is_first = true;
    for (Cursor at{value, arena}; at.next(); is_first = false) {
        if (!is_first) out += ", ";
        if (value.is(Kind::map)) {
            write(out, at.key(), arena, depth + 1);
            out += ": ";
        }
        write(out, at.value(), arena, depth + 1);
    }
    out += value.is(Kind::list) ? ']' : '}';
}

void write_object(std::string& out, const Object& object, Arena& arena, int depth) {
    const auto& type = object.object_type();
    out += type.name + "{";
    for (unsigned i = 0; i < type.fields.size(); ++i) {
        if (i > 0) out += ", ";
        out += type.fields[i].name + ": ";
        write(out, object.field(i, arena), arena, depth + 1);
    }
    out += "}";
}

void write(std::string& out, Value value, Arena& arena, int depth) {
    if (depth > depth_max || out.size() > written_bytes_max) {
        out += "...";
        return;
    }
    switch (value.kind()) {
    case Kind::null: out += "null"; return;
    case Kind::boolean: out += value.as_bool() ? "true" : "false"; return;
    case Kind::integer: out += std::to_string(value.as_int()); return;
    case Kind::unsigned_integer: out += std::to_string(value.as_uint()) + "u"; return;
    case Kind::floating: {
        const auto start = out.size();
        append_double(out, value.as_double());
        if (out.find_first_not_of("-0123456789", start) == std::string::npos) out += ".0";
        return;
    }
    case Kind::string: return append_quoted(out, value.as_string());
    case Kind::bytes: return append_quoted_bytes(out, value.as_string());
    case Kind::type: out += value.as_string(); return;
    case Kind::timestamp:
        out += "timestamp(\"";
        append_timestamp(out, value);
        out += "\")";
        return;
    case Kind::duration:
        out += "duration(\"";
        append_duration(out, value.as_duration());
        out += "\")";
        return;
    case Kind::optional:
        if (!value.has_inner()) {
            out += "optional.none()";
            return;
        }
        out += "optional.of(";
        write(out, value.inner(), arena, depth + 1);
        out += ")";
        return;
    case Kind::object: return write_object(out, *value.as_object(), arena, depth);
    case Kind::list:
    case Kind::map: return write_entries(out, value, arena, depth);
    case Kind::error:
        out += "error: ";
        out += value.error_text();
        return;
    }
}

} // namespace

void append_packed(PackedWriter& writer, Value value) {
    Arena arena;
    pack(writer, value, arena, 0);
}

std::string to_text(Value value) {
    Arena arena;
    std::string out;
    write(out, value, arena, 0);
    return out;
}

std::string type_name(Value value) {
    switch (value.kind()) {
    case Kind::null: return "null_type";
    case Kind::boolean: return "bool";
    case Kind::integer: return "int";
    case Kind::unsigned_integer: return "uint";
    case Kind::floating: return "double";
    case Kind::string: return "string";
    case Kind::bytes: return "bytes";
    case Kind::list: return "list";
    case Kind::map: return "map";
    case Kind::timestamp: return "google.protobuf.Timestamp";
    case Kind::duration: return "google.protobuf.Duration";
    case Kind::type: return "type";
    case Kind::optional: return "optional_type";
    case Kind::object: return value.as_object()->object_type().name;
    case Kind::error: return "error";
    }
    return {};
}

} // namespace journeys::cel
