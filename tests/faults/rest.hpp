/// What a service must come back to once a fault is over, seen while it still runs.
#pragma once

#include "tests/faults/findings.hpp"
#include "tests/faults/world.hpp"

namespace faults {

/// I8: all that is in the log now is in stored states, within `patience`. What comes in meanwhile,
/// such as the outcomes of calls, is not waited for. The producers have ended.
void check_lag(World& world, std::chrono::milliseconds patience, Findings& findings);

/// Of a calm service. I7: threads, descriptors, connections and memory are about what they were
/// when it had become ready. I9: the gauges say what the database holds; and where the process is
/// the only one that there ever was, its counters do, too, and say what the senders know: those of
/// every message that it was sent.
void check_rest(World& world, const std::vector<const Senders*>& senders, Findings& findings);

} // namespace faults
