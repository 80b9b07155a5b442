#include "journeys/cel/cursor.hpp"
#include "journeys/cel/functions.hpp"
#include "journeys/cel/pattern.hpp"
#include "journeys/cel/quote.hpp"
#include "journeys/cel/utf8.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace journeys::cel {
namespace {

using Arguments = std::span<const Value>;
constexpr auto npos = std::string_view::npos;

/// Linear in both texts, whatever they hold.
std::size_t find(std::string_view text, std::string_view wanted, std::size_t from = 0) {
    if (from > text.size()) return npos;
    if (wanted.empty()) return from;
    const void* const found =
        memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
    return found == nullptr
               ? npos
               : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

Value out_of_range(std::int64_t index, Arena& arena) {
    return Value::error("index out of range: ", std::to_string(index), arena);
}

Value size(CallContext&, Arguments a) {
    return Value::integer(static_cast<std::int64_t>(a[0].size()));
}

Value contains_text(CallContext&, Arguments a) {
    return Value::boolean(find(a[0].as_string(), a[1].as_string()) != npos);
}
Value starts_with(CallContext&, Arguments a) {
    return Value::boolean(a[0].as_string().starts_with(a[1].as_string()));
}
Value ends_with(CallContext&, Arguments a) {
    return Value::boolean(a[0].as_string().ends_with(a[1].as_string()));
}

/// For computed patterns; those that are constant are compiled with the program.
Value matches(CallContext& context, Arguments a) {
    const auto text = a[0].as_string();
    if (!context.budget.charge(Pattern::compile_cost(a[1].as_string())))
        return Value::error(out_of_steps);
    const Pattern pattern{a[1].as_string()};
    if (!pattern.is_valid()) return Value::error("invalid regular expression");
    if (!context.budget.charge(pattern.search_cost(text))) return Value::error(out_of_steps);
    return Value::boolean(pattern.is_in(text));
}

Value char_at(CallContext& context, Arguments a) {
    const auto text = a[0].as_string();
    const auto index = a[1].as_int();
    const auto at = index < 0 ? npos : offset_of_code_point(text, static_cast<std::size_t>(index));
    if (at == npos) return out_of_range(index, context.arena);
    if (at == text.size()) return Value::string("");
    return Value::string(text.substr(at, end_of_code_point(text, at) - at));
}

Value index_of(CallContext& context, Arguments a) {
    const auto text = a[0].as_string();
    std::size_t from = 0;
    if (a.size() > 2) {
        const auto index = a[2].as_int();
        from = index < 0 ? npos : offset_of_code_point(text, static_cast<std::size_t>(index));
        if (from == npos) return out_of_range(index, context.arena);
    }
    const auto at = find(text, a[1].as_string(), from);
    if (at == npos) return Value::integer(-1);
    return Value::integer(static_cast<std::int64_t>(count_code_points(text.substr(0, at))));
}

Value last_index_of(CallContext& context, Arguments a) {
    const auto text = a[0].as_string();
    const auto wanted = a[1].as_string();
    std::size_t last = text.size();
    if (a.size() > 2) {
        const auto index = a[2].as_int();
        last = index < 0 ? npos : offset_of_code_point(text, static_cast<std::size_t>(index));
        if (last == npos) return out_of_range(index, context.arena);
    }
    // Searched backwards, which may compare much; so it is charged for what it may cost.
    if (wanted.size() > 16 && !context.budget.charge(text.size() / 16 * (wanted.size() / 16))) {
        return Value::error(out_of_steps);
    }
    const auto at = text.rfind(wanted, last);
    if (at == npos) return Value::integer(-1);
    return Value::integer(static_cast<std::int64_t>(count_code_points(text.substr(0, at))));
}

Value with_case(Arguments a, Arena& arena, char first, char last, int shift) {
    const auto text = a[0].as_string();
    auto* const out = arena.allocate_array<char>(text.size() + 1);
    if (out == nullptr) return Value::error(too_large_result);
    std::transform(text.begin(), text.end(), out, [&](char c) {
        return c >= first && c <= last ? static_cast<char>(c + shift) : c;
    });
    return Value::string({out, text.size()});
}
Value lower_ascii(CallContext& context, Arguments a) {
    return with_case(a, context.arena, 'A', 'Z', 'a' - 'A');
}
Value upper_ascii(CallContext& context, Arguments a) {
    return with_case(a, context.arena, 'a', 'z', 'A' - 'a');
}

/// Calls `found` with the offset of each occurrence, at most `limit` of them; an empty text occurs
/// before every code point and at the end.
template <class Found>
void each_occurrence(std::string_view text, std::string_view wanted, std::int64_t limit,
                     Found found) {
    std::size_t from = 0;
    for (std::int64_t count = 0; limit < 0 || count < limit; ++count) {
        const auto at = find(text, wanted, from);
        if (at == npos) return;
        found(at);
        if (!wanted.empty())
            from = at + wanted.size();
        else if (at == text.size())
            return;
        else
            from = end_of_code_point(text, at);
    }
}

Value replace(CallContext& context, Arguments a) {
    const auto text = a[0].as_string();
    const auto wanted = a[1].as_string();
    const auto by = a[2].as_string();
    const auto limit = a.size() > 3 ? a[3].as_int() : -1;
    std::size_t count = 0;
    each_occurrence(text, wanted, limit, [&](std::size_t) { ++count; });
    if (!context.budget.charge(count)) return Value::error(out_of_steps);
    const auto bytes = text.size() - count * wanted.size() + count * by.size();
    auto* const out = context.arena.allocate_array<char>(bytes + 1);
    if (out == nullptr) return Value::error(too_large_result);
    char* to = out;
    std::size_t from = 0;
    const auto put = [&](std::string_view part) {
        if (!part.empty()) std::memcpy(to, part.data(), part.size());
        to += part.size();
    };
    each_occurrence(text, wanted, limit, [&](std::size_t at) {
        put(text.substr(from, at - from));
        put(by);
        from = at + wanted.size();
    });
    put(text.substr(from));
    return Value::string({out, bytes});
}

Value split(CallContext& context, Arguments a) {
    const auto text = a[0].as_string();
    const auto separator = a[1].as_string();
    const auto limit = a.size() > 2 ? a[2].as_int() : -1;
    if (limit == 0) return Value::list_of({});
    // Without a separator each code point is a part of its own.
    std::size_t parts = 1;
    if (separator.empty())
        parts = count_code_points(text);
    else
        each_occurrence(text, separator, limit < 0 ? -1 : limit - 1, [&](std::size_t) { ++parts; });
    if (limit > 0) parts = std::min(parts, static_cast<std::size_t>(limit));
    if (!context.budget.charge(parts)) return Value::error(out_of_steps);
    auto* const out = context.arena.allocate_array<Value>(parts);
    if (out == nullptr) return Value::error(too_large_result);
    std::size_t from = 0;
    for (std::size_t i = 0; i < parts; ++i) {
        auto end = text.size();
        if (i + 1 < parts) {
            end = separator.empty() ? end_of_code_point(text, from) : find(text, separator, from);
        }
        out[i] = Value::string(text.substr(from, end - from));
        from = end + separator.size();
    }
    return Value::list_of({out, parts});
}

Value substring(CallContext& context, Arguments a) {
    const auto text = a[0].as_string();
    const auto start = a[1].as_int();
    const auto from =
        start < 0 ? npos : offset_of_code_point(text, static_cast<std::size_t>(start));
    if (from == npos) return out_of_range(start, context.arena);
    if (a.size() < 3) return Value::string(text.substr(from));
    const auto end = a[2].as_int();
    const auto to = end < 0 ? npos : offset_of_code_point(text, static_cast<std::size_t>(end));
    if (to == npos) return out_of_range(end, context.arena);
    if (to < from) return Value::error("the end of the substring lies before its start");
    return Value::string(text.substr(from, to - from));
}

/// White_Space of the Unicode Character Database.
bool is_blank(std::uint32_t c) {
    return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
           c == 0x205F || c == 0x3000;
}

Value trim(CallContext&, Arguments a) {
    auto text = a[0].as_string();
    while (!text.empty() && is_blank(code_point_at(text, 0))) {
        text.remove_prefix(end_of_code_point(text, 0));
    }
    while (!text.empty()) {
        auto last = text.size() - 1;
        while (last > 0 && !begins_code_point(text[last])) --last;
        if (!is_blank(code_point_at(text, last))) break;
        text = text.substr(0, last);
    }
    return Value::string(text);
}

Value join(CallContext& context, Arguments a) {
    const auto separator = a.size() > 1 ? a[1].as_string() : std::string_view{};
    std::size_t bytes = 0;
    std::size_t count = 0;
    for (Cursor at{a[0], context.arena}; at.next(); ++count) {
        const auto item = at.value();
        if (item.is_error()) return item;
        if (!item.is(Kind::string)) return Value::error("join needs a list of texts");
        bytes += item.as_string().size();
    }
    if (!context.budget.charge(count)) return Value::error(out_of_steps);
    bytes += count > 1 ? (count - 1) * separator.size() : 0;
    auto* const out = context.arena.allocate_array<char>(bytes + 1);
    if (out == nullptr) return Value::error(too_large_result);
    char* to = out;
    const auto put = [&](std::string_view part) {
        if (!part.empty()) std::memcpy(to, part.data(), part.size());
        to += part.size();
    };
    bool is_first = true;
    for (Cursor at{a[0], context.arena}; at.next(); is_first = false) {
        if (!is_first) put(separator);
        put(at.value().as_string());
    }
    return Value::string({out, bytes});
}

Value reverse(CallContext& context, Arguments a) {
    const auto text = a[0].as_string();
    auto* const out = context.arena.allocate_array<char>(text.size() + 1);
    if (out == nullptr) return Value::error(too_large_result);
    auto to = text.size();
    for (std::size_t at = 0; at < text.size();) {
        const auto end = end_of_code_point(text, at);
        to -= end - at;
        std::memcpy(out + to, text.data() + at, end - at);
        at = end;
    }
    return Value::string({out, text.size()});
}

Value quote(CallContext& context, Arguments a) {
    std::string out;
    append_quoted(out, a[0].as_string());
    return Value::string(out, context.arena);
}

constexpr BuiltIn table[] = {
    {"size", false, "s", 'i', size},
    {"size", false, "l", 'i', size},
    {"size", false, "m", 'i', size},
    {"size", false, "y", 'i', size},
    {"size", true, "s", 'i', size},
    {"size", true, "l", 'i', size},
    {"size", true, "m", 'i', size},
    {"size", true, "y", 'i', size},
    {"contains", true, "ss", 'b', contains_text},
    {"startsWith", true, "ss", 'b', starts_with},
    {"endsWith", true, "ss", 'b', ends_with},
    {"matches", true, "ss", 'b', matches},
    {"matches", false, "ss", 'b', matches},
    {"charAt", true, "si", 's', char_at},
    {"indexOf", true, "ss", 'i', index_of},
    {"indexOf", true, "ssi", 'i', index_of},
    {"lastIndexOf", true, "ss", 'i', last_index_of},
    {"lastIndexOf", true, "ssi", 'i', last_index_of},
    {"lowerAscii", true, "s", 's', lower_ascii},
    {"upperAscii", true, "s", 's', upper_ascii},
    {"replace", true, "sss", 's', replace},
    {"replace", true, "sssi", 's', replace},
    {"split", true, "ss", 'S', split},
    {"split", true, "ssi", 'S', split},
    {"substring", true, "si", 's', substring},
    {"substring", true, "sii", 's', substring},
    {"trim", true, "s", 's', trim},
    {"join", true, "l", 's', join},
    {"join", true, "ls", 's', join},
    {"reverse", true, "s", 's', reverse},
    {"strings.quote", false, "s", 's', quote},
    {"format", true, "sl", 's', format},
};

} // namespace

std::span<const BuiltIn> string_functions() { return table; }

} // namespace journeys::cel
