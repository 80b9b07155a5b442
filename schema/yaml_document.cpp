#include "schema/yaml_document.hpp"

#include "schema/yaml_unclosed.hpp"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <set>
#include <sstream>

namespace schema {
namespace {

struct TooMuch {}; // Ends parsing once a bound is passed; never leaves this file.

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// The rest of a line as a person would read the value: without a comment and blanks at the end.
std::string_view without_comment(std::string_view text) {
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != 0) {
            if (c == quote) quote = 0;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '#' && i > 0 && is_blank(text[i - 1])) {
            text = text.substr(0, i);
            break;
        }
    }
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

/// Up to where a value inside { } or [ ] was meant to end.
std::string_view within_brackets(std::string_view text) {
    int depth = 0;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote != 0) {
            if (c == quote) quote = 0;
            continue;
        }
        if (c == '"' || c == '\'') quote = c;
        if (c == '(' || c == '[' || c == '{') ++depth;
        if ((c == ')' || c == ']' || c == '}') && --depth < 0)
            return without_comment(text.substr(0, i));
        if (c == ',' && depth == 0) return without_comment(text.substr(0, i));
    }
    return text;
}

/// "YAML takes … for a tag …": what `!`, `&` and `*` at the head of a value do to it.
std::string taken_for_something_else(std::string_view value) {
    std::string said = "YAML takes ";
    std::string_view rest = value;
    bool first = true;
    while (!rest.empty() && (rest[0] == '!' || rest[0] == '&' || rest[0] == '*')) {
        const auto end = std::min(rest.find_first_of(" \t"), rest.size());
        const auto word = rest.substr(0, end);
        said += std::string{first ? "" : " and "} + quoted(word) + " for " +
                (word[0] == '!'   ? "a tag"
                 : word[0] == '&' ? "an anchor"
                                  : "an alias");
        first = false;
        rest.remove_prefix(std::min(rest.find_first_not_of(" \t", end), rest.size()));
    }
    if (rest.empty())
        said += "; nothing would be left.";
    else
        said += "; only " + quoted(rest) + " would be left.";
    return said + " Quote it: " + yaml_quoted(value);
}

struct Explained {
    std::size_t column; ///< In bytes, from 0.
    std::string message;
};

const char* const brackets_sentence =
    "inside { } the characters [ ] { } , end a value. Write data on lines of its own: ";

/// What is likely wrong with a line that YAML could not read.
std::optional<Explained> explain(std::string_view line) {
    const auto indent = line.find_first_not_of(' ');
    if (indent == std::string_view::npos || line[indent] == '#') return std::nullopt;
    if (line[indent] == '\t') return Explained{indent, "a tab. YAML indents by spaces only"};
    std::size_t at = indent;
    while (line.substr(at).starts_with("- "))
        at = std::min(line.find_first_not_of(' ', at + 1), line.size());
    // The key, where there is one.
    std::string_view key;
    std::size_t end = at;
    while (end < line.size() && line[end] != ':' && line[end] != '"' && line[end] != '\'' &&
           line[end] != '{' && line[end] != '[')
        ++end;
    if (end < line.size() && line[end] == ':' && (end + 1 == line.size() || line[end + 1] == ' ')) {
        key = line.substr(at, end - at);
        at = std::min(line.find_first_not_of(' ', end + 1), line.size());
    }
    const auto value = without_comment(line.substr(at));
    if (value.empty()) return std::nullopt;
    if (value[0] == '!' || value[0] == '&' || value[0] == '*')
        return Explained{at, taken_for_something_else(value)};
    if (value[0] == '"' || value[0] == '\'') {
        auto close = value.find(value[0], 1);
        while (value[0] == '\'' && close != std::string_view::npos && close + 1 < value.size() &&
               value[close + 1] == '\'')
            close = value.find('\'', close + 2);
        if (close == std::string_view::npos) return Explained{at, "this quote is never closed"};
        if (close + 1 < value.size())
            return Explained{at,
                             "a value that starts with a quote, or holds \": \" or \" #\", must be "
                             "quoted whole: " +
                                 yaml_quoted(value)};
        return std::nullopt;
    }
    if (value[0] == '{') {
        const auto inner = value.find_first_of("[{", 1);
        if (inner == std::string_view::npos) return std::nullopt;
        auto start = value.find_last_of(",{", inner - 1);
        start = value.find_first_not_of(' ', start + 1);
        return Explained{at + start,
                         brackets_sentence + std::string{within_brackets(value.substr(start))}};
    }
    if (value[0] == '@' || value[0] == '`' || value[0] == '%')
        return Explained{at, "a value cannot begin with " + quoted(value.substr(0, 1)) +
                                 " here. Quote it: " + yaml_quoted(value)};
    if (!key.empty() && value[0] != '[' && value.find(": ") != std::string_view::npos)
        return Explained{
            at, "a value that starts with a quote, or holds \": \" or \" #\", must be quoted "
                "whole: " +
                    yaml_quoted(value)};
    return std::nullopt;
}

