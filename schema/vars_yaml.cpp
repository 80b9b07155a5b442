#include "schema/vars_yaml.hpp"

#include "journeys/packed.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace schema {
namespace {

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 64 && (text[0] < '0' || text[0] > '9') &&
           std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_';
           });
}

template <class Number> std::optional<Number> number(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

void write_scalar(journeys::PackedWriter& writer, const YamlNode& node) {
    if (node.is_empty()) return writer.null();
    if (node.style != YamlNode::Style::plain) return writer.string(node.text);
    if (node.text == "true" || node.text == "false") return writer.boolean(node.text == "true");
    if (const auto whole = number<std::int64_t>(node.text)) return writer.integer(*whole);
    if (const auto real = number<double>(node.text); real && std::isfinite(*real))
        return writer.floating(*real);
    writer.string(node.text);
}

} // namespace

std::string read_vars(const YamlNode& node, Mistakes& mistakes) {
    journeys::PackedWriter writer;
    const auto mark = writer.begin_map();
    std::size_t count = 0;
    if (!node.is_map() && !node.is_empty())
        mistakes.add(node.at, "vars is a map from names to plain values, such as discount: 10");
    if (node.entries.size() > vars_max)
        mistakes.add(node.at, "more than " + std::to_string(vars_max) +
                                  " values; many of a kind belong in config/tables/NAME.csv");
    for (const auto& [name, value] : node.entries) {
        if (count == vars_max) break;
        if (!is_name(name.text)) {
            mistakes.add(name.at, quoted(name.text) +
                                      " is no name of a value: letters, digits and _, at most 64");
            continue;
        }
        const bool is_plain_list =
            value.is_list() &&
            std::ranges::none_of(value.items, [](auto& i) { return i.is_list() || i.is_map(); });
        if (value.is_map() || (value.is_list() && !is_plain_list)) {
            mistakes.add(value.at, "a value is a text, a number, true, false, null or a list of "
                                   "these; rows belong in config/tables/NAME.csv");
            continue;
        }
        writer.key(name.text);
        ++count;
        if (!value.is_list()) {
            write_scalar(writer, value);
            continue;
        }
        const auto list = writer.begin_list();
        for (const auto& item : value.items) write_scalar(writer, item);
        writer.end_list(list, value.items.size());
    }
    writer.end_map(mark, count);
    return writer.take();
}

VarsFile load_vars(const std::string& file, std::string_view text) {
    Mistakes mistakes{file};
    VarsFile loaded;
    const auto document = YamlDocument::parse(text, mistakes);
    loaded.values = read_vars(document.root(), mistakes);
    loaded.mistakes = mistakes.take();
    return loaded;
}

} // namespace schema
