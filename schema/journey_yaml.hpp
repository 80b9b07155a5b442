/// A journey's file: text in, a checked and compiled journey or all of its mistakes out.
#pragma once

#include "journeys/definition.hpp"
#include "journeys/lookups.hpp"
#include "journeys/settings.hpp"
#include "journeys/template.hpp"
#include "schema/events_yaml.hpp"
#include "schema/known_events.hpp"
#include "schema/mistakes.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace schema {

/// The steps of an action, as they are put into a journey behind its decision.
struct ActionSteps {
    std::vector<journeys::Step> steps; ///< Indexes count from 0; `end_of_run`: what follows.
    journeys::StepIndex first = journeys::end_of_run;
    std::vector<std::string> properties_read;
    std::string file;
    std::string canonical; ///< Its content, for the version of the journeys that hold it.
};

struct TemplateText {
    std::string text;
    std::shared_ptr<const journeys::Template> parsed; ///< Null where it has mistakes of its own.
};

/// What a file is checked against. What is absent is not checked, so that a journey can be tried
/// alone.
struct LoadContext {
    const journeys::Settings* settings =
        nullptr;           ///< Null: channels, topics and templates are taken as named.
    DeclaredEvents events; ///< Beside the standard ones; nothing: any name is taken.
    /// What is declared of these; null: nothing is known of them.
    const std::map<std::string, EventDeclaration>* declared = nullptr;
    const std::map<std::string, TemplateText>* templates =
        nullptr;                                   ///< By file name without `.mustache`.
    std::optional<std::set<std::string>> journeys; ///< Ids that `running` may name.
    const journeys::Lookups* lookups =
        nullptr; ///< Null: names of values, tables and audiences are taken as they stand.
    std::vector<std::string> seen_traits; ///< For suggestions.
    /// Pools of codes that a send may name; nothing: any is taken.
    std::optional<std::set<std::string>> coupons;
    /// By id, those that a decision may name; null: any is taken.
    const std::map<std::string, ActionSteps>* actions = nullptr;
    bool models_loaded = false; ///< Else scores are null, and reading one is worth a warning.
    /// For a word on what is over; nothing: no word.
    std::optional<journeys::Timestamp> now = std::nullopt;
    /// Files beside that have mistakes of their own: what misses something there is not to blame.
    struct Broken {
        bool vars = false;                                 ///< Any value may be meant.
        bool audiences = false;                            ///< Any audience may be meant.
        std::set<std::string, std::less<>> audience_names; ///< Are there, and hold mistakes.
        std::set<std::string, std::less<>> tables;         ///< Any column may be meant.
    } broken = {};
    /// The files were taken once, perhaps by an older version that knew fewer mistakes: what makes
    /// no sense and can be run all the same is only warned of.
    bool was_taken = false;
};

/// The id that a journey's file gives itself; nothing where it has none, or is no YAML.
std::optional<std::string> journey_id_in(std::string_view text);

struct LoadResult {
    journeys::JourneyPtr journey; ///< Null where `mistakes` holds more than warnings.
    std::vector<Mistake> mistakes;
};

LoadResult load_journey(const std::string& file, std::string_view text, const LoadContext& context);

/// The steps of each action of an actions file that has any, by the action's id. The mistakes are
/// those of the steps alone; of a file that is no YAML there are none of either.
struct ActionStepsResult {
    std::map<std::string, ActionSteps> steps;
    std::vector<std::string> wrong; ///< Ids of those whose steps have mistakes.
    std::vector<Mistake> mistakes;
};
ActionStepsResult load_action_steps(const std::string& file, std::string_view text,
                                    const LoadContext& context);

/// Mistakes of files together: an id that two of them have.
std::vector<Mistake> check_together(std::span<const journeys::JourneyPtr> journeys);

} // namespace schema
