/// The decisions that were made and what came of them, as the timeline has them: what is learned
/// from, and what `sojourn evaluate` judges other policies by.
#pragma once

#include "journeys/ids.hpp"
#include "journeys/result.hpp"
#include "journeys/time.hpp"

#include <functional>
#include <optional>
#include <string>

namespace runtime {

struct LoggedDecision {
    journeys::IntentId id;
    std::string customer; ///< `user:42`; whose it was when it was made.
    journeys::Timestamp at{}, until{};
    std::string journey, step; ///< Empty: the shop asked.
    std::string data;          ///< Packed, see `journeys::decision_properties`.
    bool held_out = false;
    std::optional<journeys::Timestamp> rewarded_at;
    double value = 0; ///< Of the reward.
};

/// Those whose reward was waited for until after `after` and at the latest until `through`, in that
/// order; each once. Decisions of drafts wait for nothing and are none of them.
journeys::Result<void> read_decisions(const std::string& conninfo, journeys::Timestamp after,
                                      journeys::Timestamp through,
                                      const std::function<void(const LoggedDecision&)>& take);

/// As CSV with a header, for `sojourn evaluate --log`: decisions of which the reward has come, or
/// can no longer come at `now`. Who was held out is left out: nothing was decided for them.
struct DecisionCsv {
    std::size_t written = 0, held_out = 0, still_open = 0;
};
journeys::Result<DecisionCsv> write_decisions(const std::string& conninfo, journeys::Timestamp now,
                                              const std::function<void(const std::string&)>& line);

} // namespace runtime
