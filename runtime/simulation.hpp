/// `sojourn simulate`, without its command line: recorded events through the engine under a virtual
/// clock.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/comparison.hpp"
#include "journeys/effect.hpp"
#include "journeys/record.hpp"
#include "runtime/event_files.hpp"
#include "runtime/product_shelf.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace runtime {

struct SimulationOptions {
    /// Where the clock stops; by default just before timers due at the last record's instant.
    std::optional<journeys::Timestamp> until;
    /// Records hold transfers and outcomes of a live service, and what it has copied to many.
    bool from_log = false;
    /// What the shop said meanwhile, by time: put on the shelf, and told to who is interested.
    std::span<const RecordedProduct> products;
    std::shared_ptr<ProductShelf> shelf; ///< That the catalogue's `product()` asks; null: none.
};

using TimelineSink =
    std::function<void(const journeys::CustomerId&, const journeys::TimelineEntry&)>;

/// Runs the records (by rising `accepted_at`) through the reference run. Deterministic to the byte.
/// An audience is let in at its instants, in the order of ids, at the journey's pace; an event of a
/// product reaches at its instant all who are interested. Returns how many customers there were.
std::size_t simulate(journeys::CatalogPtr catalog, const std::vector<journeys::Record>& records,
                     const SimulationOptions& options, const TimelineSink& sink);

} // namespace runtime
