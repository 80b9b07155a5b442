/// What stands outside of the settings and is named in them: `${NAME}`, `${NAME:-default}` and
/// `${file:PATH}`.
#pragma once

#include "schema/settings_yaml.hpp"
#include "schema/yaml_document.hpp"

#include <set>
#include <string>

namespace schema {

/// Replaces them in every value; `$${` stands for `${`.
class Expansion {
public:
    /// Both outlive it.
    Expansion(const Outside& outside, Mistakes& mistakes)
        : outside_(outside), mistakes_(mistakes) {}

    void expand(YamlNode& node);
    /// All that came out; no message may show any of it.
    const std::set<std::string>& values() const { return values_; }

private:
    std::string value_of(const std::string& what, Place at);
    std::string of_file(const std::string& what, Place at);
    std::string of_environment(const std::string& what, Place at);

    const Outside& outside_;
    Mistakes& mistakes_;
    std::set<std::string> values_;
};

} // namespace schema
