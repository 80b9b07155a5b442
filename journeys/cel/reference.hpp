/// What is the same for every host of the language: types, operators, macros, functions and limits,
/// in words, each with an example that a test evaluates, so that the reference cannot lie.
#pragma once

#include "journeys/cel/environment.hpp"

#include <span>
#include <string>
#include <string_view>

namespace journeys::cel {

struct Entry {
    std::string_view name; ///< Of a function or macro as it is called; of a type as `type(x)` says.
    std::string_view what;
    std::string_view example, result; ///< An expression, and its value as `to_text` writes it.
};

std::span<const Entry> type_entries();
std::span<const Entry> operator_entries();
std::span<const Entry> macro_entries();
std::span<const Entry> function_entries(); ///< One for each of `built_in_names`.

/// All of the above as Markdown tables, with the forms that each function takes.
std::string language_reference(const Environment& environment);

} // namespace journeys::cel
