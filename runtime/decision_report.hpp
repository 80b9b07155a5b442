/// What came of decisions, by where they were taken and by action: for `sojourn report`.
#pragma once

#include "journeys/lift.hpp"
#include "journeys/result.hpp"
#include "journeys/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace runtime {

struct ActionReport {
    std::string action; ///< `nothing`: no action might be taken.
    std::int64_t taken = 0;
    journeys::Arm settled; ///< Of them: waited for until their time was over; who was rewarded.
    double value = 0;      ///< Of the rewards of these, less what was given back.
    /// The reward rate that the action would have with everybody to whom it might have been given:
    /// each decision weighs by the inverse of its chance (Hájek's estimate), as sure as
    /// `effective` decisions. Where every chance is 1 it is the share.
    double rate = 0, effective = 0;
};

/// The decisions of one step, or of one surface.
struct DecisionReport {
    std::string place;
    bool explored = false; ///< Some of them were drawn, so that actions can be compared.
    std::vector<ActionReport> actions;
    /// Customers, of settled decisions: at least one was rewarded.
    journeys::Arm decided, held_out;
    journeys::Lift lift;
};

/// Of `journey`, or, where it is empty, of what the shop asked for itself. A decision settles when
/// its time is over at `now`. Blocking; rows older than the timeline's retention are not in it.
journeys::Result<std::vector<DecisionReport>>
report_decisions(const std::string& conninfo, const std::string& journey, journeys::Timestamp now);

std::string report_text(const std::vector<DecisionReport>& reports); ///< Empty: nothing was.
std::string report_json(const std::vector<DecisionReport>& reports); ///< A list.

} // namespace runtime
