/// The reference of the journey language for people, made from `journey.schema.json`: what editors
/// complete and what `sojourn help journey` prints is one text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

/// The sections that can be asked for, in the order of the file: `journey`, `enter`, `send`, …
std::vector<std::string> journey_reference_sections();

/// Each key of the section with what it takes and what it means, and an example; in 100 columns.
/// Nothing where there is no such section.
std::optional<std::string> journey_reference(std::string_view section);

/// The example of a section, as it would stand in a file; empty where it has none.
std::string journey_example(std::string_view section);

} // namespace schema
