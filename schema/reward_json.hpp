/// What was learned of actions, as JSON: sums of evidence, no person's data.
///
/// `{"settled_until":"2026-11-20T08:00:00.000Z","features":["one",…],"learned":[{"action":…,
///   "event":…,"decisions":12,"rewards":3,"squares":[…],"weighted":[…]}]}`
#pragma once

#include "journeys/models/learned_rewards.hpp"
#include "journeys/result.hpp"

#include <string>
#include <string_view>

namespace schema {

/// Its version is the hash of the text. Numbers read back as they were written, to the bit.
journeys::Result<journeys::models::LearnedRewards> parse_rewards(std::string_view text);
std::string to_json(const journeys::models::LearnedRewards& learned);

/// Pairs of action and event beyond these are left out of what is learned.
inline constexpr std::size_t learned_max = 1'000;

} // namespace schema
