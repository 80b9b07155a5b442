#include "runtime/reference_text.hpp"

#include "journeys/lower_case.hpp"
#include "runtime/columns.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace runtime {
namespace {

using Row = std::vector<std::string>;

/// A heading or a title, what is said below it, and a table; each may be missing.
struct Part {
    std::string title;
    bool is_heading = false;
    std::vector<std::string> paragraphs;
    Row columns;
    std::vector<Row> rows;
};

constexpr std::size_t name_width_max = 34;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

std::string plain(std::string_view text) {
    std::string made{text};
    replace_all(made, "\\|", "|");
    replace_all(made, "**", "");
    std::erase(made, '`');
    const auto begin = made.find_first_not_of(' ');
    if (begin == made.npos) return {};
    return made.substr(begin, made.find_last_not_of(' ') - begin + 1);
}

/// The cells between bars; one behind a backslash is part of a cell.
Row cells_of(std::string_view line) {
    Row cells;
    std::size_t begin = 1;
    for (std::size_t i = 1; i < line.size(); ++i)
        if (line[i] == '|' && line[i - 1] != '\\') {
            cells.push_back(plain(line.substr(begin, i - begin)));
            begin = i + 1;
        }
    return cells;
}

std::vector<std::string> lines_of_cell(std::string_view cell) {
    std::vector<std::string> lines;
    constexpr std::string_view separator = "<br>";
    for (;;) {
        const auto end = cell.find(separator);
        lines.emplace_back(cell.substr(0, end));
        if (end == cell.npos) return lines;
        cell.remove_prefix(end + separator.size());
    }
}

std::vector<Part> parts_of(std::string_view markdown) {
    std::vector<Part> parts(1);
    while (!markdown.empty()) {
        const auto end = std::min(markdown.find('\n'), markdown.size());
        const auto line = markdown.substr(0, end);
        markdown.remove_prefix(std::min(end + 1, markdown.size()));
        auto* part = &parts.back();
        const auto begin = [&](std::string title, bool is_heading) {
            parts.push_back({std::move(title), is_heading, {}, {}, {}});
        };
        if (line.starts_with('#'))
            begin(plain(line.substr(line.find_first_not_of('#'))), true);
        else if (line.starts_with("**"))
            begin(plain(line), false);
        else if (!line.starts_with('|') && !line.empty()) {
            if (!part->rows.empty()) begin({}, false);
            parts.back().paragraphs.push_back(plain(line));
        } else if (line.starts_with("| ---"))
            continue;
        else if (line.starts_with('|') && part->columns.empty())
            part->columns = cells_of(line);
        else if (line.starts_with('|')) {
            part->rows.push_back(cells_of(line));
            part->rows.back().resize(std::max<std::size_t>(part->columns.size(), 1));
        }
    }
    return parts;
}

/// Whether the word is one of those in the text; letters, digits and `_` make words.
bool names(std::string_view text, std::string_view word) {
    const auto in = journeys::to_lower(text);
    const auto sought = journeys::to_lower(word);
    const auto of_word = [&](std::size_t i) {
        return i < in.size() && (std::isalnum(static_cast<unsigned char>(in[i])) || in[i] == '_');
    };
    for (auto at = in.find(sought); at != in.npos; at = in.find(sought, at + 1))
        if (!of_word(at + sought.size()) && (at == 0 || !of_word(at - 1))) return true;
    return false;
}

/// The parts, and the rows of these, that the word asks for.
std::vector<Part> selected(std::vector<Part> parts, std::string_view word) {
    for (auto& part : parts) {
        const auto title = std::string_view{part.title};
        if (!part.is_heading && names(title.substr(0, title.find(':')), word)) continue;
        std::erase_if(part.rows, [&](const Row& row) {
            // Of a function only its name, not what it takes.
            return row.empty() || !names(row[0].substr(0, row[0].find('(')), word);
        });
        part.paragraphs.clear();
    }
    std::erase_if(parts, [](const Part& part) { return part.rows.empty(); });
    return parts;
}

/// A name, what it is, and the rest behind it; long names stand on lines of their own.
std::string list_of(const Part& part) {
    std::size_t name_width = 0, second_width = 0;
    for (const auto& row : part.rows)
        for (const auto& line : lines_of_cell(row[0]))
            name_width = std::max(name_width, width_of(line));
    const bool own_lines = name_width > name_width_max;
    const bool has_type = part.columns.size() == 3 && part.columns[1] == "type" && !own_lines;
    if (has_type)
        for (const auto& row : part.rows) second_width = std::max(second_width, width_of(row[1]));
    std::string out;
    for (const auto& row : part.rows) {
        const auto lines = lines_of_cell(row[0]);
        for (std::size_t i = 0; i + 1 < lines.size(); ++i) out += wrapped("  ", lines[i], 4);
        auto begun = "  " + lines.back();
        std::size_t indent = 6, next = 1;
        if (own_lines) {
            out += wrapped("  ", lines.back(), 4);
            begun = std::string(indent, ' ');
        } else {
            begun = padded(std::move(begun), name_width + 4);
            if (has_type) begun += padded(row[next++], second_width + 2);
            indent = width_of(begun);
        }
        if (next == row.size() && !own_lines) out += "  " + lines.back() + '\n';
        const auto first = next;
        for (; next < row.size(); ++next) {
            if (row[next].empty() && next != first) continue;
            out += wrapped(begun, row[next], indent);
            begun = std::string(indent, ' ');
        }
    }
    return out;
}

} // namespace

std::string reference_text(std::string_view markdown, std::string_view word) {
    auto parts = parts_of(markdown);
    if (!word.empty()) parts = selected(std::move(parts), word);
    std::string out;
    for (const auto& part : parts) {
        std::string text;
        if (!part.title.empty()) text += wrapped({}, part.title, 0);
        if (part.is_heading) text += std::string(width_of(part.title), '=') + '\n';
        for (const auto& paragraph : part.paragraphs) text += wrapped({}, paragraph, 0);
        if (!part.rows.empty()) text += list_of(part);
        if (text.empty()) continue;
        if (!out.empty()) out += '\n';
        out += text;
    }
    return out;
}

} // namespace runtime
