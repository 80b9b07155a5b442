/// The product's rules as actors call them. A table, so that tests can put small or faulty ones in
/// their place.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/effect.hpp"
#include "journeys/engine.hpp"

#include <memory>
#include <vector>

namespace actors {

struct Rules {
    journeys::Applied (*apply)(journeys::Customer&, const journeys::Record&,
                               const journeys::Catalog&, journeys::Effects&);
    bool (*fire)(journeys::Customer&, journeys::Timestamp closed, const journeys::Catalog&,
                 journeys::Effects&, int limit);
    journeys::Timestamp (*wake_at)(const journeys::Customer&, const journeys::Catalog&);
    journeys::HandOver (*hand_over)(journeys::Customer&, journeys::IntentId,
                                    journeys::Timestamp now, const journeys::Catalog&,
                                    journeys::Effects&);
    bool (*is_granted)(const journeys::Customer&, journeys::IntentId);
    std::string (*pack)(const journeys::Customer&);
    journeys::Result<void> (*unpack)(std::string_view, journeys::Customer&);
    /// Of what `pack` has made in this process.
    journeys::Result<void> (*unpack_own)(std::string_view, journeys::Customer&);
    /// Whether the dedup ring can't tell if the event is new, so that the log must be asked.
    bool (*may_be_older_duplicate)(const journeys::Customer&, const journeys::Event&);
    /// Whether a run waits for the intent's outcome: it was granted, and maybe revoked since.
    bool (*is_awaited)(const journeys::Customer&, journeys::IntentId);
};

/// Those of `journeys/`.
const Rules& product_rules();

/// What decides at a place of the log, and what decided before. A timer that runs late fires under
/// the catalogue that was in force when it was due, as if it had run in time.
struct Rulebook {
    journeys::CatalogPtr current;
    struct Era {
        journeys::Timestamp until; ///< When the next publication was accepted.
        journeys::CatalogPtr catalog;
    };
    std::vector<Era> earlier; ///< Oldest first; bounded.
};
using RulebookPtr = std::shared_ptr<const Rulebook>;

} // namespace actors
