#include "actors/flush_actor.hpp"

#include "actors/failpoint.hpp"
#include "actors/scratch.hpp"

#include <algorithm>
#include <ranges>

namespace actors {

using journeys::Timestamp;

namespace {

constexpr std::size_t commits_kept_max = 4096;
constexpr auto refused_again_after = std::chrono::minutes{1};

/// Whether the world is to do something. A line of a timeline can wait for the checkpoint.
bool is_urgent(const journeys::Effect& effect) {
    return !std::holds_alternative<journeys::TimelineEntry>(effect);
}

/// Tells what is persisted from what has come since. Who is in quarantine is at the same revision,
/// however many of their records are parked: each parking is one of its own.
std::uint64_t revision_of(const Commit& commit) {
    constexpr std::uint64_t parked = std::uint64_t{1} << 63;
    return commit.parked.empty() ? commit.write.revision : parked | commit.through;
}

} // namespace

FlushActor::FlushActor(caf::actor_config& config, const Shard& shard, caf::actor partition)
    : event_based_actor(config), shard_(shard), partition_(std::move(partition)),
      customers_max_(shard.flush_settings.customers_max), retry_(shard.flush_settings.retry_min),
      span_(shard.flush_settings.checkpoint) {}

caf::behavior FlushActor::make_behavior() {
    schedule_tick();
    return {
        [this](Work) {
            keep_all();
            relay();
            flush_if_due();
        },
        [this](const Flushed& answer) { flushed(answer); },
        [this](const Watermark& watermark) { watermark_ = watermark; },
        [this](Tick) { tick(); },
        [this](NoteAttempt& note) {
            if (stopped_) return;
            notes_.push_back(std::move(note));
            flush_if_due();
        },
        [this](const FlushStart& start) {
            epoch_ = start.epoch;
            sequence_ = start.sequence;
            watermark_ = stored_ = start.watermark;
            last_checkpoint_ = shard_.ports.pacer->now();
            started_ = true;
        },
        [this](Drain) {
            draining_ = true;
            calm_until_ = journeys::no_time;
            begin_position();
            flush_if_due();
        },
    };
}

void FlushActor::schedule_tick() { delayed_send(this, shard_.flush_settings.tick, Tick{}); }

void FlushActor::keep_all() {
    auto& commits = shard_.scratch->commits;
    if (!stopped_)
        for (auto& commit : commits) keep(commit);
    if (commits.capacity() > commits_kept_max) commits = {};
    commits.clear();
    auto& refusals = shard_.scratch->refusals;
    if (refusals.empty()) return;
    shard_.ports.observer->refused(shard_.partition, refusals);
    refusals.clear();
}

void FlushActor::keep(Commit& commit) {
    progressed_.entries.push_back({commit.slot, commit.records, commit.through, revision_of(commit),
                                   commit.write.wake_at, commit.answers,
                                   commit.changed || !commit.parked.empty(), commit.quarantined});
    progressed_.counts.add(commit.counts);
    closed_ = std::max(closed_, commit.closed);
    if (!commit.changed && commit.parked.empty() && commit.prove.empty() && !commit.released)
        return;

    auto [at, is_new] = pending_.try_emplace(commit.slot.index);
    Pending& pending = at->second;
    const bool was_urgent = pending.urgent;
    add(pending, commit, revision_of(commit));
    if (pending.is_refused()) return;
    if (pending.urgent && (is_new || !was_urgent))
        urgent_.push_back(commit.slot.index);
    else if (is_new)
        calm_.push_back({commit.slot.index, shard_.ports.pacer->now()});
}

void FlushActor::add(Pending& to, Commit& commit, std::uint64_t revision) {
    const auto released = commit.write.customer;
    to.urgent =
        to.urgent || !commit.prove.empty() || std::ranges::any_of(commit.write.effects, is_urgent);
    // Also where there is one already: who only proved something may have gone to sleep meanwhile,
    // and the place is another's.
    to.slot = commit.slot;
    to.revision = revision;
    if (!to.write.block && to.write.effects.empty()) {
        to.write = std::move(commit.write);
    } else if (commit.write.block) {
        auto effects = std::move(to.write.effects);
        std::ranges::move(commit.write.effects, std::back_inserter(effects));
        auto granted = std::move(to.write.granted_at_once);
        std::ranges::move(commit.write.granted_at_once, std::back_inserter(granted));
        to.write = std::move(commit.write);
        to.write.effects = std::move(effects);
        to.write.granted_at_once = std::move(granted);
    }
    if (commit.released) {
        to.released = ReleasedCustomer{released, commit.through};
        to.parked.clear(); // All that came before.
    }
    std::ranges::move(commit.parked, std::back_inserter(to.parked));
    std::ranges::move(commit.prove, std::back_inserter(to.prove));
    to.through = std::max(to.through, commit.through);
}

void FlushActor::relay() {
    if (progressed_.entries.empty()) return;
    send(partition_, std::exchange(progressed_, {}));
}

void FlushActor::tick() {
    if (stopped_) return;
    schedule_tick();
    const Timestamp now = shard_.ports.pacer->now();
    if (request_ && repeat_at_ <= now) {
        repeat_at_ = journeys::no_time;
        sent_at_ = now;
        shard_.ports.store->flush(request_, this);
    }
    if (started_) tick_checkpoint(now);
    try_refused();
    flush_if_due();
}

/// A change is written when it is as old as the span of a checkpoint; so rows are written as evenly
/// as customers change, and not all at once. While flushing takes more than a quarter of the time
/// the span grows, so that more changes share a row.
void FlushActor::tick_checkpoint(Timestamp now) {
    const auto& limits = shard_.flush_settings;
    if (now - last_checkpoint_ >= span_) {
        span_ = std::clamp(std::exchange(busy_, {}) * 4, limits.checkpoint,
                           std::max(limits.checkpoint, limits.checkpoint_max));
        last_checkpoint_ = now;
        begin_position();
    }
    // By the clock, so that all partitions come at once: the store writes them together.
    const auto slice = now.time_since_epoch() / limits.slice;
    if (slice == slice_) return;
    slice_ = slice;
    calm_until_ = std::max(calm_until_, now - span_);
}

void FlushActor::begin_position() {
    position_due_ = watermark_.offset > stored_.offset || watermark_.swept != stored_.swept;
}

void FlushActor::flush_if_due() {
    if (!started_ || stopped_ || request_) return;
    if (!urgent_.empty() || !notes_.empty() || has_calm_due() || position_due_) send_flush();
    if (draining_ && is_empty()) {
        relay();
        draining_ = false;
        send(partition_, Drained{});
    }
}

void FlushActor::send_flush() {
    auto request = std::make_shared<FlushRequest>();
    std::size_t bytes = 0;
    const auto take = [&](std::uint32_t index, bool urgent) {
        const auto at = pending_.find(index);
        if (at == pending_.end() || at->second.urgent != urgent || at->second.is_refused())
            return; // Taken by the other queue.
        Pending pending = std::move(at->second);
        pending_.erase(at);
        in_flight_.push_back({pending.slot, pending.revision, pending.through});
        taken_.push_back({.urgent = pending.urgent,
                          .has_write = pending.write.block != nullptr,
                          .has_released = pending.released.has_value(),
                          .parked = pending.parked.size(),
                          .proofs = pending.prove.size()});
        if (pending.write.block) {
            bytes += pending.write.block->size() + 256 * pending.write.effects.size();
            request->customers.push_back(std::move(pending.write));
        }
        if (pending.released) request->released.push_back(std::move(*pending.released));
        std::ranges::move(pending.parked, std::back_inserter(request->parked));
        std::ranges::move(pending.prove, std::back_inserter(proofs_));
    };
    const auto& limits = shard_.flush_settings;
    const auto has_room = [&] {
        return in_flight_.size() < customers_max_ && bytes < limits.bytes_max;
    };
    while (!urgent_.empty() && has_room()) {
        const auto index = urgent_.front();
        urgent_.pop_front();
        take(index, true);
    }
    // A checkpoint's rows never make an intent wait for more than one flush, and a short one; nor
    // do intents that never cease hold them back.
    const auto calm_max = draining_ ? customers_max_ : in_flight_.size() + limits.calm_max;
    const bool takes_calm = in_flight_.empty() || draining_ || calm_passed_over_;
    calm_passed_over_ = !takes_calm && has_calm_due();
    while (takes_calm && has_calm_due() && has_room() && in_flight_.size() < calm_max) {
        const auto index = calm_.front().index;
        calm_.pop_front();
        take(index, false);
    }
    // Nor do they share a flush with somebody who may be at fault.
    if (customers_max_ == limits.customers_max || in_flight_.empty()) {
        for (const auto& note : notes_) request->attempts.push_back(note.note);
        noted_ = std::exchange(notes_, {});
    }
    if (in_flight_.empty() && noted_.empty() && !position_due_) return;
    position_due_ = false;

    request->partition = shard_.partition;
    request->epoch = epoch_;
    request->sequence = ++sequence_;
    request->watermark = watermark_.offset;
    request->publication = watermark_.publication;
    request->eras = watermark_.eras;
    request->eras_changed = watermark_.eras != stored_.eras;
    request->swept = watermark_.swept;
    request->closed = closed_;
    request_ = std::move(request);
    sent_at_ = shard_.ports.pacer->now();
    retry_ = limits.retry_min;
    if (failpoint("flush_begin.before")) {
        repeat_at_ = sent_at_ + retry_;
        return;
    }
    shard_.ports.store->flush(request_, this);
    failpoint("flush_begin.after");
}

void FlushActor::flushed(const Flushed& answer) {
    if (!request_ || answer.sequence != request_->sequence) return; // An earlier attempt's answer.
    const Timestamp now = shard_.ports.pacer->now();
    busy_ += now - sent_at_;
    if (!answer.result) {
        const auto& error = answer.result.error();
        shard_.ports.observer->flush_failed(shard_.partition, error);
        if (error.code == journeys::ErrorCode::fenced) {
            stopped_ = true;
            pending_.clear();
            refused_ = 0;
            notes_.clear();
            noted_.clear();
            send(partition_, Fenced{error});
            return;
        }
        if (error.code == journeys::ErrorCode::invalid_state && !in_flight_.empty())
            return divide(error);
        repeat_at_ = now + retry_;
        retry_ = std::min(retry_ * 2, shard_.flush_settings.retry_max);
        return;
    }
    failpoint("flush_commit.before");
    shard_.ports.observer->flushed(*request_, now - sent_at_);
    for (const auto& parked : request_->parked)
        shard_.ports.observer->parked(shard_.partition, parked);
    stored_ = {request_->watermark, request_->publication, request_->eras, request_->swept};
    const auto request = std::exchange(request_, nullptr);
    repeat_at_ = journeys::no_time;
    taken_.clear();
    customers_max_ = std::min(customers_max_ * 2, shard_.flush_settings.customers_max);

    relay(); // What a flush held has happened before it was persisted.
    for (const auto& write : request->customers) tell_channels(write);
    for (const auto& ask : std::exchange(proofs_, {}))
        caf::anon_send(ask.channel, Standing{ask.intent, true, true});
    for (const auto& note : std::exchange(noted_, {}))
        caf::anon_send(note.channel, AttemptNoted{note.note.intent, note.note.failed});
    send(partition_, Persisted{std::exchange(in_flight_, {}), stored_.offset});
    failpoint("flush_commit.after");
    flush_if_due();
}

void FlushActor::divide(const journeys::Error& refusal) {
    auto customers = taken_back();
    for (auto& note : std::exchange(noted_, {})) notes_.push_back(std::move(note));
    request_ = nullptr;
    repeat_at_ = journeys::no_time;
    position_due_ = true;
    customers_max_ = std::max<std::size_t>(customers.size() / 2, 1);
    if (customers.size() == 1) {
        auto& alone = customers.front();
        alone.refused_until = shard_.ports.pacer->now() + refused_again_after;
        shard_.ports.observer->write_refused(shard_.partition, alone.write.customer, refusal);
    }
    for (auto& customer : std::views::reverse(customers)) put_back(std::move(customer));
    flush_if_due();
}

std::vector<FlushActor::Pending> FlushActor::taken_back() {
    std::vector<Pending> customers;
    auto write = request_->customers.begin();
    auto released = request_->released.begin();
    auto parked = request_->parked.begin();
    auto proof = proofs_.begin();
    for (std::size_t i = 0; i < taken_.size(); ++i) {
        const auto& taken = taken_[i];
        Pending customer;
        customer.slot = in_flight_[i].slot;
        customer.revision = in_flight_[i].revision;
        customer.through = in_flight_[i].through;
        customer.urgent = taken.urgent;
        if (taken.has_write) customer.write = *write++;
        if (taken.has_released) customer.released = *released++;
        for (std::size_t n = 0; n < taken.parked; ++n) customer.parked.push_back(*parked++);
        for (std::size_t n = 0; n < taken.proofs; ++n) customer.prove.push_back(*proof++);
        customers.push_back(std::move(customer));
    }
    taken_.clear();
    in_flight_.clear();
    proofs_.clear();
    return customers;
}

/// Before what came for the customer since, and before all others.
void FlushActor::put_back(Pending earlier) {
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
        add(earlier, commit, later.revision);
        if (released) earlier.released = released;
        earlier.urgent = earlier.urgent || urgent;
        at->second = std::move(earlier);
    } else {
        pending_.emplace(index, std::move(earlier));
    }
    if (refused_until != journeys::timestamp_min) {
        ++refused_;
        return;
    }
    if (pending_.at(index).urgent) {
        urgent_.push_front(index);
    } else {
        calm_.push_front({index, journeys::timestamp_min});
    }
}

