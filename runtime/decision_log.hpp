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
    /// Of the newest reward, where it stands at `through`: nothing of it was taken back whole.
    std::optional<journeys::Timestamp> rewarded_at;
    double value = 0; ///< Of the reward; what is left of it today.
    /// Where a reward was taken back since `after`: whether it stood then. Else as now.
    bool was_rewarded = false;
    /// It was not waited for to the end, as the customer had too many: a reward may have come.
    bool is_forgotten = false;
};

/// Those whose reward was waited for until after `after` and at the latest until `through`, in that
/// order; each once. Decisions of drafts wait for nothing and are none of them. What was taken back
/// and became known after `through` is left for the next who asks.
journeys::Result<void> read_decisions(const std::string& conninfo, journeys::Timestamp after,
                                      journeys::Timestamp through,
                                      const std::function<void(const LoggedDecision&)>& take);

/// Those of a journey in any order, as they stand today; empty: those that the shop asked for.
journeys::Result<void> read_decisions_of(const std::string& conninfo, const std::string& journey,
                                         const std::function<void(const LoggedDecision&)>& take);

/// Those whose reward was waited for until `after` at the latest, and of which it became known
/// after `after` and until `through` that it is undone.
journeys::Result<void> read_corrections(const std::string& conninfo, journeys::Timestamp after,
                                        journeys::Timestamp through,
                                        const std::function<void(const LoggedDecision&)>& take);

/// As CSV with a header, for `sojourn evaluate --log`: decisions whose time is over at `now`. What
/// is still open is left out, rewarded or not. Who was held out is left out: nothing was decided
/// for them.
struct DecisionCsv {
    std::size_t written = 0, held_out = 0, still_open = 0, forgotten = 0;
};
journeys::Result<DecisionCsv> write_decisions(const std::string& conninfo, journeys::Timestamp now,
                                              const std::function<void(const std::string&)>& line);

} // namespace runtime
