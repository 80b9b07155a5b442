/// + - * / % on values, and unary minus.
#pragma once

#include "journeys/cel/ast.hpp"
#include "journeys/cel/compare.hpp"
#include "journeys/cel/value.hpp"

namespace journeys::cel {

/// Overflow, division by zero and kinds that do not go together are errors. Without `is_strict` a
/// double and an int or uint are computed in double.
Value compute(Operation operation, Value left, Value right, bool is_strict, Arena& arena,
              Budget& budget);

Value negate(Value value);

} // namespace journeys::cel
