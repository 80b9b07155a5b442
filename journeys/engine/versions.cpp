#include "journeys/engine/turn.hpp"
#include "journeys/republishing.hpp"

#include <algorithm>

namespace journeys::engine {
namespace {

/// The named wait of `newer` that is the one where the run stands; null where there is none.
const Step* same_wait(const Run& run, const Journey& older, const Journey& newer) {
    if (run.step >= older.steps.size()) return nullptr;
    const auto& stands = older.steps[run.step];
    if (!stands.named || !is_wait(stands)) return nullptr;
    const auto* step = newer.find_step(stands.path);
    return step && is_wait(*step) ? step : nullptr;
}

bool is_for_something(const Step& wait) {
    return std::holds_alternative<WaitForEvent>(wait.action) ||
           std::holds_alternative<WaitForCondition>(wait.action);
}

} // namespace

/// As if at its place in the log: before anything else that happens to the customer behind it.
bool Turn::adopt_publication() {
    if (customer.publication == catalog.publication()) return false;
    customer.publication = catalog.publication();
    if (customer.runs.empty()) return true;
    entries_left_ = entries_per_event;
    cause_ =
        hash("publication", catalog.publication() ^ static_cast<std::uint64_t>(to_millis(now)));
    look_before();
    std::vector<RunId> ids;
    for (const auto& run : customer.runs) ids.push_back(run.id);
    for (const auto id : ids) {
        auto& run = *find(id);
        const auto fate = fate_of(run, catalog);
        if (fate.kind == RunFate::Kind::ends) end_run(id, Ending::end, fate.reason);
        if (fate.kind != RunFate::Kind::moves) continue;
        const auto* today = catalog.journey(run.journey);
        const auto* step = fate.wait;
        const auto restarted = run.due;
        // What the wait was for came while the journey was paused: it has still come.
        const bool was_met = run.wait_limit != no_time &&
                             is_for_something(journey_of(run)->steps[run.step]) &&
                             is_for_something(*step);
        run.version = today->version;
        run.step = static_cast<StepIndex>(step - today->steps.data());
        run.due = run.wait_limit = no_time;
        begin_wait(run, *today, *step);
        auto* const moved = find(id);
        if (!moved) continue;
        if (std::holds_alternative<WaitFor>(step->action) && restarted != no_time &&
            !moved->last_event.empty() && moved->due < restarted)
            moved->due = std::min(restarted, moved->wait_limit);
        if (was_met && &today->steps[moved->step] == step)
            moved->due = moved->wait_limit = restarted;
    }
    meet_what_was_made();
    enter_what_became_true();
    return true;
}

} // namespace journeys::engine

namespace journeys {

RunFate fate_of(const Run& run, const Catalog& catalog) {
    using Kind = RunFate::Kind;
    const auto* today = catalog.journey(run.journey);
    if (!today) return {}; // A file that vanished is `closed`: open runs finish.
    const bool is_archived = today->status == Status::archived && !catalog.settings().all_live;
    if (is_archived) return {Kind::ends, nullptr, "superseded"};
    if (today->version == run.version) return {};
    const auto* pinned = catalog.version(run.journey, run.version);
    if (!pinned) return {Kind::ends, nullptr, "error"};
    switch (today->on_publish) {
    case OnPublish::exit: return {Kind::ends, nullptr, "superseded"};
    case OnPublish::pin: return {};
    case OnPublish::migrate: break;
    }
    // Not in a wait that the new version knows: stays on its own.
    const auto* wait = engine::same_wait(run, *pinned, *today);
    return wait ? RunFate{Kind::moves, wait, {}} : RunFate{};
}

} // namespace journeys
