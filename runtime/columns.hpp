/// Text for terminals, 100 columns wide. Widths are counted in code points: texts hold `›` and `−`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace runtime {

inline constexpr std::size_t text_columns = 100;

std::size_t width_of(std::string_view text);

/// Filled up with blanks; `right`: from the left.
std::string padded(std::string text, std::size_t width, bool right = false);

/// `begun` and behind it `words`, over lines that go on at `indent`; with its line's
/// end. What stands in them begins no line and commands no terminal: see `printable`.
std::string wrapped(std::string begun, std::string_view words, std::size_t indent);

} // namespace runtime
