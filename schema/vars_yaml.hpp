/// Plain values that expressions read as `vars.NAME`: of a journey's own `vars`, or of all of them
/// in `config/vars.yaml`.
#pragma once

#include "schema/mistakes.hpp"
#include "schema/yaml_document.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace schema {

/// The map as packed bytes: numbers, `true`, `false` and `null` as such where they stand without
/// quotes, lists of them, and texts. Mistakes are told, and what holds them is left out.
std::string read_vars(const YamlNode& node, Mistakes& mistakes);

struct VarsFile {
    std::string values; ///< A packed map.
    std::vector<Mistake> mistakes;
};
VarsFile load_vars(const std::string& file, std::string_view text);

/// The values of one map; more is a mistake.
inline constexpr std::size_t vars_max = 200;

} // namespace schema
