/// Which form of a function a call means.
#pragma once

#include "journeys/cel/ast.hpp"
#include "journeys/cel/environment.hpp"

#include <string>

namespace journeys::cel {

struct Chosen {
    Type type;           ///< Of the call's result.
    std::string mistake; ///< What to tell the author where no form fits; else "".
};

/// Sets `built_in` or `host` of a call whose arguments have their types. Where the types leave more
/// than one form open, evaluation chooses among those of the same number of arguments.
Chosen choose_overload(Expr& call, const Environment& environment);

} // namespace journeys::cel
