#include "schema/journey_reference.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace schema {

std::string_view journey_schema_text(); // Made from journey.schema.json.

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t columns = 100, indent = 20;

const Json& schema_json() {
    static const Json json = Json::parse(journey_schema_text());
    return json;
}

const Json* find_section(std::string_view name) {
    const auto& root = schema_json();
    if (name == "journey") return &root;
    for (const auto& definition : root.at("$defs"))
        if (definition.value("x-section", "") == name) return &definition;
    return nullptr;
}

const Json& resolved(const Json& value) {
    constexpr std::string_view prefix = "#/$defs/";
    const auto reference = value.value("$ref", "");
    if (!reference.starts_with(prefix)) return value;
    return schema_json().at("$defs").at(reference.substr(prefix.size()));
}

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : std::string{between}) + part;
    return text;
}

/// What a value may be: `marketing | transactional`, `duration`, `list of names`.
std::string kind_of(const Json& value) {
    if (value.contains("$ref")) {
        const auto& target = resolved(value);
        if (target.contains("x-section"))
            return "see: sojourn help journey \"" + target.at("x-section").get<std::string>() + '"';
        if (target.contains("enum")) return kind_of(target);
        return target.value("description", value.at("$ref").get<std::string>());
    }
    if (value.contains("const")) return value.at("const").dump();
    if (value.contains("enum")) {
        std::vector<std::string> names;
        for (const auto& name : value.at("enum"))
            names.push_back(name.is_string() ? name.get<std::string>() : name.dump());
        return joined(names, " | ");
    }
    if (value.contains("oneOf")) {
        std::vector<std::string> ways;
        for (const auto& way : value.at("oneOf"))
            if (auto kind = kind_of(way); !kind.empty()) ways.push_back(std::move(kind));
        return joined(ways, ", or ");
    }
    const auto type = value.find("type");
    if (type == value.end()) return {};
    if (type->is_array()) return {};
    const auto name = type->get<std::string>();
    if (name == "array")
        return value.contains("items") ? "a list; " + kind_of(value.at("items")) : "a list";
    if (name == "object") return "a map";
    if (name == "string") return "a text";
    if (name == "integer" || name == "number") {
        std::string text = name == "integer" ? "a whole number" : "a number";
        if (value.contains("minimum") && value.contains("maximum"))
            text += ", " + value.at("minimum").dump() + " to " + value.at("maximum").dump();
        return text;
    }
    return name == "null" ? "nothing" : name;
}

/// Words of `text` over lines that begin at `indent`; the first line is begun already.
void append_wrapped(std::string& out, std::string_view text) {
    std::size_t column = indent;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const auto word = text.substr(0, end);
        if (column > indent && column + 1 + word.size() > columns) {
            out += '\n' + std::string(indent, ' ');
            column = indent;
        } else if (column > indent) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    out += '\n';
}

bool is_required(const Json& section, const std::string& key) {
    const auto required = section.find("required");
    return required != section.end() &&
           std::find(required->begin(), required->end(), key) != required->end();
}

} // namespace

std::vector<std::string> journey_reference_sections() {
    std::vector<std::string> names{"journey"};
    for (const auto& definition : schema_json().at("$defs"))
        if (definition.contains("x-section")) names.push_back(definition.at("x-section"));
    return names;
}

std::string journey_example(std::string_view name) {
    const auto* section = find_section(name);
    return section ? section->value("x-example", "") : std::string{};
}

std::optional<std::string> journey_reference(std::string_view name) {
    const auto* section = find_section(name);
    if (!section) return std::nullopt;
    std::string out{name};
    out += ": " + section->value("description", "") + "\n\n";
    for (const auto& [key, value] : section->at("properties").items()) {
        auto head = "  " + key;
        if (head.size() + 1 < indent)
            head.resize(indent, ' ');
        else
            head += '\n' + std::string(indent, ' ');
        out += head;
        append_wrapped(out, value.value("description", "") +
                                (is_required(*section, key) ? " Required." : ""));
        if (const auto kind = kind_of(value); !kind.empty()) {
            out += std::string(indent, ' ');
            append_wrapped(out, kind);
        }
    }
    if (const auto example = journey_example(name); !example.empty()) {
        out += "\nExample\n\n  ";
        for (const char c : example) out += c == '\n' ? std::string{"\n  "} : std::string(1, c);
        out += '\n';
    }
    return out;
}

} // namespace schema
