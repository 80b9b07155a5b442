#include "journeys/engine/turn.hpp"
#include "journeys/mutant.hpp"

#include <algorithm>

namespace journeys::engine {
namespace {

std::string_view reason_of(const ExitRule& rule) {
    return rule.reason.empty() ? std::string_view{"exit"} : std::string_view{rule.reason};
}

/// The ids of the open runs; ending one must not disturb the walk.
std::vector<RunId> open_runs(const Customer& customer) {
    std::vector<RunId> ids;
    ids.reserve(customer.runs.size());
    for (const auto& run : customer.runs) ids.push_back(run.id);
    return ids;
}

} // namespace

void Turn::meet_exits(const Event& arrived) {
    if (customer.runs.empty()) return;
    for (const auto id : open_runs(customer)) {
        const auto* run = find(id);
        if (!run || run->entry_message == arrived.message_hash) continue;
        const auto* journey = journey_of(*run);
        if (!journey) {
            end_run(id, Ending::end,
                    "error"); // Its version is gone: nothing can be promised of it.
            continue;
        }
        const bool before_entry = arrived.time < run->entered_at;
        for (const auto& rule : journey->exits) {
            const bool named = !rule.on.empty();
            if (named && (before_entry || !contains(rule.on, arrived.name))) continue;
            if (!all_met(rule.when, run)) continue;
            end_run(id, Ending::exit, reason_of(rule));
            break;
        }
    }
}

bool Turn::meet_timeless_exits(RunId id) {
    const auto* run = find(id);
    const auto* journey = run ? journey_of(*run) : nullptr;
    if (!journey) return false;
    for (const auto& rule : journey->exits) {
        if (!rule.on.empty() || !all_met(rule.when, run)) continue;
        end_run(id, Ending::exit, reason_of(rule));
        return true;
    }
    return false;
}

void Turn::meet_exits_of_the_past(RunId id) {
    const auto* run = find(id);
    const auto* journey = run ? journey_of(*run) : nullptr;
    if (!journey || is_mutant(Mutant::import_without_exit_check)) return;
    for (const auto& rule : journey->exits) {
        for (const auto& newest : customer.newest_events) {
            if (newest.at < run->entered_at || !contains(rule.on, newest.name)) continue;
            Event seen;
            seen.name = newest.name;
            seen.time = newest.at;
            seen.properties = newest.properties;
            event = &seen;
            const bool met = all_met(rule.when, run);
            event = nullptr;
            if (!met) continue;
            end_run(id, Ending::exit, reason_of(rule));
            return;
        }
    }
    meet_timeless_exits(id);
}

void Turn::end_run(RunId id, Ending ending, std::string_view reason) {
    auto* const run = find(id);
    if (!run) return;
    recall(*run, Reason::exited);
    auto line = entry(ending == Ending::exit ? EntryKind::exit : EntryKind::end, *run);
    line.reason = reason;
    const auto* journey = journey_of(*run);
    if (journey && run->step < journey->steps.size()) line.step = journey->steps[run->step].path;
    say(std::move(line));

    if (!journey || journey->enter.reentry.kind != Reentry::Kind::always) {
        customer.ended.push_back({run->journey, hash(run->key), run->entered_at, now});
        const auto of_journey = [&](const EndedRun& ended) {
            return ended.journey == run->journey;
        };
        if (std::ranges::count_if(customer.ended, of_journey) >
            static_cast<std::ptrdiff_t>(bounds::ended_keys))
            customer.ended.erase(std::ranges::find_if(customer.ended, of_journey));
    }
    const auto name = run->journey;
    std::erase_if(customer.runs, [&](const Run& open) { return open.id == id; });
    announce("Journey Ended", packed_texts({{"journey", name}, {"reason", reason}}));
}

} // namespace journeys::engine
