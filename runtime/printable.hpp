/// What others sent, made fit for a terminal and for a log of one line per entry: it can neither
/// command the terminal nor begin a line of its own.
#pragma once

#include <string>
#include <string_view>

namespace runtime {

/// `text` with everything that is no visible text escaped: controls (C0, DEL, C1, and so every
/// escape sequence), breaks of lines and paragraphs, and marks that turn the direction of writing,
/// as `\n`, `\t`, `\r` or `\u009b`; octets that are no UTF-8 as `\xff`. Letters of all scripts
/// stay. What is escaped inside a JSON string stays the same JSON.
std::string printable(std::string_view text);

/// The same for a text of several lines: its `\n` stay.
std::string printable_lines(std::string_view text);

} // namespace runtime
