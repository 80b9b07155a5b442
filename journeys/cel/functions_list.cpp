#include "journeys/cel/cursor.hpp"
#include "journeys/cel/functions.hpp"
#include "journeys/cel/sorting.hpp"

namespace journeys::cel {
namespace {

using Arguments = std::span<const Value>;

Value distinct(CallContext& context, Arguments a) {
    auto* const out = context.arena.allocate_array<Value>(a[0].size());
    if (out == nullptr) return Value::error(too_large_result);
    std::size_t count = 0;
    for (Cursor at{a[0], context.arena}; at.next();) {
        const auto item = at.value();
        const auto known =
            contains(Value::list_of({out, count}), item, context.arena, context.budget);
        if (known.is_error()) return known;
        if (!known.as_bool()) out[count++] = item;
    }
    return Value::list_of({out, count});
}

Value sort(CallContext& context, Arguments a) {
    const auto size = a[0].size();
    auto* const items = context.arena.allocate_array<SortItem>(size);
    if (items == nullptr) return Value::error(too_large_result);
    std::size_t count = 0;
    for (Cursor at{a[0], context.arena}; at.next() && count < size; ++count) {
        const auto item = at.value();
        if (item.is_error()) return item;
        items[count] = {item, item};
    }
    return sorted({items, count}, context.arena, context.budget);
}

constexpr BuiltIn table[] = {
    {"distinct", true, "l", 'l', distinct, true},
    {"sort", true, "l", 'l', sort, true},
};

} // namespace

std::span<const BuiltIn> list_functions() { return table; }

} // namespace journeys::cel