void FlushActor::try_refused() {
    if (refused_ == 0 || stopped_) return;
    const Timestamp now = shard_.ports.pacer->now();
    for (auto& [index, pending] : pending_) {
        if (!pending.is_refused() || pending.refused_until > now) continue;
        pending.refused_until = journeys::timestamp_min;
        --refused_;
        customers_max_ = 1; // Nobody else is to wait for it again.
        pending.urgent = true;
        urgent_.push_front(index);
        return; // One at a time.
    }
}

void FlushActor::tell_channels(const CustomerWrite& write) {
    const auto grant_at_once = [&](journeys::IntentId id) -> const journeys::IntentGranted* {
        if (std::ranges::find(write.granted_at_once, id) == write.granted_at_once.end())
            return nullptr;
        for (const auto& effect : write.effects)
            if (const auto* granted = std::get_if<journeys::IntentGranted>(&effect))
                if (granted->id == id) return granted;
        return nullptr;
    };
    for (const auto& effect : write.effects) {
        if (const auto* opened = std::get_if<journeys::IntentOpened>(&effect)) {
            const auto channel = shard_.channels.find(opened->channel);
            if (channel == shard_.channels.end()) continue;
            Offered offer{.partition = shard_.partition,
                          .owner = partition_,
                          .customer = write.customer,
                          .intent = *opened};
            if (const auto* grant = grant_at_once(opened->id)) {
                failpoint("claim.before");
                offer.is_granted = true;
                offer.address = grant->address;
                offer.payload = grant->payload;
            }
            caf::anon_send(channel->second, std::move(offer));
        } else if (const auto* granted = std::get_if<journeys::IntentGranted>(&effect)) {
            for (const auto& [name, channel] : shard_.channels)
                caf::anon_send(channel, Granted{*granted});
            failpoint("claim.after");
        } else if (const auto* recalled = std::get_if<journeys::IntentRecalled>(&effect)) {
            for (const auto& [name, channel] : shard_.channels)
                caf::anon_send(channel, Recalled{recalled->id});
        } else if (std::holds_alternative<journeys::TransferOut>(effect)) {
            failpoint("transfer.after");
        }
    }
}

} // namespace actors
