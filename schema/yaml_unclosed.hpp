/// Quotes and brackets that a YAML file opens and never closes.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace schema {

struct Unclosed {
    std::size_t offset; ///< Of the quote or bracket, in bytes.
    bool is_quote;
};

/// The first of the file. A text in quotes, and a list or map in brackets, may go on over several
/// lines, each indented deeper than the one that begins it; one that reaches a line that is not, or
/// the end of the file, was not meant to. YAML's parser takes whatever comes up to the next quote,
/// far below, and so blames another line or none. Expects lines ended by '\n'.
std::optional<Unclosed> find_unclosed(std::string_view text);

} // namespace schema
