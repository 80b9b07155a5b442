/// Enums that are closed sets, numbered from 0 without a gap: all of their values, for whatever
/// must miss none.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace journeys {

/// All values of a set of `count`, in order.
template <class Set, std::size_t count> consteval std::array<Set, count> values_of() {
    std::array<Set, count> values{};
    for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<Set>(i);
    return values;
}

/// Whether `values` are the whole set: each has a name, and what would come next has none. The
/// compiler sees to it that `name_of`, a `switch` without a `default:`, leaves none out.
template <class Set, std::size_t count>
consteval bool is_whole(const std::array<Set, count>& values,
                        std::string_view (*name_of)(Set value)) {
    for (const auto value : values)
        if (name_of(value).empty()) return false;
    return name_of(static_cast<Set>(count)).empty();
}

} // namespace journeys
