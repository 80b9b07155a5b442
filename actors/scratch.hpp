/// What the actors of one partition hand each other without a message. They all run on their
/// shard's one thread, one at a time, so nothing here is locked.
#pragma once

#include "actors/messages.hpp"

#include <vector>

namespace actors {

struct Scratch {
    /// Whose state is unpacked now; between two messages its contents mean nothing.
    journeys::Customer customer;
    /// What the message that is being worked on has led to.
    journeys::Effects effects;
    /// Events that opened no run, counted until the flush tells of them.
    std::vector<RefusalCount> refusals;
    /// From customers to the flush. Whoever adds the first tells it by `Work`. A message each would
    /// cost more than what it carries.
    std::vector<Commit> commits;
};

} // namespace actors
