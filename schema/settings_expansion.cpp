#include "schema/settings_expansion.hpp"

#include <optional>
#include <string_view>
#include <utility>

namespace schema {
namespace {

constexpr std::size_t secret_bytes_max = 16 * 1024;

} // namespace

void Expansion::expand(YamlNode& node) {
    for (auto& item : node.items) expand(item);
    for (auto& [key, value] : node.entries) expand(value);
    if (!node.is_text() || node.text.find("${") == std::string::npos) return;
    std::string made;
    std::string_view rest = node.text;
    while (!rest.empty()) {
        const auto start = rest.find("${");
        if (start == std::string_view::npos) break;
        if (start > 0 && rest[start - 1] == '$') {
            made += rest.substr(0, start - 1);
            made += "${";
            rest.remove_prefix(start + 2);
            continue;
        }
        const auto end = rest.find('}', start);
        if (end == std::string_view::npos) {
            mistakes_.add(node.at, "${ without }");
            return;
        }
        made += rest.substr(0, start);
        made += value_of(std::string{rest.substr(start + 2, end - start - 2)}, node.at);
        rest.remove_prefix(end + 1);
    }
    made += rest;
    node.text = std::move(made);
    node.is_expanded = true;
    values_.insert(node.text);
}

std::string Expansion::value_of(const std::string& what, Place at) {
    auto value = what.starts_with("file:") ? of_file(what, at) : of_environment(what, at);
    if (value.size() <= secret_bytes_max) return value;
    mistakes_.add(at, "${" + what + "} gives more than 16 KiB");
    return {};
}

std::string Expansion::of_file(const std::string& what, Place at) {
    const auto path = what.substr(std::string_view{"file:"}.size());
    auto text = outside_.file ? outside_.file(path) : std::nullopt;
    if (!text) {
        mistakes_.add(at, "the file " + quoted(path) + " of ${" + what + "} cannot be read");
        return {};
    }
    while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
    return *std::move(text);
}

std::string Expansion::of_environment(const std::string& what, Place at) {
    const auto split = what.find(":-");
    const auto name = what.substr(0, split);
    auto value = outside_.variable ? outside_.variable(name) : std::nullopt;
    if (value && !value->empty()) return *std::move(value);
    if (split != std::string::npos) return what.substr(split + 2);
    if (!value)
        mistakes_.add(at, "the environment has no " + name + ". Set it, or give a default: ${" +
                              name + ":-…}");
    return {};
}

} // namespace schema
