/// `sojourn check --running`: what these files would do to the runs that are open, were they
/// published now.
#pragma once

#include "journeys/result.hpp"
#include "runtime/publication.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace runtime {

/// A journey whose file is not as it was, or is gone.
struct JourneyChange {
    std::string journey;
    enum class Kind : std::uint8_t { changed, added, gone } kind = Kind::changed;
    std::uint64_t before = 0, after = 0; ///< Versions.
    std::string on_publish, status;      ///< Of the new one.
    /// Open runs: by the step where they will go on, by the step where they stay, by why they end.
    std::map<std::string, std::uint64_t> moves, stays, ends;
};

struct RunningCheck {
    std::uint64_t publication = 0; ///< In force.
    std::uint64_t customers = 0;   ///< With an open run.
    std::uint64_t runs = 0, runs_of_same = 0;
    std::size_t same = 0; ///< Journeys that are as they were.
    std::vector<JourneyChange> changes;
    /// `template cart-reminder`, `table refills.csv`, `settings`: they reach open runs at once.
    std::vector<std::string> others;
    bool is_unchanged = false; ///< What runs is what the files say.
};

/// Reads every customer's snapshot of the database: what changed within the last checkpoint is not
/// in it. `invalid_journey` where `files` have mistakes; `not_found` where nothing was published
/// yet.
journeys::Result<RunningCheck> check_running(const std::string& conninfo, const Files& files,
                                             const std::filesystem::path& directory);

std::string running_text(const RunningCheck& check); ///< For people; in 100 columns.
std::string running_json(const RunningCheck& check);

} // namespace runtime
