#include "journeys/engine/turn.hpp"

#include <map>
#include <utility>
#include <vector>

namespace journeys::engine {

/// Nothing is remembered of a condition: it is looked at before a transition, as of the newest
/// event until then, and again after it. So one that came true by time alone counts at the next
/// event, and one that held already when its journey was published does not turn true.
void Turn::look_before() {
    looks_ = true;
    not_yet_.clear();
    for (const auto* journey : catalog.entered_by_condition()) {
        // Of somebody who was never seen before nothing holds.
        const bool is_new = customer.first_seen == Timestamp{};
        const auto at = std::exchange(now, customer.now);
        if (is_new || !value(*journey->enter.becomes, nullptr).is_true())
            not_yet_.push_back(journey);
        now = at;
    }
}

void Turn::enter_what_became_true(const Event& cause, bool late, bool too_late) {
    looks_ = false;
    if (not_yet_.empty()) return;
    const auto candidates = std::exchange(not_yet_, {});
    event = &cause;
    for (const auto* journey : candidates)
        if (is_met(*journey->enter.becomes, nullptr)) meet_entry(cause, *journey, late, too_late);
    event = nullptr;
    meet_what_was_made();
}

void Turn::keep_groups_exclusive() {
    std::map<std::string_view, const Run*> kept;
    std::vector<RunId> outranked;
    for (const auto& run : customer.runs) {
        const auto* journey = journey_of(run);
        if (!journey || journey->exclusive.empty()) continue;
        auto [at, is_first] = kept.try_emplace(journey->exclusive, &run);
        if (is_first) continue;
        const auto* before = journey_of(*at->second);
        const bool stays = before->priority != journey->priority
                               ? before->priority > journey->priority
                               : at->second->entered_at <= run.entered_at;
        outranked.push_back(stays ? run.id : at->second->id);
        if (!stays) at->second = &run;
    }
    for (const auto id : outranked) end_run(id, Ending::end, "outranked");
}

} // namespace journeys::engine
