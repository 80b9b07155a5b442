/// From an expression's text to something that runs: `compile` once, `evaluate` many times.
#pragma once

#include "journeys/cel/environment.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace journeys::cel {

/// The bounds of one evaluation. Passing one ends the evaluation in an error value.
struct Limits {
    /// Items that macros visit and comparisons look at, each the more for long texts, all nestings
    /// together.
    std::size_t steps = 200'000;
    /// Bytes that texts, lists and maps made on the way may take, all together.
    std::size_t result_bytes = 1 << 20;
};

/// The bounds of an expression's text; passing one is an issue of compiling.
inline constexpr std::size_t source_bytes_max = 16 * 1024;
inline constexpr int nesting_max =
    64; ///< Brackets, calls, `?:`, unary operators and lists in each other.
inline constexpr int height_max = 256; ///< Operators and selections one after the other as well.

/// What one evaluation sees.
struct Activation {
    std::span<const Value> variables; ///< By slot.
    const void* context = nullptr;    ///< For host functions.
    Limits limits = {};
};

/// A mistake in an expression.
struct Issue {
    std::size_t offset;    ///< In bytes.
    unsigned line, column; ///< From 1; columns in code points.
    std::string message;
};

/// What is read of a variable: `event.properties.price` is {"event", "properties", "price"}. A
/// constant text index counts as a segment. A path that ends early reads everything below.
struct Path {
    std::vector<std::string> segments;
    std::size_t offset;
};

/// A call of a function, by name. Operators are none.
struct Call {
    std::string function;
    /// One for each argument, the receiver of a member call first; nothing for what is no constant
    /// text.
    std::vector<std::optional<std::string>> constant_strings;
    std::size_t offset;
    std::vector<std::string> selected = {}; ///< What is selected of the result: `f(x).name`.
};

enum class Operation : std::uint8_t;

/// One side of an operator.
struct Side {
    Type type;
    std::vector<std::string> path;  ///< What it reads, where it is a path and nothing else.
    std::vector<std::string> texts; ///< Of a constant text, or of a list of them.
};

/// `left operation right` where a side is a path, for those who know more of what stands there.
struct Comparison {
    Operation operation;
    Side left, right;
    std::size_t offset; ///< Of the side that is a path, the left one first.
};

struct Plan;

/// A compiled expression: immutable, and shared between threads.
class Program {
public:
    explicit Program(std::unique_ptr<const Plan> plan);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    /// The expression's value, or an error value. What it borrows lives in the arena, in the
    /// activation's values and in this program. Does not reset the arena. With a warm arena nothing
    /// is allocated, but by `matches` with a computed pattern, by `format`, `sort` and `sortBy`,
    /// and by conversions to text and to base 64.
    Value evaluate(const Activation& activation, Arena& arena) const noexcept;

    const Type& type() const;
    const std::vector<Path>& paths() const; ///< Every one once.
    const std::vector<Call>& calls() const;
    const std::vector<Comparison>& comparisons() const; ///< With every operator of two sides.
    bool uses_variable(std::string_view name) const;
    /// Whether an evaluation may look at the variable in this slot; what it does not look at need
    /// not be there.
    bool reads_slot(unsigned slot) const;
    const std::string& text() const; ///< The source as it was given.

private:
    std::unique_ptr<const Plan> plan_;
};

/// What the place of an expression asks of its type.
enum class Expect {
    any,
    boolean,  ///< Refuses what can never be a bool; null counts as not met.
    string,   ///< Numbers too: they become text.
    list,     ///<
    timestamp ///<
};

struct Compiled {
    std::shared_ptr<const Program> program; ///< Absent where there are issues.
    std::vector<Issue> issues;              ///< By their place in the text.
};

Compiled compile(std::string_view source, const Environment& environment,
                 Expect expect = Expect::any);

} // namespace journeys::cel
