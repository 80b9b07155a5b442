/// `sojourn simulate`, without its command line: recorded events through the engine under a virtual
/// clock.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/comparison.hpp"
#include "journeys/effect.hpp"
#include "journeys/record.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace runtime {

struct SimulationOptions {
    /// Where the clock stops; by default just before timers due at the last record's instant.
    std::optional<journeys::Timestamp> until;
    bool from_log = false; ///< Records hold transfers and outcomes of a live service.
};

using TimelineSink =
    std::function<void(const journeys::CustomerId&, const journeys::TimelineEntry&)>;

/// Runs the records (by rising `accepted_at`) through the reference run. Deterministic to the byte.
/// Returns how many customers there were.
std::size_t simulate(journeys::CatalogPtr catalog, const std::vector<journeys::Record>& records,
                     const SimulationOptions& options, const TimelineSink& sink);

} // namespace runtime