class TreeBuilder final : public YAML::EventHandler {
public:
    TreeBuilder(const YamlDocument& document, Mistakes& mistakes, const YamlBounds& bounds)
        : document_(document), mistakes_(mistakes), bounds_(bounds) {}

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ == 2)
            mistakes_.add(document_.place(offset(mark)),
                          "a second document after \"---\"; one file "
                          "holds one");
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
        auto node = make(mark, YamlNode::Kind::empty);
        const auto rest = document_.text().substr(std::min(node.offset, document_.text().size()));
        for (const std::string_view word : {"null", "Null", "NULL", "~"})
            if (rest.starts_with(word)) node.text = word;
        refuse_extras(node);
        put(std::move(node));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        auto node = make(mark, YamlNode::Kind::empty);
        refuse_extras(node);
        put(std::move(node));
    }
    void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  const std::string& value) override {
        auto node = make(mark, YamlNode::Kind::text);
        node.text = value;
        const auto source = document_.text();
        const char first = node.offset < source.size() ? source[node.offset] : ' ';
        if (first == '"') node.style = YamlNode::Style::double_quoted;
        if (first == '\'') node.style = YamlNode::Style::single_quoted;
        if (first == '|' || first == '>') node.style = YamlNode::Style::block;
        refuse_extras(node);
        put(std::move(node));
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value style) override {
        open(mark, YamlNode::Kind::list, style);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value style) override {
        open(mark, YamlNode::Kind::map, style);
    }
    void OnMapEnd() override { close(); }

    YamlNode take() { return std::move(root_); }

private:
    struct Open {
        YamlNode node;
        std::optional<YamlNode> key;
        std::set<std::string, std::less<>> keys;
    };

    static std::size_t offset(const YAML::Mark& mark) {
        return mark.pos < 0 ? 0 : static_cast<std::size_t>(mark.pos);
    }
    YamlNode make(const YAML::Mark& mark, YamlNode::Kind kind) {
        if (++nodes_ > bounds_.nodes) {
            mistakes_.add(document_.place(offset(mark)),
                          "more than " + std::to_string(bounds_.nodes) + " values in one file");
            throw TooMuch{};
        }
        YamlNode node;
        node.kind = kind;
        node.offset = offset(mark);
        node.at = document_.place(node.offset);
        return node;
    }
    /// Tags, anchors and aliases stand at the head of a value, where nothing else can begin with
    /// these.
    void refuse_extras(YamlNode& node) {
        const auto rest = document_.text().substr(std::min(node.offset, document_.text().size()));
        if (rest.empty() || (rest[0] != '!' && rest[0] != '&' && rest[0] != '*')) return;
        auto value = without_comment(rest.substr(0, rest.find('\n')));
        if (!open_.empty() && open_.back().node.in_brackets) value = within_brackets(value);
        mistakes_.add(node.at, taken_for_something_else(value));
        node.is_told = true;
    }
    void open(const YAML::Mark& mark, YamlNode::Kind kind, YAML::EmitterStyle::value style) {
        auto node = make(mark, kind);
        node.in_brackets = style == YAML::EmitterStyle::Flow;
        refuse_extras(node);
        if (open_.size() >= bounds_.depth) {
            mistakes_.add(node.at, "nested more than " + std::to_string(bounds_.depth) + " deep");
            throw TooMuch{};
        }
        open_.push_back({std::move(node), std::nullopt, {}});
    }
    void close() {
        auto done = std::move(open_.back().node);
        open_.pop_back();
        put(std::move(done));
    }
    void put(YamlNode node) {
        if (documents_ > 1) return;
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        auto& top = open_.back();
        if (top.node.is_list()) {
            top.node.items.push_back(std::move(node));
        } else if (!top.key) {
            if (!node.is_text())
                mistakes_.add(node.at, "a key must be a plain text");
            else if (node.text == "<<")
                mistakes_.add(node.at, "merge keys (\"<<\") are not allowed; write the values out");
            else if (!top.keys.insert(node.text).second)
                mistakes_.add(node.at, "the key " + quoted(node.text) + " is given twice");
            top.key = std::move(node);
        } else {
            top.node.entries.emplace_back(std::move(*top.key), std::move(node));
            top.key.reset();
        }
    }

    const YamlDocument& document_;
    Mistakes& mistakes_;
    const YamlBounds& bounds_;
    std::vector<Open> open_;
    YamlNode root_;
    std::size_t nodes_ = 0;
    int documents_ = 0;
};

