#include "journeys/newest_lines.hpp"

#include "journeys/packed.hpp"

#include <algorithm>

namespace journeys {
namespace {

/// The wait that `run` stands in.
std::optional<TimelineEntry> wait_of(const Run& run, const Catalog& catalog) {
    const auto* journey = catalog.version(run.journey, run.version);
    if (!journey || run.step >= journey->steps.size()) return std::nullopt;
    const auto& step = journey->steps[run.step];
    if (!is_wait(step)) return std::nullopt;
    TimelineEntry line{.kind = EntryKind::wait, .at = run.step_reached};
    const auto again = PackedView{run.last_event}.find("timestamp");
    if (again.kind() == PackedKind::integer && from_millis(again.as_int()) > run.step_reached) {
        line.kind = EntryKind::restart;
        line.at = from_millis(again.as_int());
        line.reason = PackedView{run.last_event}.string_at("name"); // What began it anew.
    }
    line.journey = run.journey;
    line.version = run.version;
    line.key = run.key;
    line.step = step.path;
    line.until = run.due;
    return line;
}

} // namespace

bool is_in_state(EntryKind kind) {
    return kind == EntryKind::no_entry || kind == EntryKind::wait || kind == EntryKind::restart;
}

std::vector<TimelineEntry> newest_lines(const Customer& customer, const Catalog& catalog) {
    std::vector<TimelineEntry> lines;
    for (const auto& refusal : customer.refusals) {
        lines.push_back(line_of(refusal));
        if (const auto* unmet = unmet_condition(lines.back(), catalog))
            lines.back().step = std::to_string(unmet->line);
    }
    for (const auto& run : customer.runs)
        if (auto line = wait_of(run, catalog)) lines.push_back(std::move(*line));
    std::ranges::stable_sort(lines, {}, &TimelineEntry::at);
    return lines;
}

TimelineEntry line_of(const Refusal& refusal) {
    TimelineEntry line{.kind = EntryKind::no_entry, .at = refusal.at};
    line.journey = refusal.journey;
    line.version = refusal.version;
    line.reason = to_text(refusal.reason);
    if (refusal.line != 0) line.step = std::to_string(refusal.line);
    line.condition = refusal.condition;
    return line;
}

const Expression* unmet_condition(const TimelineEntry& entry, const Catalog& catalog) {
    const auto* journey = catalog.version(entry.journey, entry.version);
    if (!journey || entry.condition == 0 || entry.condition > journey->enter.when.size())
        return nullptr;
    return &journey->enter.when[entry.condition - 1];
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
