/// An expression as a tree: what the parser makes, the checker annotates, and the planner and
/// printer read.
#pragma once

#include "journeys/cel/types.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace journeys::cel {

enum class ExprKind : std::uint8_t {
    literal,     ///< value (its text in `name`)
    name,        ///< name; `is_rooted` after a leading dot
    select,      ///< arguments[0].name; `is_optional` for .?name
    index,       ///< arguments[0][arguments[1]]; `is_optional` for [?...]
    call,        ///< name(arguments), or arguments[0].name(the others) where `has_receiver`
    list,        ///< arguments; `optional_entries`
    map,         ///< keys and values in turns; `optional_entries` by pair
    unary,       ///< operation: negate or logical_not
    binary,      ///< operation
    logic,       ///< operation: logical_and or logical_or, of two or more arguments
    conditional, ///< arguments[0] ? [1] : [2]
    has,         ///< has(arguments[0].name)
    macro        ///< see Macro
};

enum class Operation : std::uint8_t {
    none,
    negate,
    logical_not,
    add,
    subtract,
    multiply,
    divide,
    remainder,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    in,
    logical_and,
    logical_or
};

/// arguments: the range, then what the macro is given behind its variables; `variables` holds
/// those.
enum class Macro : std::uint8_t {
    none,
    all,
    exists,
    exists_one,
    map,            ///< (v, transform) or (v, filter, transform)
    filter,         ///< (v, condition)
    sort_by,        ///< (v, key)
    transform_list, ///< (k, v, transform) or (k, v, filter, transform)
    transform_map,
    transform_map_entry,
    bind,         ///< cel.bind(v, value, result)
    opt_map,      ///< optional.optMap(v, result)
    opt_flat_map, ///< optional.optFlatMap(v, result)
};

/// What a name turned out to be.
enum class Resolution : std::uint8_t { none, variable, local, type, unknown };

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
    ExprKind kind;
    Operation operation = Operation::none;
    Macro macro = Macro::none;
    bool is_rooted = false;
    bool is_optional = false;
    bool has_receiver = false;
    int height = 1;
    std::size_t offset; ///< Where a mistake in it is shown.
    std::string name;
    Value value;
    std::vector<ExprPtr> arguments;
    std::vector<bool> optional_entries; ///< Empty where none is.
    std::vector<std::string> variables;

    // Of the checker.
    Type type = {};
    Resolution resolution = Resolution::none;
    unsigned slot = 0;                        ///< A variable's or a local's.
    int field = -1;                           ///< Of a host object, where its type is known.
    const struct BuiltIn* built_in = nullptr; ///< A call's first form; see functions.hpp.
    const struct FunctionDeclaration* host = nullptr;

    Expr(ExprKind its_kind, std::size_t its_offset) : kind(its_kind), offset(its_offset) {}
};

} // namespace journeys::cel
