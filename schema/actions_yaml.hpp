/// The file of actions: what a decision may choose among, and the guardrails that hold for all.
#pragma once

#include "journeys/decision.hpp"
#include "schema/journey_yaml.hpp"
#include "schema/mistakes.hpp"
#include "schema/yaml_values.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

struct ActionsFile : journeys::Offers {
    std::vector<Mistake> mistakes;
    std::map<std::string, ActionSteps> steps; ///< Of every action; most have none.
};

/// Actions that hold mistakes are left out.
ActionsFile load_actions(const std::string& file, std::string_view text,
                         const LoadContext& context = {});

/// The kinds of maps in the file, as `actions.schema.json` has them.
const std::vector<Section>& actions_sections();

/// The longest that a reward is waited for.
inline constexpr journeys::Duration reward_window_max = std::chrono::hours{24 * 90};

/// The rules of recommendations.
inline constexpr std::size_t recommend_rules_max = 20;

/// The actions of a file; a decision weighs `journeys::actions_max` of them.
inline constexpr std::size_t actions_file_max = 200;

} // namespace schema
