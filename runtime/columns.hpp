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

/// `begun` and behind it the words of `text`, over lines that go on at `indent`; with its line's
/// end.
std::string wrapped(std::string begun, std::string_view text, std::size_t indent);

} // namespace runtime
