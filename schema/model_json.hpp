/// A fitted version of the models as JSON: what `sojourn fit --out` writes and a publication holds.
#pragma once

#include "journeys/models/model_set.hpp"
#include "journeys/result.hpp"

#include <string>
#include <string_view>

namespace schema {

/// The error names the key. Every parameter must be a positive number; `version` is the hash of
/// `text`.
journeys::Result<journeys::models::ModelSet> parse_models(std::string_view text);

std::string to_json(const journeys::models::ModelSet& models);

} // namespace schema
