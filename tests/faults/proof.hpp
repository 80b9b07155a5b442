/// The invariants of the architecture, checked after a fault: what the service made of the events
/// against a sequential reference run of the log, and against what producers and provider saw.
#pragma once

#include "tests/faults/truth.hpp"
#include "tests/faults/world.hpp"

#include <string>
#include <vector>

namespace faults {

struct Expectations {
    /// A process ended, or a connection to it, so that a request may be repeated although it was
    /// answered, and one that cannot be repeated may stay unknown.
    bool answers_may_be_lost = false;
    bool every_intent_is_accepted = false; ///< Of the channel whose provider de-duplicates.
    bool may_park = false;
    /// A customer who has as many open runs as there may be enters no more of them, and how long a
    /// run is open hangs on the provider. What is there must still be right; it may be less.
    bool entries_may_be_refused = false;
};

/// One line for each invariant that is broken, with its number; none: the promise held. The service
/// has stopped, or is calm. Of `senders` everything that they were acked must be in the log.
std::vector<std::string> broken(World& world, const std::vector<const Senders*>& senders,
                                Expectations expectations = {}, const Sample& sample = {});

struct Patience {
    std::chrono::milliseconds acks = std::chrono::seconds{60};
    /// I8: so long after the last ack everything that was acked is in the state, and stored.
    std::chrono::milliseconds lag = std::chrono::seconds{10};
    /// For what is no lag: waits of two hours, which are 12 s at 600 times the clock, retries
    /// behind them, and a provider that answers as it likes.
    std::chrono::milliseconds calm = std::chrono::seconds{60};
    std::chrono::milliseconds stop = std::chrono::seconds{40};
};

/// Waits until everything is acked and calm, looks at what a calm service holds and says of itself,
/// stops it in order, and proves. What goes wrong on the way is in the answer too. `others` have
/// sent beside the producers, and have ended.
std::vector<std::string> settle_and_prove(World& world, Producers& producers,
                                          Expectations expectations = {}, Patience patience = {},
                                          const std::vector<const Senders*>& others = {},
                                          const Sample& sample = {});

} // namespace faults
