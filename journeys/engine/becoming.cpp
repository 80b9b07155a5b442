#include "journeys/engine/turn.hpp"

#include "journeys/profile.hpp"

#include <map>
#include <utility>
#include <vector>

namespace journeys::engine {

/// Nothing is remembered of a condition: it is looked at before a transition and after it, and both
/// times as of the newest event until then, so that the second look of one transition is the first
/// of the next. What a timer has changed counts at the timer; what came true by time alone, at the
/// next event; and what held already when its journey was published does not turn true.
void Turn::look_before(const Customer* other) {
    not_yet_.clear();
    for (const auto* journey : catalog.entered_by_condition())
        if (!held_before(*journey, customer) && !(other && held_before(*journey, *other)))
            not_yet_.push_back(journey);
}

bool Turn::held_before(const Journey& journey, const Customer& who) {
    // Of somebody who was never seen before nothing holds.
    if (who.first_seen == Timestamp{}) return false;
    evaluator_.look_at({&who, nullptr, nullptr, who.now, received_at, &catalog, {}, nullptr});
    return evaluator_.value(*journey.enter.becomes).is_true();
}

void Turn::enter_what_became_true(const Event& cause, bool late, bool too_late) {
    if (not_yet_.empty()) return;
    // What one of them does may turn another's true.
    for (bool is_settled = false; !is_settled;) {
        is_settled = true;
        for (const auto* journey : std::exchange(not_yet_, {})) {
            const auto at = std::exchange(now, customer.now);
            event = &cause;
            const bool is_true = is_met(*journey->enter.becomes, nullptr);
            now = at;
            if (is_true) {
                meet_entry(cause, *journey, late, too_late);
                is_settled = false;
            } else {
                not_yet_.push_back(journey);
            }
        }
        event = nullptr;
        meet_what_was_made();
    }
}

void Turn::enter_what_became_true() {
    if (not_yet_.empty() || customer.first_seen == Timestamp{}) return;
    enter_what_became_true(make_event(customer, "Profile Changed", {}, now, cause_), false, false);
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
