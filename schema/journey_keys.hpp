/// Every key of the journey language, once: the loader refuses what is not here, and a test holds
/// `journey.schema.json` against it.
#pragma once

#include "schema/yaml_values.hpp"

#include <string_view>
#include <vector>

namespace schema {

const std::vector<Section>& journey_sections();
const Section& journey_section(std::string_view name); ///< Needs a name that exists.

} // namespace schema
