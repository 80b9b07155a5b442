/// Lists in order, for `sort` and `sortBy`.
#pragma once

#include "journeys/cel/compare.hpp"

#include <span>

namespace journeys::cel {

struct SortItem {
    Value key, item;
};

/// The items by their keys, equal ones in the order they came in; rearranges `items`. An error
/// where the keys have no order between them, where the budget ends, or where there is no room.
Value sorted(std::span<SortItem> items, Arena& arena, Budget& budget);

} // namespace journeys::cel