std::size_t utf8_size(char first) {
    const auto byte = static_cast<unsigned char>(first);
    return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

bool is_utf8(std::string_view text, std::size_t& bad) {
    for (std::size_t i = 0; i < text.size();) {
        const auto byte = static_cast<unsigned char>(text[i]);
        bad = i;
        if (byte == 0 || (byte >= 0x80 && byte < 0xc2) || byte > 0xf4) return false;
        const auto size = utf8_size(text[i]);
        if (i + size > text.size()) return false;
        for (std::size_t k = 1; k < size; ++k)
            if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
        i += size;
    }
    return true;
}

} // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
    for (const auto& [name, value] : entries)
        if (name.text == key) return &value;
    return nullptr;
}

YamlDocument YamlDocument::parse(std::string_view text, Mistakes& mistakes,
                                 const YamlBounds& bounds) {
    YamlDocument document;
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    if (text.size() > bounds.bytes) {
        mistakes.add({}, "the file is larger than " + std::to_string(bounds.bytes / 1024) + " KiB");
        return document;
    }
    document.text_.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\r' && (i + 1 == text.size() || text[i + 1] == '\n')) continue;
        document.text_ += text[i];
    }
    document.lines_.push_back(0);
    for (std::size_t i = 0; i < document.text_.size(); ++i)
        if (document.text_[i] == '\n') document.lines_.push_back(i + 1);
    if (std::size_t bad = 0; !is_utf8(document.text_, bad)) {
        mistakes.add(document.place(bad), "this is not UTF-8 text");
        return document;
    }

    if (const auto open = find_unclosed(document.text_)) {
        mistakes.add(document.place(open->offset), open->is_quote ? "this quote is never closed"
                                                                  : "this bracket is never closed");
        return document;
    }
    TreeBuilder builder{document, mistakes, bounds};
    bool is_read = false;
    try {
        std::istringstream stream{document.text_};
        YAML::Parser parser{stream};
        while (parser.HandleNextDocument(builder)) {
        }
        is_read = true;
    } catch (const TooMuch&) { // Said already.
    } catch (const YAML::DeepRecursion& error) {
        mistakes.add(document.place(static_cast<std::size_t>(std::max(0, error.mark.pos))),
                     "nested too deep");
    } catch (const YAML::Exception& error) { // The border: yaml-cpp throws, we collect.
        const auto where = document.place(static_cast<std::size_t>(std::max(0, error.mark.pos)));
        std::optional<Explained> explained;
        unsigned number = where.line;
        for (unsigned back = 0; back < 3 && number > back && !explained; ++back)
            if ((explained = explain(document.line(where.line - back)))) number = where.line - back;
        if (explained)
            mistakes.add(document.place(document.lines_[number - 1] + explained->column),
                         explained->message);
        else
            mistakes.add(where, "this is not YAML: " + error.msg);
    } catch (const std::exception& error) {
        mistakes.add({}, std::string{"this is not YAML: "} + error.what());
    }
    if (is_read) document.root_ = builder.take();
    return document;
}

Place YamlDocument::place(std::size_t offset) const {
    offset = std::min(offset, text_.size());
    const auto after = std::upper_bound(lines_.begin(), lines_.end(), offset);
    const auto line = static_cast<unsigned>(after - lines_.begin());
    if (line == 0) return {1, 1};
    unsigned column = 1;
    for (std::size_t i = lines_[line - 1]; i < offset; ++i)
        if ((static_cast<unsigned char>(text_[i]) & 0xc0) != 0x80) ++column;
    return {line, column};
}

