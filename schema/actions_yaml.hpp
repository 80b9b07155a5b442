/// The file of actions: what a decision may choose among, and the guardrails that hold for all.
#pragma once

#include "journeys/choice.hpp"
#include "journeys/definition.hpp"
#include "schema/mistakes.hpp"
#include "schema/yaml_values.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

struct ActionDeclaration {
    journeys::Action action;
    std::optional<journeys::Expression> when; ///< Its eligibility; nothing: always.
    std::string channel, surface;             ///< Where it is shown: exactly one of them is named.
    journeys::Duration cap_per{};             ///< The window of `action.cap`.
};

struct ActionsFile {
    std::vector<ActionDeclaration> actions; ///< In the order of the file, which is their priority.
    journeys::Guardrails guardrails;
    journeys::Duration discount_budget_per{};
    double floor = 0.05; ///< Of exploration, for each action that may be taken.
    double holdout = 0;
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
