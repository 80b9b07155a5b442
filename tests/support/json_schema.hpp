/// As much of JSON Schema 2020-12 as `journey.schema.json` uses; a keyword that is not known here
/// fails the test, so that none is passed over.
#pragma once

#include <nlohmann/json.hpp>

#include <algorithm>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>

namespace support {

class JsonSchema {
public:
    explicit JsonSchema(nlohmann::json root) : root_(std::move(root)) {}

    /// Where the value is not as the schema says; empty where it is. One place, the first.
    std::string refusal(const nlohmann::json& value) const { return check(root_, value, "$"); }

private:
    using Json = nlohmann::json;

    const Json& resolved(const std::string& reference) const {
        const std::string prefix = "#/$defs/";
        if (reference.rfind(prefix, 0) != 0) throw std::logic_error("a reference to " + reference);
        return root_.at("$defs").at(reference.substr(prefix.size()));
    }

    static bool is_of(const std::string& type, const Json& value) {
        if (type == "object") return value.is_object();
        if (type == "array") return value.is_array();
        // What YAML takes for a number or a truth the loader takes for the text that stands there.
        if (type == "string") return value.is_string() || value.is_number() || value.is_boolean();
        if (type == "number") return value.is_number();
        if (type == "integer") return value.is_number_integer();
        if (type == "boolean") return value.is_boolean();
        if (type == "null") return value.is_null();
        throw std::logic_error("a type " + type);
    }

    std::size_t met(const Json& ways, const Json& value, const std::string& at) const {
        return static_cast<std::size_t>(
            std::count_if(ways.begin(), ways.end(),
                          [&](const Json& way) { return check(way, value, at).empty(); }));
    }

    std::string check(const Json& schema, const Json& value, const std::string& at) const {
        static const std::set<std::string> told{"$schema",   "$id",         "$defs",
                                                "title",     "description", "x-section",
                                                "x-example", "examples",    "default"};
        for (const auto& [keyword, rule] : schema.items()) {
            if (told.contains(keyword)) continue;
            if (auto why = check_one(schema, keyword, rule, value, at); !why.empty()) return why;
        }
        return {};
    }

    std::string check_one(const Json& schema, const std::string& keyword, const Json& rule,
                          const Json& value, const std::string& at) const {
        const auto wrong = [&](const std::string& what) { return at + ": " + what; };
        if (keyword == "$ref") return check(resolved(rule), value, at);
        if (keyword == "type") {
            const bool is_right =
                rule.is_array() ? std::any_of(rule.begin(), rule.end(),
                                              [&](const Json& type) { return is_of(type, value); })
                                : is_of(rule, value);
            return is_right ? "" : wrong("is no " + rule.dump());
        }
        if (keyword == "enum")
            return std::find(rule.begin(), rule.end(), value) != rule.end()
                       ? ""
                       : wrong("is none of " + rule.dump());
        if (keyword == "const") return value == rule ? "" : wrong("is not " + rule.dump());
        if (keyword == "oneOf") {
            const auto count = met(rule, value, at);
            return count == 1 ? "" : wrong("meets " + std::to_string(count) + " ways of one");
        }
        if (keyword == "anyOf") return met(rule, value, at) > 0 ? "" : wrong("meets no way of any");
        if (keyword == "not")
            return check(rule, value, at).empty() ? wrong("is what it is not") : "";
        if (value.is_object()) {
            if (keyword == "required") {
                for (const auto& name : rule)
                    if (!value.contains(name.get<std::string>()))
                        return wrong("has no " + name.get<std::string>());
                return {};
            }
            if (keyword == "properties") {
                for (const auto& [name, inner] : rule.items())
                    if (value.contains(name))
                        if (auto why = check(inner, value.at(name), at + '.' + name); !why.empty())
                            return why;
                return {};
            }
            if (keyword == "additionalProperties") {
                for (const auto& [name, inner] : value.items()) {
                    if (schema.contains("properties") && schema.at("properties").contains(name))
                        continue;
                    if (rule == false) return wrong("may not have " + name);
                    if (rule.is_object())
                        if (auto why = check(rule, inner, at + '.' + name); !why.empty())
                            return why;
                }
                return {};
            }
            if (keyword == "propertyNames") {
                for (const auto& [name, inner] : value.items())
                    if (auto why = check(rule, Json(name), at + '.' + name); !why.empty())
                        return why;
                return {};
            }
            if (keyword == "dependentRequired") {
                for (const auto& [name, others] : rule.items())
                    for (const auto& other : others)
                        if (value.contains(name) && !value.contains(other.get<std::string>()))
                            return wrong("has no " + other.get<std::string>());
                return {};
            }
            if (keyword == "dependentSchemas") {
                for (const auto& [name, inner] : rule.items())
                    if (value.contains(name))
                        if (auto why = check(inner, value, at); !why.empty())
                            return why + " beside " + name;
                return {};
            }
            if (keyword == "minProperties")
                return value.size() >= rule.get<std::size_t>() ? "" : wrong("has too few members");
        }
        if (value.is_array()) {
            if (keyword == "items") {
                for (std::size_t i = 0; i < value.size(); ++i)
                    if (auto why = check(rule, value[i], at + '[' + std::to_string(i) + ']');
                        !why.empty())
                        return why;
                return {};
            }
            if (keyword == "minItems")
                return value.size() >= rule.get<std::size_t>() ? "" : wrong("has too few items");
            if (keyword == "maxItems")
                return value.size() <= rule.get<std::size_t>() ? "" : wrong("has too many items");
            if (keyword == "uniqueItems") return {};
        }
        if (value.is_number()) {
            const double number = value.get<double>();
            if (keyword == "minimum") return number >= rule ? "" : wrong("is too small");
            if (keyword == "maximum") return number <= rule ? "" : wrong("is too large");
            if (keyword == "exclusiveMinimum") return number > rule ? "" : wrong("is too small");
            if (keyword == "exclusiveMaximum") return number < rule ? "" : wrong("is too large");
        }
        if (keyword == "pattern" || keyword == "maxLength" || keyword == "minLength") {
            const auto text = value.is_string() ? value.get<std::string>() : value.dump();
            if (keyword == "maxLength") return text.size() <= rule ? "" : wrong("is too long");
            if (keyword == "minLength") return text.size() >= rule ? "" : wrong("is too short");
            return std::regex_search(text, std::regex{rule.get<std::string>()})
                       ? ""
                       : wrong("is not written " + rule.get<std::string>());
        }
        static const std::set<std::string> of_kinds{"required",          "dependentSchemas",
                                                    "properties",        "additionalProperties",
                                                    "propertyNames",     "items",
                                                    "minItems",          "maxItems",
                                                    "dependentRequired", "uniqueItems",
                                                    "minimum",           "maximum",
                                                    "minProperties",     "exclusiveMinimum",
                                                    "exclusiveMaximum"};
        if (of_kinds.contains(keyword)) return {}; // Says nothing of a value of another kind.
        throw std::logic_error("a keyword " + keyword);
    }

    Json root_;
};

} // namespace support
