#include "journeys/cel/sorting.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace journeys::cel {
namespace {

bool has_order(Kind kind) {
    switch (kind) {
    case Kind::boolean:
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::floating:
    case Kind::string:
    case Kind::bytes:
    case Kind::timestamp:
    case Kind::duration: return true;
    case Kind::null:
    case Kind::list:
    case Kind::map:
    case Kind::type:
    case Kind::optional:
    case Kind::object:
    case Kind::error: break;
    }
    return false;
}

/// What is wrong with the keys, or nothing. Numbers of several kinds become doubles: their order
/// must be one line, which comparing an int with a double now and with an int then is not.
std::string_view prepare(std::span<SortItem> items) {
    const auto first = items.front().key.kind();
    bool is_mixed = false;
    for (const auto& [key, item] : items) {
        if (!has_order(key.kind())) return "only numbers, texts, bytes, bools and times are sorted";
        if (key.is(Kind::floating) && std::isnan(key.as_double())) return "NaN has no order";
        if (key.kind() == first) continue;
        if (!key.is_number() || !items.front().key.is_number())
            return "there is no order between values of these kinds";
        is_mixed = true;
    }
    if (is_mixed)
        for (auto& [key, item] : items) key = Value::floating(key.as_double());
    return {};
}

} // namespace

Value sorted(std::span<SortItem> items, Arena& arena, Budget& budget) {
    if (items.empty()) return Value::list_of({});
    std::size_t bytes = 0;
    for (const auto& [key, item] : items)
        if (key.is(Kind::string) || key.is(Kind::bytes)) bytes += key.as_string().size();
    const auto rounds = static_cast<std::size_t>(std::bit_width(items.size()));
    if (!budget.charge((items.size() / 4 + bytes / 64) * rounds)) return Value::error(out_of_steps);
    if (const auto problem = prepare(items); !problem.empty()) return Value::error(problem);
    auto* const out = arena.allocate_array<Value>(items.size());
    if (out == nullptr) return Value::error(too_large_result);
    std::stable_sort(items.begin(), items.end(),
                     [](const SortItem& a, const SortItem& b) { return *order(a.key, b.key) < 0; });
    std::transform(items.begin(), items.end(), out, [](const SortItem& each) { return each.item; });
    return Value::list_of({out, items.size()});
}

} // namespace journeys::cel
