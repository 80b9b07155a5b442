#include "actors/walk_actor.hpp"

#include "actors/failpoint.hpp"
#include "journeys/mutant.hpp"

#include <algorithm>
#include <utility>

namespace actors {

namespace {

/// Of a second: how much of its pace a walk may make up for at once.
constexpr double burst = 0.2;

Draft draft_for(const Walk& walk, const journeys::CustomerId& customer, journeys::Timestamp now,
                const Ports& ports) {
    Draft draft;
    draft.customer = customer;
    draft.kind = journeys::RecordKind::event;
    draft.message_hash = walk.event.message_hash;
    draft.record = std::make_shared<journeys::Record>();
    draft.record->customer = customer;
    draft.record->body =
        journeys::copy_for(walk.event, customer, walk.product.empty() ? now : walk.event.at);
    draft.bytes = ports.encode(*draft.record);
    return draft;
}

} // namespace

WalkActor::WalkActor(caf::actor_config& config, const Ports& ports, WalkSettings settings,
                     const Credit& credit, std::vector<caf::actor> partitions,
                     std::shared_ptr<Pulse> pulse)
    : event_based_actor(config), ports_(ports), settings_(settings), credit_(credit),
      partitions_(std::move(partitions)), pulse_(std::move(pulse)) {}

caf::behavior WalkActor::make_behavior() {
    return {
        [this](Tick) { tick(); },
        [this](OpenWalks& answer) { opened(answer); },
        [this](const UpToDate& answer) { up_to_date(answer); },
        [this](WalkPage& answer) { page(answer); },
        [this](const CopiesAppended& answer) { appended(answer); },
    };
}

void WalkActor::on_exit() {
    partitions_.clear();
    moving_.clear();
}

void WalkActor::tick() {
    if (const auto now = ports_.pacer->now(); look_at_ <= now && !asking_) {
        look_at_ = now + settings_.look_every;
        asking_ = true;
        ++looks_;
        ports_.walks->open_walks(this);
    }
    for (auto& [id, moving] : moving_) pump(moving);
    if (!moving_.empty()) pulse_->is_busy = true;
}

void WalkActor::opened(OpenWalks& answer) {
    asking_ = false;
    if (answer.failed) return;
    if (ports_.observer) ports_.observer->walks(answer.walks.size());
    const auto find = [&](std::uint64_t id) {
        return std::ranges::find(answer.walks, id, &Walk::id);
    };
    std::erase_if(over_, [&](std::uint64_t id) { return find(id) == answer.walks.end(); });
    for (auto entry = moving_.begin(); entry != moving_.end();) {
        auto& moving = entry->second;
        const auto now = find(entry->first);
        const bool is_answer = moving.look > 0 && moving.look <= looks_;
        if (is_answer && now == answer.walks.end()) { // It was over.
            entry = moving_.erase(entry);
            continue;
        }
        if (is_answer) {
            moving.look = 0;
            moving.walk = *now;
            moving.stored = moving.walk.after;
        } else if (now != answer.walks.end()) {
            const bool was_held = std::exchange(moving.walk.is_held, now->is_held);
            if (was_held && !now->is_held) release(moving);
        }
        ++entry;
    }
    for (auto& walk : answer.walks)
        if (!moving_.contains(walk.id) && !over_.contains(walk.id)) begin(std::move(walk));
}

void WalkActor::release(Moving& moving) {
    if (moving.appending || moving.asking) {
        moving.walk.is_held = true; // The next answer lets it go.
        return;
    }
    moving.page.clear();
    moving.look = looks_ + 1;
}

void WalkActor::up_to_date(const UpToDate& answer) {
    const auto found = moving_.find(answer.walk);
    if (found == moving_.end() || found->second.partitions_behind == 0) return;
    if (--found->second.partitions_behind == 0) found->second.look = looks_ + 1;
}

void WalkActor::end(std::uint64_t walk) {
    moving_.erase(walk);
    over_.insert(walk);
}

void WalkActor::begin(Walk walk) {
    const auto id = walk.id;
    const bool is_of_audience = walk.product.empty();
    auto& moving = moving_[id];
    moving.walk = std::move(walk);
    moving.partitions_behind = partitions_.size();
    moving.filled_at = ports_.pacer->now();
    // Who is in an audience is found in the snapshots; who is interested, by what was received.
    for (const auto& partition : partitions_)
        send(partition, AskUpToDate{id, is_of_audience, this});
}

void WalkActor::page(WalkPage& answer) {
    const auto found = moving_.find(answer.walk);
    if (found == moving_.end()) return;
    auto& moving = found->second;
    moving.asking = false;
    if (answer.failed) return retry_later(moving);
    moving.page.assign(std::make_move_iterator(answer.customers.begin()),
                       std::make_move_iterator(answer.customers.end()));
    moving.through = std::move(answer.through);
    moving.is_last = answer.is_last;
    if (!moving.page.empty()) return pump(moving);
    if (moving.is_last) {
        ports_.walks->finish(
            {moving.walk.id, moving.stored, moving.stored, 0, true, ports_.pacer->now()});
        end(answer.walk);
    } else {
        // Nobody as far as was looked. After a crash it is looked again.
        moving.walk.after = std::exchange(moving.through, {});
    }
}

void WalkActor::retry_later(Moving& moving) {
    moving.not_before = ports_.pacer->now() + settings_.retry;
}

std::size_t WalkActor::allowed(Moving& moving) {
    const auto now = ports_.pacer->now();
    const std::chrono::duration<double> passed = now - std::exchange(moving.filled_at, now);
    const auto most = std::max(1.0, moving.walk.pace * burst);
    moving.allowance =
        std::min(most, moving.allowance + std::max(0.0, passed.count()) * moving.walk.pace);
    if (credit_.in_flight() >= settings_.in_flight_max) return 0;
    return std::min({static_cast<std::size_t>(moving.allowance), moving.page.size(),
                     settings_.batch_max, static_cast<std::size_t>(moving.walk.left)});
}

void WalkActor::pump(Moving& moving) {
    if (moving.partitions_behind > 0 || moving.look > 0 || moving.walk.is_held || moving.asking ||
        moving.appending || ports_.pacer->now() < moving.not_before)
        return;
    if (moving.page.empty()) {
        moving.asking = true;
        ports_.walks->next_page(moving.walk, settings_.page, this);
        return;
    }
    if (const auto count = allowed(moving); count > 0) copy(moving, count);
}

void WalkActor::copy(Moving& moving, std::size_t count) {
    if (failpoint("walk.before")) return retry_later(moving);
    auto& walk = moving.walk;
    if (ports_.walks->is_held(walk)) {
        walk.is_held = true;
        return;
    }
    const auto now = ports_.pacer->now();
    std::vector<Draft> drafts;
    drafts.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        drafts.push_back(draft_for(walk, moving.page[i], now, ports_));
    const bool is_whole_page = count == moving.page.size();
    moving.next = is_whole_page ? moving.through : journeys::to_text(moving.page[count - 1]);
    WalkProgress progress{walk.id, moving.stored, moving.next, count, false, now};
    progress.is_over = (is_whole_page && moving.is_last) || count == walk.left;
    moving.appending = true;
    moving.allowance -= static_cast<double>(count);
    ports_.log->append_copies(
        std::move(drafts), progress,
        [self = caf::actor{this}, id = walk.id, count, progress,
         &walks = *ports_.walks](const journeys::Result<void>& result) {
            failpoint("walk.after");
            if (journeys::is_mutant(journeys::Mutant::walk_outside_transaction) && result)
                walks.finish(progress);
            const bool is_fenced = !result && result.error().code == journeys::ErrorCode::fenced;
            caf::anon_send(self, CopiesAppended{id, count, !result, is_fenced});
        });
}

void WalkActor::appended(const CopiesAppended& answer) {
    const auto found = moving_.find(answer.walk);
    if (found == moving_.end()) return;
    auto& moving = found->second;
    moving.appending = false;
    if (answer.fenced) return quit(); // Another process walks on.
    if (answer.failed) return retry_later(moving);
    if (ports_.observer) ports_.observer->copied(moving.walk, answer.copies);
    const bool is_whole_page = answer.copies == moving.page.size();
    moving.walk.after = moving.stored = std::exchange(moving.next, {});
    moving.walk.left -= answer.copies;
    moving.page.erase(moving.page.begin(),
                      moving.page.begin() + static_cast<std::ptrdiff_t>(answer.copies));
    if ((is_whole_page && moving.is_last) || moving.walk.left == 0)
        end(answer.walk);
    else
        pump(moving);
}

} // namespace actors
