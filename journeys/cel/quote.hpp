/// Texts as literals of the language.
#pragma once

#include <string>
#include <string_view>

namespace journeys::cel {

/// `text` in double quotes, its quotes, backslashes and line breaks escaped, as `strings.quote` has
/// it.
void append_quoted(std::string& out, std::string_view text);

/// Octets as a `b"..."` literal.
void append_quoted_bytes(std::string& out, std::string_view octets);

} // namespace journeys::cel
