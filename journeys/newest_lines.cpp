#include "journeys/newest_lines.hpp"

#include "journeys/packed.hpp"

#include <algorithm>
#include <variant>

namespace journeys {
namespace {

/// The wait that `run` stands in, where it has begun anew since the run came to it.
std::optional<TimelineEntry> newest_restart(const Run& run, const Catalog& catalog) {
    const auto* journey = catalog.version(run.journey, run.version);
    if (!journey || run.step >= journey->steps.size() || run.last_event.empty())
        return std::nullopt;
    const auto& step = journey->steps[run.step];
    if (!std::holds_alternative<WaitFor>(step.action) &&
        !std::holds_alternative<WaitUntilDate>(step.action))
        return std::nullopt;
    const auto at = PackedView{run.last_event}.find("timestamp");
    if (at.kind() != PackedKind::integer || from_millis(at.as_int()) < run.step_reached)
        return std::nullopt;
    TimelineEntry line{.kind = EntryKind::restart, .at = from_millis(at.as_int())};
    line.journey = run.journey;
    line.version = run.version;
    line.key = run.key;
    line.step = step.path;
    line.until = run.due;
    return line;
}

} // namespace

bool is_in_state(EntryKind kind) {
    return kind == EntryKind::no_entry || kind == EntryKind::restart;
}

std::vector<TimelineEntry> newest_lines(const Customer& customer, const Catalog& catalog) {
    std::vector<TimelineEntry> lines;
    for (const auto& refusal : customer.refusals) lines.push_back(line_of(refusal));
    for (const auto& run : customer.runs)
        if (auto line = newest_restart(run, catalog)) lines.push_back(std::move(*line));
    std::ranges::stable_sort(lines, {}, &TimelineEntry::at);
    return lines;
}

TimelineEntry line_of(const Refusal& refusal) {
    TimelineEntry line{.kind = EntryKind::no_entry, .at = refusal.at};
    line.journey = refusal.journey;
    line.version = refusal.version;
    line.reason = to_text(refusal.reason);
    if (refusal.line != 0) line.step = std::to_string(refusal.line);
    return line;
}

void remember(Customer& customer, const Refusal& refusal) {
    auto& all = customer.refusals;
    const auto before = std::ranges::find(all, refusal.journey, &Refusal::journey);
    if (before != all.end())
        *before = refusal;
    else if (all.size() < bounds::refusals)
        all.push_back(refusal);
    else
        *std::ranges::min_element(all, {}, &Refusal::at) = refusal;
}

} // namespace journeys
