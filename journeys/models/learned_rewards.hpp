/// What has been learned of actions so far: one immutable version of it.
#pragma once

#include "journeys/models/reward_model.hpp"
#include "journeys/time.hpp"

#include <compare>
#include <cstdint>
#include <map>
#include <string>

namespace journeys::models {

/// An action may be rewarded by different events in different places: what is learned of one says
/// nothing of the other.
struct RewardKey {
    std::string action, event;
    auto operator<=>(const RewardKey&) const = default;
};

struct LearnedRewards {
    std::uint64_t version = 0; ///< Content hash of its text; 0: nothing was learned yet.
    /// Every decision whose reward was waited for until then is in the evidence, and no later one.
    Timestamp settled_until{};
    std::map<RewardKey, RewardEvidence> evidence;
};

} // namespace journeys::models
