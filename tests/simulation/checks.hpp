/// What must hold when the faults are over: I1 to I6, I8 and I9 of the architecture.
#pragma once

#include "tests/simulation/history.hpp"
#include "tests/simulation/process.hpp"

namespace simulation {

/// The pure core over the same log, one customer and one record after the other; hand-overs are put
/// where live put them. State and effects of every customer must be the same, to the byte.
void compare_with_reference(World& world, const History& history,
                            const std::vector<Timestamp>& closed);

/// What needs no rules to be known: acks, offsets, positions, the outbox beside the provider,
/// counts beside the messages, orders beside open runs, metrics beside commits. `last`: the process
/// that lives.
void check_the_truth(World& world, const Process& last);

} // namespace simulation
