/// What decisions teach: the evidence of those whose reward can no longer come is added to what was
/// learned before.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace runtime {

struct Lesson {
    std::string text;                       ///< As `schema/reward_json.hpp` has it.
    std::size_t decisions = 0, rewards = 0; ///< Those that were new.
    std::size_t corrections = 0;            ///< Older ones whose order was undone since.
};

/// Adds the decisions that have settled since `before` was learned, each exactly once, and takes
/// back what has been undone since of those before: how far it has come stands in the text itself.
/// Nothing where there is nothing new. `settled`: until then nothing can come any more, late
/// messages included.
journeys::Result<std::optional<Lesson>> learn_rewards(const std::string& conninfo,
                                                      const std::optional<std::string>& before,
                                                      journeys::Timestamp settled);

} // namespace runtime
