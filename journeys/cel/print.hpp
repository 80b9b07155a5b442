/// From the tree back to text that parses to the same tree.
#pragma once

#include "journeys/cel/ast.hpp"

#include <string>

namespace journeys::cel {

/// In one line, with no more brackets than needed.
std::string print(const Expr& expression);

} // namespace journeys::cel
