/// Keeps the list of publications short. What is learned is published a version each time, and
/// nothing else about it is new.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace runtime {

/// Deletes publications from before `before` that differ from a newer one in nothing but what was
/// learned (rewards and models), and that neither a partition's position nor `in_force` names; at
/// most a few hundred at a time. What they had learned stays in `learned_versions`, because
/// decisions name it. Answers which they were. Blocking.
journeys::Result<std::vector<std::uint64_t>>
prune_learned(const std::string& conninfo, std::uint64_t in_force, journeys::Timestamp before);

} // namespace runtime
