/// Reads an expression's text into a tree.
#pragma once

#include "journeys/cel/ast.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace journeys::cel {

struct Fault {
    std::size_t offset;
    std::string message;
};

/// The tree, or the first mistake. Bounded by `source_bytes_max`, `nesting_max` and `height_max`,
/// so that whoever walks the tree may recurse.
struct Parsed {
    ExprPtr root;
    std::optional<Fault> fault;
};

Parsed parse(std::string_view source);

/// Whether a name may stand for itself: letters, digits and _, and none of the reserved words.
bool is_plain_name(std::string_view name);

} // namespace journeys::cel
