/// The Markdown of our references as a terminal shows it: 100 columns, tables as lists.
#pragma once

#include <string>
#include <string_view>

namespace runtime {

/// Knows what our references use: headings, paragraphs, `**titles**`, and tables whose first row
/// names the columns. With `word` only the rows that name it in their first column, letter for
/// letter but for case, and the whole of a table whose title is the word; empty where none does.
std::string reference_text(std::string_view markdown, std::string_view word = {});

} // namespace runtime
