/// The YAML that we take: maps, lists and texts, each with its exact place. What YAML has beyond
/// that (tags, anchors, aliases, merge keys, a key given twice) is refused by name, since it
/// silently changes what an expression says.
#pragma once

#include "schema/mistakes.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace schema {

struct YamlBounds {
    std::size_t bytes = 512 * 1024;
    std::size_t nodes = 50'000;
    std::size_t depth = 40;
};

/// One value. Scalars are texts; what they mean is for the reader to say.
struct YamlNode {
    enum class Kind : std::uint8_t { empty, text, list, map } kind = Kind::empty;
    enum class Style : std::uint8_t {
        plain,
        single_quoted,
        double_quoted,
        block
    } style = Style::plain;
    bool in_brackets = false; ///< A list or map written as `[…]` or `{…}`.
    bool is_expanded = false; ///< `text` came from outside the file: no message may show it.
    bool is_told = false;     ///< What is wrong with it was said when the file was read.
    Place at;
    std::size_t offset = 0; ///< Of its first byte in `YamlDocument::text`.
    std::string text;       ///< Of a text; of an empty value what stands there: ``, `~` or `null`.
    std::vector<YamlNode> items;
    std::vector<std::pair<YamlNode, YamlNode>> entries; ///< In the order of the file.

    bool is_empty() const { return kind == Kind::empty; }
    bool is_text() const { return kind == Kind::text; }
    bool is_list() const { return kind == Kind::list; }
    bool is_map() const { return kind == Kind::map; }
    const YamlNode* find(std::string_view key) const;
};

class YamlDocument {
public:
    /// What could be read; where `mistakes` gets an error the tree may be cut short.
    static YamlDocument parse(std::string_view text, Mistakes& mistakes,
                              const YamlBounds& bounds = {});

    const YamlNode& root() const { return root_; }
    Place place(std::size_t offset) const;
    /// Where the byte `offset` of a text's value stands in the file: behind quotes, over escapes,
    /// folds and indentation.
    Place place_in(const YamlNode& text, std::size_t offset) const;
    /// Whether a ` #` ended this plain text early.
    bool is_cut_by_comment(const YamlNode& node) const;
    /// Whether a comma or a bracket of `{…}` or `[…]` ended this plain text, rightly or not.
    bool is_cut_by_bracket(const YamlNode& node) const;
    std::string_view line(unsigned number) const; ///< From 1; without its end.
    std::string_view text() const { return text_; }

private:
    std::string text_; ///< Without a byte order mark, lines ended by one '\n'.
    std::vector<std::size_t> lines_;
    YamlNode root_;
};

/// `text` as one YAML value: in quotes that it does not hold itself.
std::string yaml_quoted(std::string_view text);

} // namespace schema
