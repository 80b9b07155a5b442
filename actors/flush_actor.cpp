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
      pace_(shard.flush_settings.checkpoint, shard.flush_settings.checkpoint_max) {}

caf::behavior FlushActor::make_behavior() {
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
            position_begun_at_ = shard_.ports.pacer->now();
            pace_.start(position_begun_at_);
            started_ = true;
        },
        [this](Drain) {
            draining_ = true;
            pending_.make_due(journeys::no_time);
            begin_position();
            flush_if_due();
        },
    };
}

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

    pending_.add(commit, revision_of(commit), shard_.ports.pacer->now());
}

void FlushActor::relay() {
    if (progressed_.entries.empty()) return;
    send(partition_, std::exchange(progressed_, {}));
}

void FlushActor::tick() {
    if (stopped_) return;
    const Timestamp now = shard_.ports.pacer->now();
    if (request_ && repeat_at_ <= now) {
        repeat_at_ = journeys::no_time;
        sent_at_ = now;
        shard_.ports.store->flush(request_, this);
    }
    if (started_) tick_checkpoint(now);
    if (pending_.try_refused(now)) customers_max_ = 1; // Nobody else is to wait for it again.
    flush_if_due();
    if (request_ || !pending_.is_empty() || position_due_ || draining_)
        shard_.pulse->is_busy = true;
}

void FlushActor::tick_checkpoint(Timestamp now) {
    const auto& limits = shard_.flush_settings;
    // Where nothing else is to be written the position need not wait as long: the last change is as
    // old as a checkpoint by then.
    const bool is_at_rest = !request_ && pending_.is_empty();
    if (now - position_begun_at_ >= limits.checkpoint / (is_at_rest ? 5 : 1)) {
        position_begun_at_ = now;
        begin_position();
    }
    // By the clock, so that all partitions come at once: the store writes them together.
    const auto slice = now.time_since_epoch() / limits.slice;
    if (slice == slice_) return;
    slice_ = slice;
    pending_.make_due(pace_.due_until(now, request_ && has_calm_ ? sent_at_ : journeys::no_time));
}

void FlushActor::begin_position() {
    position_due_ = watermark_.offset > stored_.offset || watermark_.swept != stored_.swept;
}

void FlushActor::flush_if_due() {
    if (!started_ || stopped_ || request_) return;
    if (pending_.has_urgent() || pending_.has_calm_due() || !notes_.empty() || position_due_)
        send_flush();
    if (draining_ && is_empty()) {
        relay();
        draining_ = false;
        send(partition_, Drained{});
    }
}

void FlushActor::send_flush() {
    auto request = std::make_shared<FlushRequest>();
    const auto take = [&](std::optional<PendingWrite> write) {
        if (write) contents_.add(*std::move(write), *request);
    };
    const auto& limits = shard_.flush_settings;
    const auto has_room = [&] {
        return contents_.customers() < customers_max_ && contents_.bytes() < limits.bytes_max;
    };
    while (pending_.has_urgent() && has_room()) take(pending_.take_urgent());
    request->is_urgent = contents_.customers() > 0;
    // A checkpoint's rows never make an intent wait for more than one flush, and a short one; nor
    // do intents that never cease hold them back.
    const bool takes_calm = contents_.customers() == 0 || draining_ || calm_passed_over_;
    const auto urgent = contents_.customers();
    const auto calm_max = draining_ ? customers_max_ : urgent + limits.calm_max;
    while (takes_calm && pending_.has_calm_due() && has_room() && contents_.customers() < calm_max)
        take(pending_.take_calm());
    has_calm_ = contents_.customers() > urgent;
    calm_passed_over_ = !takes_calm && pending_.has_calm_due();
    // Nor do they share a flush with somebody who may be at fault.
    if (customers_max_ == limits.customers_max || contents_.customers() == 0) {
        for (const auto& note : notes_) request->attempts.push_back(note.note);
        noted_ = std::exchange(notes_, {});
        request->is_urgent = request->is_urgent || !noted_.empty();
    }
    if (contents_.customers() == 0 && noted_.empty() && !position_due_) return;
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
    if (has_calm_) pace_.flushed(sent_at_, now);
    if (!answer.result) {
        const auto& error = answer.result.error();
        shard_.ports.observer->flush_failed(shard_.partition, error);
        if (error.code == journeys::ErrorCode::fenced) {
            stopped_ = true;
            pending_.clear();
            notes_.clear();
            noted_.clear();
            send(partition_, Fenced{error});
            return;
        }
        if (error.code == journeys::ErrorCode::invalid_state && contents_.customers() > 0)
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
    auto contents = std::exchange(contents_, {});
    repeat_at_ = journeys::no_time;
    customers_max_ = std::min(customers_max_ * 2, shard_.flush_settings.customers_max);

    relay(); // What a flush held has happened before it was persisted.
    for (const auto& write : request->customers) tell_channels(write);
    for (const auto& ask : contents.proofs)
        caf::anon_send(ask.channel, Standing{ask.intent, true, true});
    for (const auto& note : std::exchange(noted_, {}))
        caf::anon_send(note.channel, AttemptNoted{note.note.intent, note.note.failed});
    send(partition_, Persisted{std::move(contents.entries), stored_.offset});
    failpoint("flush_commit.after");
    flush_if_due();
}

void FlushActor::divide(const journeys::Error& refusal) {
    auto customers = std::exchange(contents_, {}).taken_apart(*request_);
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
    for (auto& customer : std::views::reverse(customers)) pending_.put_back(std::move(customer));
    flush_if_due();
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
