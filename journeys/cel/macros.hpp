/// The macros: which calls they are, and how their arguments are written.
#pragma once

#include "journeys/cel/ast.hpp"
#include "journeys/cel/parser.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace journeys::cel {

/// Turns a call into the macro it names. Leaves other calls as they are.
std::optional<Fault> expand_macro(Expr& call);

/// Names of all macros, without doubles.
std::vector<std::string_view> macro_names();

/// The macro's name, as `print` writes it.
std::string_view macro_name(const Expr& macro);

} // namespace journeys::cel
