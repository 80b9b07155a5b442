/// Resolves the names of a tree and gives every part of it a type.
#pragma once

#include "journeys/cel/ast.hpp"
#include "journeys/cel/environment.hpp"
#include "journeys/cel/parser.hpp"
#include "journeys/cel/program.hpp"

#include <string>
#include <vector>

namespace journeys::cel {

struct Checked {
    std::vector<Fault> faults;
    std::vector<Path> paths;
    std::vector<Call> calls;
    std::vector<Comparison> comparisons;
    unsigned locals = 0;     ///< Slots that the variables of macros need.
    std::uint64_t reads = 0; ///< A bit for each slot of a variable that is read.
};

/// Annotates the tree in place and reports every mistake in it.
Checked check(Expr& root, const Environment& environment, Expect expect);

/// The type of `left operation right`; nothing where no values of these types go together.
std::optional<Type> type_of_operation(Operation operation, const Type& left, const Type& right,
                                      bool is_strict);
/// Why nothing, for the author, and what to write.
std::string mistake_in_operation(Operation operation, const Type& left, const Type& right);

} // namespace journeys::cel
