#include "runtime/columns.hpp"

#include "runtime/printable.hpp"

#include <algorithm>

namespace runtime {

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string padded(std::string text, std::size_t width, bool right) {
    const auto taken = width_of(text);
    const std::string space(taken < width ? width - taken : 0, ' ');
    return right ? space + text : text + space;
}

std::string wrapped(std::string begun, std::string_view words, std::size_t indent) {
    begun = printable(begun);
    const auto shown = printable(words);
    std::string_view text = shown;
    auto column = width_of(begun);
    bool at_begin = true;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const auto word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        const auto needed = width_of(word) + (at_begin ? 0 : 1);
        if (column + needed > text_columns && column > indent) {
            while (!begun.empty() && begun.back() == ' ') begun.pop_back();
            begun += '\n' + std::string(indent, ' ');
            column = indent;
            at_begin = true;
        }
        if (!at_begin) begun += ' ';
        begun += word;
        column += width_of(word) + (at_begin ? 0 : 1);
        at_begin = false;
    }
    while (!begun.empty() && begun.back() == ' ') begun.pop_back();
    return begun + '\n';
}

} // namespace runtime
