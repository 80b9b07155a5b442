#include "runtime/service_overview.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace runtime {
namespace {

std::string_view status_text(journeys::Status status) {
    switch (status) {
    case journeys::Status::draft: return "draft";
    case journeys::Status::test: return "test";
    case journeys::Status::live: return "live";
    case journeys::Status::closed: return "closed";
    case journeys::Status::paused: return "paused";
    case journeys::Status::archived: return "archived";
    }
    return "";
}

} // namespace

Overview service_overview(const OverviewParts& parts) {
    Overview result;
    result.now = parts.clock.now();
    result.clock_speed = parts.clock.speed();
    result.not_ready = parts.not_ready;
    result.events = parts.tally.applied();
    result.active = parts.tally.active();
    result.zone = parts.zone;
    const auto watched = parts.watches.states();
    for (const auto& state : watched)
        if (state.alarm != journeys::Alarm::none)
            result.warnings.push_back(told(state, result.zone, result.now));
    for (auto& warning : parts.coupons.warnings()) result.warnings.push_back(std::move(warning));
    for (const auto& journey : parts.publications.newest()->journeys()) {
        const auto counts = parts.tally.of(journey->id);
        result.journeys.push_back(
            {journey->id, journey->title, std::string{status_text(journey->status)},
             journeys::version_text(journey->version), counts.entered, counts.sent,
             counts.held_back, counts.ended, overview_of_expressions(*journey)});
        const auto state = std::ranges::find(watched, journey->id, &WatchState::journey);
        if (state == watched.end()) continue;
        auto& shown = result.journeys.back();
        shown.watch = journeys::told(state->watch, state->day, state->alarm);
        shown.alarm = journeys::to_text(state->alarm);
    }
    return result;
}

} // namespace runtime
