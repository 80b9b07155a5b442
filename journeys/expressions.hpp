/// All expressions of a journey, one by one: for the journey's page, for `check --against`, and to
/// go on counting over publications.
#pragma once

#include "journeys/definition.hpp"

#include <string>
#include <vector>

namespace journeys {

struct ExpressionUse {
    std::string role; ///< Where it stands: `enter.when`, `first-touch send.data.total`.
    const Expression* expression;
    bool is_condition; ///< Else a value, which is never met.
    std::string place; ///< `file:line`.
};

/// In the order of the definition; the same for every journey of one version.
std::vector<ExpressionUse> expressions_of(const Journey& journey);

/// `made`, counting where `before`, the same version from an earlier reading of its file, goes on.
JourneyPtr sharing_counts(const JourneyPtr& made, const Journey& before);

} // namespace journeys