std::string_view YamlDocument::line(unsigned number) const {
    if (number == 0 || number > lines_.size()) return {};
    const auto start = lines_[number - 1];
    const auto end = number < lines_.size() ? lines_[number] - 1 : text_.size();
    return std::string_view{text_}.substr(start, end - start);
}

Place YamlDocument::place_in(const YamlNode& node, std::size_t offset) const {
    if (!node.is_text()) return node.at;
    const std::string_view source = text_;
    const std::string_view value = node.text;
    offset = std::min(offset, value.size());
    std::size_t at = node.offset, indent = 0;
    const auto is_space = [&](std::size_t i) {
        return i < source.size() && (is_blank(source[i]) || source[i] == '\n');
    };
    const auto skip_indent = [&] {
        for (std::size_t n = 0; n < indent && at < source.size() && source[at] == ' '; ++n) ++at;
    };
    const bool is_block = node.style == YamlNode::Style::block;
    if (is_block) {
        at = std::min(source.find('\n', at), source.size() - 1) + 1;
        auto first = at;
        while (is_space(first)) ++first;
        const auto line_start = source.rfind('\n', first == 0 ? 0 : first - 1);
        indent = first - (line_start == std::string_view::npos ? 0 : line_start + 1);
        // `|2` may leave blanks in front of the first line: these are part of the value.
        const auto line = std::min(value.find_first_not_of('\n'), value.size());
        const auto text = std::min(value.find_first_not_of(' ', line), value.size());
        indent -= std::min(indent, text - line);
        skip_indent();
    } else if (node.style != YamlNode::Style::plain) {
        ++at;
    }
    for (std::size_t i = 0; i < offset && at < source.size();) {
        if (node.style == YamlNode::Style::single_quoted && source.substr(at).starts_with("''")) {
            at += 2;
            ++i;
        } else if (node.style == YamlNode::Style::double_quoted && source[at] == '\\') {
            const char kind = at + 1 < source.size() ? source[at + 1] : ' ';
            at += kind == 'x' ? 4 : kind == 'u' ? 6 : kind == 'U' ? 10 : 2;
            if (kind == '\n')
                while (is_space(at)) ++at;
            else
                i += utf8_size(value[i]);
        } else if (is_block && source[at] == '\n') {
            // Behind `|` each line's end stands for itself; behind `>` one alone becomes a blank,
            // and of several the first is gone.
            while (at < source.size() && source[at] == '\n') {
                ++at;
                skip_indent();
            }
            if (value[i] == ' ')
                ++i;
            else
                while (i < offset && value[i] == '\n') ++i;
        } else if (!is_block && is_space(at)) {
            // A run with a line's end in it folds into blanks or line ends; any other stands for
            // itself.
            auto end = at;
            while (is_space(end)) ++end;
            if (source.substr(at, end - at).find('\n') == std::string_view::npos) {
                ++at;
                ++i;
            } else {
                at = end;
                while (i < offset && (value[i] == ' ' || value[i] == '\n')) ++i;
            }
        } else {
            ++at;
            ++i;
        }
    }
    return place(at);
}

bool YamlDocument::is_cut_by_comment(const YamlNode& node) const {
    if (!node.is_text() || node.style != YamlNode::Style::plain) return false;
    const auto end = std::min(text_.size(), node.offset + node.text.size());
    const auto next = text_.find_first_not_of(" \t", end);
    return next != std::string::npos && text_[next] == '#';
}

bool YamlDocument::is_cut_by_bracket(const YamlNode& node) const {
    if (!node.is_text() || node.style != YamlNode::Style::plain) return false;
    const auto end = std::min(text_.size(), node.offset + node.text.size());
    const auto next = text_.find_first_not_of(" \t", end);
    return next != std::string::npos &&
           std::string_view{",[]{}"}.find(text_[next]) != std::string_view::npos;
}

std::string yaml_quoted(std::string_view text) {
    if (text.find('\'') == std::string_view::npos) return '\'' + std::string{text} + '\'';
    if (text.find_first_of("\"\\") == std::string_view::npos) return '"' + std::string{text} + '"';
    std::string made = "'";
    for (const char c : text) made += c == '\'' ? std::string{"''"} : std::string{c};
    return made + '\'';
}

} // namespace schema
