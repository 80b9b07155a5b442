/// `sojourn report JOURNEY`: what a journey did and what came of it, from the timeline.
#pragma once

#include "journeys/lift.hpp"
#include "journeys/result.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace runtime {

struct StepReport {
    std::string step, channel;
    std::int64_t sent = 0, held_out = 0, deferred = 0;
    std::map<std::string, std::int64_t> not_sent; ///< By reason; the holdout is apart.
    std::map<std::string, std::int64_t> errors; ///< Of those not sent: reason and what went wrong.
    std::int64_t accepted = 0, rejected = 0, unknown = 0; ///< What became of those sent.
};

struct JourneyReport {
    std::string journey;
    std::int64_t entered = 0;
    /// By reason, of `when` with its line; since the service started, whose page knows them.
    std::map<std::string, std::int64_t> not_entered;
    std::map<std::string, std::int64_t> ended; ///< By reason.
    std::vector<StepReport> steps;             ///< In the order in which they were first seen.
    /// Customers who were sent at least one message, and those who were held out of one; reached:
    /// a goal, within its time.
    journeys::Arm sent, held_out;
    double sent_revenue = 0, held_out_revenue = 0; ///< Of goals, in whole units.
    journeys::Lift lift;
    /// What it does of what its file expects of it, and since when not; empty: it says nothing of
    /// that, or no service is there to know.
    std::string watch;
    bool is_alarming = false;
};

/// Reads the whole timeline of the journey; blocking. Rows older than the timeline's retention are
/// not in it.
journeys::Result<JourneyReport> report_journey(const std::string& conninfo,
                                               const std::string& journey);

std::string report_text(const JourneyReport& report); ///< For people.
/// `decisions`: a list as JSON, see `decision_report.hpp`.
std::string report_json(const JourneyReport& report, const std::string& decisions);

} // namespace runtime
