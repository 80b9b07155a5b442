/// A journey tried on one person: what they would be sent, by the engine itself, on a copy of what
/// is known of them. Nothing of it is kept.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/effect.hpp"
#include "journeys/reason.hpp"

#include <functional>
#include <optional>

namespace journeys {

/// The world of a trial. Called in order, from within `try_journey`.
struct TrialHooks {
    std::function<void(const TimelineEntry& line)> say;
    /// A message or a call that may leave; what the provider said of it.
    std::function<IntentState(const IntentOpened& intent, const IntentGranted& grant)> deliver;
    /// Time goes on to `due`. False: the trial ends here.
    std::function<bool(Timestamp due)> wait;
};

/// The catalogue with this journey alone, live, without a holdout, and with all permissions
/// granted: neither consent nor caps nor quiet hours are the tester's.
CatalogPtr trial_catalog(const Catalog& catalog, const Journey& journey);

/// Enters the journey at `event.time` whatever its conditions, re-entry and roll-out say, with
/// `each` once for every element, and follows the runs to their end. Waits for an event or a
/// condition end by their time-out, since nothing happens to the person meanwhile. Nothing where
/// the run was opened; else why there is none. `catalog`: of `trial_catalog`. `customer` is
/// anybody's, and not a tombstone.
std::optional<NoEntry> try_journey(Customer customer, const Event& event, const Catalog& catalog,
                                   const Journey& journey, const TrialHooks& hooks);

} // namespace journeys
