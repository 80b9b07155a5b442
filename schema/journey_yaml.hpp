/// A journey's file: text in, a checked and compiled journey or all of its mistakes out.
#pragma once

#include "journeys/definition.hpp"
#include "journeys/lookups.hpp"
#include "journeys/settings.hpp"
#include "journeys/template.hpp"
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
    const std::map<std::string, TemplateText>* templates =
        nullptr;                                   ///< By file name without `.mustache`.
    std::optional<std::set<std::string>> journeys; ///< Ids that `running` may name.
    const journeys::Lookups* lookups =
        nullptr; ///< Null: names of values, tables and audiences are taken as they stand.
    std::vector<std::string> seen_traits; ///< For suggestions.
    bool models_loaded = false; ///< Else scores are null, and reading one is worth a warning.
};

struct LoadResult {
    journeys::JourneyPtr journey; ///< Null where `mistakes` holds more than warnings.
    std::vector<Mistake> mistakes;
};

LoadResult load_journey(const std::string& file, std::string_view text, const LoadContext& context);

/// Mistakes of files together: an id that two of them have.
std::vector<Mistake> check_together(std::span<const journeys::JourneyPtr> journeys);

} // namespace schema
