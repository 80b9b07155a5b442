/// The file of actions: what a decision may choose among, and the guardrails that hold for all.
#pragma once

#include "journeys/decision.hpp"
#include "schema/mistakes.hpp"
#include "schema/yaml_values.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace schema {

struct ActionsFile : journeys::Offers {
    std::vector<Mistake> mistakes;
};

/// Actions that hold mistakes are left out. `channels`: those configured; null: any is taken.
ActionsFile load_actions(const std::string& file, std::string_view text,
                         const std::vector<std::string>* channels = nullptr);

/// The kinds of maps in the file, as `actions.schema.json` has them.
const std::vector<Section>& actions_sections();

/// The actions of a file; a decision weighs `journeys::actions_max` of them.
inline constexpr std::size_t actions_file_max = 200;

} // namespace schema
