#include "schema/yaml_unclosed.hpp"

#include <algorithm>
#include <vector>

namespace schema {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

class Scan {
public:
    explicit Scan(std::string_view text) : text_(text) {}

    std::optional<Unclosed> run() {
        while (at_ < text_.size() && !found_) line();
        return found_;
    }

private:
    std::size_t line_end(std::size_t from) const {
        return std::min(text_.find('\n', from), size());
    }
    std::size_t size() const { return text_.size(); }
    /// Of the first sign that is no blank; that of the line's end where there is none.
    std::size_t skip_blanks(std::size_t from) const {
        while (from < size() && is_blank(text_[from])) ++from;
        return from;
    }

    void line() {
        const auto start = at_, end = line_end(at_);
        at_ = end + 1; // Unless a value goes on further.
        auto first = start;
        while (first < end && text_[first] == ' ') ++first;
        if (first == end || text_[first] == '#') return;
        indent_ = first - start;
        if (is_block_) {
            if (indent_ > block_indent_) return;
            is_block_ = false;
        }
        while (text_.substr(first, 2) == "- ") first = skip_blanks(first + 1);
        const auto value = value_of(first, end);
        is_root_ = value == start;
        key_indent_ = value == first ? indent_ : first - start;
        if (value < end) read_value(value);
    }

    /// Behind the key and its colon, where the line has one.
    std::size_t value_of(std::size_t first, std::size_t end) const {
        if (first >= end) return end;
        auto at = first;
        if (text_[at] == '"' || text_[at] == '\'') {
            const auto close = text_.find(text_[at], at + 1);
            if (close >= end || close + 1 >= end || text_[close + 1] != ':') return first;
            at = close + 1;
        } else if (text_[at] == '{' || text_[at] == '[') {
            return first;
        }
        for (; at < end; ++at) {
            if (text_[at] == '#' && at > first && is_blank(text_[at - 1])) break;
            if (text_[at] == ':' && (at + 1 == end || is_blank(text_[at + 1])))
                return skip_blanks(at + 1);
        }
        return first;
    }

    void read_value(std::size_t at) {
        switch (text_[at]) {
        case '|':
        case '>':
            is_block_ = true;
            block_indent_ = indent_;
            return;
        case '"':
        case '\'': {
            const auto end = behind_quote(at);
            if (!found_) at_ = line_end(end) + 1;
            return;
        }
        case '[':
        case '{': {
            const auto end = behind_bracket(at);
            if (!found_) at_ = line_end(end) + 1;
            return;
        }
        default: return;
        }
    }

    /// Whether the value may go on in the line that begins at `start`.
    bool goes_on(std::size_t start, bool may_close) const {
        auto first = start;
        while (first < size() && text_[first] == ' ') ++first;
        if (first == size() || text_[first] == '\n' || text_[first] == '\r') return true;
        if (is_root_ || first - start > key_indent_) return true;
        // Behind a dash most readers of YAML take less than the specification asks for.
        if (first - start > indent_ && !begins_entry(first)) return true;
        return may_close && (text_[first] == ']' || text_[first] == '}' || text_[first] == '#');
    }

    /// `key: …` or `- …`.
    bool begins_entry(std::size_t first) const {
        if (text_.substr(first, 2) == "- ") return true;
        auto at = first;
        while (at < size() && (text_[at] == '_' || (text_[at] >= 'a' && text_[at] <= 'z'))) ++at;
        return at > first && at < size() && text_[at] == ':' &&
               (at + 1 == size() || is_blank(text_[at + 1]) || text_[at + 1] == '\n');
    }

    std::size_t behind_quote(std::size_t open) {
        const char quote = text_[open];
        for (auto at = open + 1; at < size(); ++at) {
            if (text_[at] == '\n' && !goes_on(at + 1, false)) break;
            if (quote == '"' && text_[at] == '\\') {
                ++at;
            } else if (text_[at] == quote) {
                if (quote == '"' || at + 1 >= size() || text_[at + 1] != quote) return at + 1;
                ++at;
            }
        }
        found_ = Unclosed{open, true};
        return size();
    }

    std::size_t behind_bracket(std::size_t open) {
        std::vector<std::size_t> opened;
        bool begins_value = true; // What stands here begins a text, so that a quote opens one.
        for (auto at = open; at < size(); ++at) {
            const char c = text_[at];
            if (c == '\n' && !goes_on(at + 1, true)) break;
            if (c == '#' && at > 0 && (is_blank(text_[at - 1]) || text_[at - 1] == '\n')) {
                at = line_end(at) - 1; // Its end is looked at.
                continue;
            }
            if (is_blank(c) || c == '\n') continue;
            if (begins_value && (c == '"' || c == '\'')) {
                at = behind_quote(at) - 1;
                if (found_) return size();
                begins_value = false;
                continue;
            }
            if (c == '[' || c == '{') opened.push_back(at);
            if (c == ']' || c == '}') {
                if (text_[opened.back()] != (c == ']' ? '[' : '{')) break;
                opened.pop_back();
                if (opened.empty()) return at + 1;
            }
            begins_value =
                c == '[' || c == '{' || c == ',' ||
                (c == ':' && at + 1 < size() && (is_blank(text_[at + 1]) || text_[at + 1] == '\n'));
        }
        found_ = Unclosed{opened.back(), false};
        return size();
    }

    const std::string_view text_;
    std::size_t at_ = 0;
    std::size_t indent_ = 0;     ///< Of the line that is looked at.
    std::size_t key_indent_ = 0; ///< Of its key, behind dashes.
    bool is_root_ = false;  ///< The value is the whole document, which may stand at the margin.
    bool is_block_ = false; ///< Inside a text behind `|` or `>`.
    std::size_t block_indent_ = 0;
    std::optional<Unclosed> found_;
};

} // namespace

std::optional<Unclosed> find_unclosed(std::string_view text) { return Scan{text}.run(); }

} // namespace schema
