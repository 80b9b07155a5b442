#include "actors/pending_writes.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace actors {
namespace {

/// Whether the world is to do something. A line of a timeline can wait for the checkpoint.
bool is_urgent(const journeys::Effect& effect) {
    return !std::holds_alternative<journeys::TimelineEntry>(effect);
}

} // namespace

void PendingWrite::add(Commit& commit, std::uint64_t commit_revision) {
    const auto released_customer = commit.write.customer;
    urgent =
        urgent || !commit.prove.empty() || std::ranges::any_of(commit.write.effects, is_urgent);
    by_time = by_time || commit.by_time;
    // Also where there is one already: who only proved something may have gone to sleep meanwhile,
    // and the place is another's.
    slot = commit.slot;
    revision = commit_revision;
    if (!write.block && write.effects.empty()) {
        write = std::move(commit.write);
    } else if (commit.write.block) {
        auto effects = std::move(write.effects);
        std::ranges::move(commit.write.effects, std::back_inserter(effects));
        auto granted = std::move(write.granted_at_once);
        std::ranges::move(commit.write.granted_at_once, std::back_inserter(granted));
        write = std::move(commit.write);
        write.effects = std::move(effects);
        write.granted_at_once = std::move(granted);
    }
    if (commit.released) {
        released = ReleasedCustomer{released_customer, commit.through};
        parked.clear(); // All that came before.
    }
    std::ranges::move(commit.parked, std::back_inserter(parked));
    std::ranges::move(commit.prove, std::back_inserter(prove));
    through = std::max(through, commit.through);
}

void PendingWrites::add(Commit& commit, std::uint64_t revision, journeys::Timestamp now) {
    auto [at, is_new] = pending_.try_emplace(commit.slot.index);
    PendingWrite& write = at->second;
    const bool was_urgent = write.urgent, was_by_time = write.by_time;
    write.add(commit, revision);
    if (write.is_refused()) return;
    if (write.urgent && (is_new || !was_urgent))
        urgent_.push_back(commit.slot.index);
    else if (write.by_time && !was_by_time)
        by_time_.push_back(commit.slot.index);
    else if (is_new)
        calm_.push_back({commit.slot.index, now});
}

std::optional<PendingWrite> PendingWrites::take(std::uint32_t index, bool urgent) {
    std::optional<PendingWrite> taken;
    const auto at = pending_.find(index);
    if (at == pending_.end() || at->second.urgent != urgent || at->second.is_refused())
        return taken;
    taken = std::move(at->second);
    pending_.erase(at);
    return taken;
}

std::optional<PendingWrite> PendingWrites::take_urgent() {
    const auto index = urgent_.front();
    urgent_.pop_front();
    return take(index, true);
}

std::optional<PendingWrite> PendingWrites::take_calm() {
    if (!by_time_.empty()) {
        const auto index = by_time_.front();
        by_time_.pop_front();
        return take(index, false);
    }
    const auto index = calm_.front().index;
    calm_.pop_front();
    return take(index, false);
}

void PendingWrites::put_back(PendingWrite earlier) {
    const auto index = earlier.slot.index;
    const auto refused_until = earlier.refused_until;
    if (const auto at = pending_.find(index); at != pending_.end()) {
        auto& later = at->second;
        Commit commit;
        commit.slot = later.slot;
        commit.write = std::move(later.write);
        commit.released = later.released.has_value();
        commit.through = later.through;
        commit.parked = std::move(later.parked);
        commit.prove = std::move(later.prove);
        const bool urgent = later.urgent;
        const auto released = later.released;
        earlier.add(commit, later.revision);
        if (released) earlier.released = released;
        earlier.urgent = earlier.urgent || urgent;
        at->second = std::move(earlier);
    } else {
        pending_.emplace(index, std::move(earlier));
    }
    if (refused_until != journeys::timestamp_min)
        refused_.push_back(index);
    else if (pending_.at(index).urgent)
        urgent_.push_front(index);
    else
        calm_.push_front({index, journeys::timestamp_min});
}

bool PendingWrites::try_refused(journeys::Timestamp now) {
    if (refused_.empty()) return false;
    const auto index = refused_.front();
    auto& write = pending_.at(index);
    if (write.refused_until > now) return false;
    refused_.pop_front();
    write.refused_until = journeys::timestamp_min;
    write.urgent = true;
    urgent_.push_front(index);
    return true;
}

void PendingWrites::clear() {
    pending_.clear();
    urgent_.clear();
    calm_.clear();
    by_time_.clear();
    refused_.clear();
}

} // namespace actors
