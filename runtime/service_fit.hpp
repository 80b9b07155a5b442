/// A fit of the models to the service's own customers.
#pragma once

#include "journeys/models/model_set.hpp"
#include "journeys/result.hpp"
#include "journeys/time.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace runtime {

/// What came of a fit.
struct Fitted {
    journeys::models::ModelSet models;
    std::string said; ///< In one line.
};

/// Reads those who buy in `currency` (empty: all, where there is one only), fits, compares with the
/// models in `file`, and writes there what it found; what else the file holds stays. One that
/// cannot be read is put aside, as `FILE.unreadable`, and what runs
/// (`in_force`, as `schema/model_json.hpp` has it) takes its place. Blocking, for minutes where
/// there are many customers; on failure the file stays.
journeys::Result<Fitted> fit_service(const std::string& conninfo, const std::filesystem::path& file,
                                     const std::optional<std::string>& in_force,
                                     const std::string& currency, journeys::Timestamp now);

/// These models with what `text` knows beside those of purchases; as `schema/model_json.hpp` has
/// it.
std::string with_other_models_of(const std::optional<std::string>& text,
                                 journeys::models::ModelSet models);

} // namespace runtime
