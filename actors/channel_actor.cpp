#include "actors/channel_actor.hpp"

#include "actors/failpoint.hpp"
#include "journeys/mutant.hpp"

#include <algorithm>

namespace actors {

using journeys::Duration;
using journeys::IntentId;
using journeys::IntentState;
using journeys::Timestamp;
using Kind = ProviderOutcome::Kind;

namespace {

constexpr auto append_again_after = std::chrono::milliseconds{200};

/// A number in [0, 1) from a seed (splitmix64).
double fraction(std::uint64_t seed) {
    seed += 0x9e3779b97f4a7c15ull;
    seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9ull;
    seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebull;
    seed ^= seed >> 31;
    return static_cast<double>(seed >> 11) * 0x1.0p-53;
}

} // namespace

bool ChannelActor::Turn::operator<(const Turn& other) const {
    if (priority != other.priority) return priority > other.priority;
    if (opened != other.opened) return opened < other.opened;
    return id < other.id;
}

ChannelActor::ChannelActor(caf::actor_config& config, const Ports& ports, ChannelSettings settings,
                           std::shared_ptr<Permits> permits, std::shared_ptr<Pulse> pulse)
    : event_based_actor(config), ports_(ports), settings_(std::move(settings)),
      provider_(*ports.channels.at(settings_.name)), permits_(std::move(permits)),
      pulse_(std::move(pulse)), breaker_span_(settings_.breaker_open) {
    const auto now = ports.pacer->now();
    const double burst = std::max(settings_.burst, 1.0);
    by_second_ = {settings_.rate, burst, burst, now};
    const double minute = std::max(settings_.per_minute, 1.0);
    by_minute_ = {settings_.per_minute / 60, minute, minute, now};
}

caf::behavior ChannelActor::make_behavior() {
    return {
        [this](Offered& offer) { offered(offer); },
        [this](Granted& message) { granted(message); },
        [this](const Standing& answer) { standing(answer); },
        [this](const ProviderAnswered& answer) { answered(answer); },
        [this](const HandOverAnswered& answer) { hand_over_answered(answer); },
        [this](const Moved& answer) { moved(answer); },
        [this](const AttemptNoted& answer) { noted(answer); },
        [this](Owners& owners) { owners_ = std::move(owners.partitions); },
        [this](const Recalled& recalled) {
            const auto at = items_.find(recalled.intent);
            if (at == items_.end()) return;
            // One that is asked for, or being sent, learns of it by its answer.
            const State state = at->second.state;
            if (state != State::queued && state != State::dead) return;
            if (!at->second.is_granted) return drop(recalled.intent);
            // Its row stays claimed until we say what we know.
            give_up(at->second, "revoked");
        },
        [this](const SettleAppended& appended) {
            const auto at = items_.find(appended.intent);
            if (at == items_.end() || at->second.state != State::settling) return;
            if (appended.failed) {
                at->second.settle_at = ports_.pacer->now() + append_again_after;
                return;
            }
            failpoint("settle.after");
            drop(appended.intent);
            pump();
        },
        [this](const PartitionGone& gone) {
            std::vector<IntentId> ids;
            for (auto& [id, item] : items_) {
                if (item.partition != gone.partition) continue;
                // Its flush answers no more.
                const bool is_noting = item.row == Row::failing || item.row == Row::reopening;
                if (is_noting && noting_ > 0) --noting_;
                if (item.state == State::calling)
                    item.owner = nullptr; // What comes of it is nobody's to know.
                else
                    ids.push_back(id);
            }
            for (const IntentId id : ids) drop(id);
            lent_ -= permits_->forget(gone.partition);
            left_out_.erase(gone.partition);
            pump();
        },
        [this](LeftOut& more) { left_out_[more.partition] = std::move(more.owner); },
        [this](ChannelControl& command) { control(command); },
        [this](Tick) { tick(); },
    };
}

void ChannelActor::on_exit() {
    // Partitions keep questions of ours: one of the two has to let go of the other.
    items_.clear();
    owners_.clear();
    left_out_.clear();
}

// The way of an intent
// ------------------------------------------------------------------------------

void ChannelActor::offered(Offered& offer) {
    if (offer.is_granted) return offered_granted(offer);
    const IntentId id = offer.intent.id;
    // What was claimed is few, and must be settled.
    if (items_.size() >= settings_.queue_max && !offer.was_claimed && !items_.contains(id)) {
        left_out_[offer.partition] = std::move(offer.owner);
        return;
    }
    auto [at, is_new] = items_.try_emplace(id);
    Item& item = at->second;
    if (!is_new) { // It came back after a deferral, or was read again after a take-over.
        item.owner = std::move(offer.owner);
        item.partition = offer.partition;
        if (item.state == State::queued && !item.is_granted) {
            leave_queue(item);
            item.intent = std::move(offer.intent);
            item.customer = std::move(offer.customer);
            item.came_from = {};
            ready_.insert(turn(item));
        }
        return;
    }
    item.intent = std::move(offer.intent);
    item.customer = std::move(offer.customer);
    item.partition = offer.partition;
    item.owner = std::move(offer.owner);
    if (offer.was_claimed) {
        // Whether its process wrote the request is not known, nor ever will be, but where its row
        // says that the last one came to nothing.
        if (!offer.failed && !may_repeat(item))
            return settle(item, IntentState::unknown, "the process ended while it was sent");
        item.address = std::move(offer.address);
        item.payload = std::move(offer.payload);
        item.is_granted = item.must_prove = true;
        item.may_be_written = !offer.failed;
        item.is_inherited = offer.failed;
        item.row = offer.failed ? Row::failed : Row::open;
        item.attempts = item.calls = std::max(offer.attempts, 1);
        ends_.emplace(item.intent.expires_at, id);
        if (offer.failed && settings_.attempts_max > 0 && item.attempts >= settings_.attempts_max) {
            item.state = State::dead;
            dead_.insert(id);
            return;
        }
    }
    ready_.insert(turn(item));
    pump();
}

void ChannelActor::offered_granted(Offered& offer) {
    if (permits_->arrived(offer.partition)) --lent_;
    auto [at, is_new] = items_.try_emplace(offer.intent.id);
    Item& item = at->second;
    if (item.is_granted || item.state == State::settling) return pump(); // Is under way already.
    if (!is_new && item.state == State::queued) leave_queue(item);
    if (is_new || item.state == State::queued) ++under_way_;
    item.intent = std::move(offer.intent);
    item.customer = std::move(offer.customer);
    item.partition = offer.partition;
    item.owner = std::move(offer.owner);
    item.address = std::move(offer.address);
    item.payload = std::move(offer.payload);
    item.is_granted = true;
    item.claimed_at = ports_.pacer->now();
    ends_.emplace(item.intent.expires_at, item.intent.id);
    wait_for_call(item);
    pump();
}

void ChannelActor::hand_over_answered(const HandOverAnswered& answer) {
    const auto at = items_.find(answer.intent);
    if (at == items_.end() || at->second.state != State::asking) return;
    ++counts_.not_granted;
    give_tokens_back(1);
    drop(answer.intent);
    pump();
}

void ChannelActor::moved(const Moved& answer) {
    const auto at = items_.find(answer.intent);
    if (at == items_.end()) return;
    Item& item = at->second;
    if (item.state != State::asking && item.state != State::confirming) return;
    // With whom it is now, a process may be at work that has the same row.
    if (item.is_inherited && answer.to != item.customer && !may_repeat(item)) {
        settle(item, IntentState::unknown, "the process ended, and the customer has moved");
        return pump();
    }
    const Timestamp now = ports_.pacer->now();
    if (now >= item.intent.expires_at) {
        if (item.is_granted)
            give_up(item, "expired while the customer moved");
        else
            drop(answer.intent);
        return pump();
    }
    if (item.came_from.value.empty() && answer.to != item.customer) item.came_from = item.customer;
    item.customer = answer.to;
    item.partition = partition_of(answer.to, static_cast<Partition>(owners_.size()));
    item.owner = owners_.at(item.partition);
    leave_state(item);
    item.state = State::queued;
    item.not_before = now + answer.later;
    backing_off_.emplace(item.not_before, answer.intent);
    pump();
}

void ChannelActor::granted(Granted& message) {
    const auto at = items_.find(message.grant.id);
    if (at == items_.end() || at->second.state != State::asking) return;
    Item& item = at->second;
    item.address = std::move(message.grant.address);
    item.payload = std::move(message.grant.payload);
    item.is_granted = true;
    item.claimed_at = ports_.pacer->now();
    ends_.emplace(item.intent.expires_at, item.intent.id);
    wait_for_call(item);
    pump();
}

void ChannelActor::wait_for_call(Item& item) {
    item.state = State::waiting;
    waiting_.insert(turn(item));
}

void ChannelActor::confirm(Item& item) {
    item.state = State::confirming;
    caf::anon_send(item.owner, AskStanding{item.intent.id, item.customer, this, item.must_prove,
                                           item.came_from});
}

void ChannelActor::standing(const Standing& answer) {
    const auto at = items_.find(answer.intent);
    if (at == items_.end() || at->second.state != State::confirming) return;
    Item& item = at->second;
    if (!answer.granted && !journeys::is_mutant(journeys::Mutant::recall_ignored)) {
        ++counts_.revoked;
        // What a dead process claimed and may have settled since becomes unknown at worst, which
        // nothing better gives way to.
        give_up(item, "revoked");
        return pump();
    }
    const Timestamp now = ports_.pacer->now();
    if (now >= item.intent.expires_at) {
        give_up(item, "expired");
        return pump();
    }
    if (item.must_prove) {
        item.must_prove = item.is_inherited = false;
        item.claimed_at = now;
    }
    if (now - item.claimed_at > settings_.claim_age_max) {
        // We may have slept while another process took over. Only a flush shows that we own the
        // customer.
        item.must_prove = true;
        return confirm(item);
    }
    call(item);
}

void ChannelActor::call(Item& item) {
    item.state = State::calling;
    item.called_at = ports_.pacer->now();
    ++item.attempts;
    ++item.calls;
    if (failpoint("provider_request.before"))
        return answered({item.intent.id, {Kind::retry, Duration{0}, "failpoint"}});
    provider_.call(
        {settings_.name, item.intent.id, item.customer, item.address, item.payload, item.attempts},
        this);
    failpoint("provider_request.after");
}

void ChannelActor::answered(const ProviderAnswered& answer) {
    const auto at = items_.find(answer.intent);
    if (at == items_.end() || at->second.state != State::calling) return;
    failpoint("provider_reply.before");
    Item& item = at->second;
    const Timestamp now = ports_.pacer->now();
    lead_.called(now - item.called_at);
    ports_.observer->called(settings_.name, answer.outcome, now - item.intent.at);
    if (!item.owner) {
        drop(answer.intent);
        return pump();
    }
    const auto& outcome = answer.outcome;
    const bool is_over = now >= item.intent.expires_at;
    switch (outcome.kind) {
    case Kind::accepted:
        succeeded();
        ++counts_.accepted;
        settle(item, IntentState::accepted, outcome.detail);
        break;
    case Kind::rejected:
        succeeded(); // The provider works; it is the message that is wrong.
        ++counts_.rejected;
        settle(item, IntentState::rejected, outcome.detail);
        break;
    case Kind::retry:
        failed(now);
        counts_.last_failure = outcome.detail;
        if (outcome.stops_channel) paused_ = true;
        if (outcome.retry_after > Duration{0})
            hold_until_ = std::max(hold_until_, now + outcome.retry_after);
        if (is_over)
            give_up(item, "expired; last: " + outcome.detail);
        else if (settings_.attempts_max > 0 && item.attempts >= settings_.attempts_max)
            set_aside(item, outcome.detail);
        else
            try_later(item, outcome.retry_after);
        if (!is_over && !item.may_be_written && !may_repeat(item)) note(item, Row::failing);
        break;
    case Kind::unknown:
        failed(now);
        counts_.last_failure = outcome.detail;
        item.may_be_written = true;
        if (!is_over && may_repeat(item)) {
            if (settings_.attempts_max > 0 && item.attempts >= settings_.attempts_max)
                set_aside(item, outcome.detail);
            else
                try_later(item, outcome.retry_after);
        } else {
            ++counts_.unknown;
            settle(item, IntentState::unknown, outcome.detail);
        }
        break;
    }
    failpoint("provider_reply.after");
    pump();
}

void ChannelActor::try_later(Item& item, Duration at_least) {
    ++counts_.retried;
    leave_state(item);
    item.state = State::queued;
    item.must_prove = true; // Another process may have taken over by then, and have called.
    const int doublings = std::min(item.attempts - 1, 20);
    const Duration ceiling =
        std::min(settings_.backoff_max, settings_.backoff * (std::int64_t{1} << doublings));
    const double share = fraction(settings_.seed ^ item.intent.id.low ^
                                  (static_cast<std::uint64_t>(item.attempts) << 48));
    const Duration jittered{
        static_cast<std::int64_t>(static_cast<double>(ceiling.count()) * share)};
    item.not_before = ports_.pacer->now() + std::max(at_least, jittered);
    backing_off_.emplace(item.not_before, item.intent.id);
}

bool ChannelActor::may_repeat(const Item& item) const {
    return settings_.deduplicates || item.intent.delivery == journeys::Delivery::at_least_once;
}

void ChannelActor::note(Item& item, Row row) {
    item.row = row;
    ++noting_;
    caf::anon_send(item.owner,
                   NoteAttempt{{item.intent.id, item.calls, row == Row::failing}, this});
}

void ChannelActor::noted(const AttemptNoted& answer) {
    if (noting_ > 0) --noting_;
    const auto at = items_.find(answer.intent);
    if (at == items_.end()) return;
    Item& item = at->second;
    if (item.row != (answer.failed ? Row::failing : Row::reopening)) return; // Of one before it.
    item.row = answer.failed ? Row::failed : Row::open;
    if (!answer.failed) item.claimed_at = ports_.pacer->now(); // The flush shows that we own it.
    if (item.state != State::beginning) return;
    begin(item);
    pump();
}

void ChannelActor::begin(Item& item) {
    if (item.row == Row::open) return wait_for_call(item);
    item.state = State::beginning;
    if (item.row == Row::failed) note(item, Row::reopening);
}

void ChannelActor::set_aside(Item& item, const std::string& detail) {
    leave_state(item);
    item.state = State::dead;
    item.last_failure = detail;
    dead_.insert(item.intent.id);
}

void ChannelActor::settle(Item& item, IntentState state, std::string detail) {
    leave_state(item);
    ends_.erase({item.intent.expires_at, item.intent.id});
    item.state = State::settling;
    item.outcome = {item.intent.id, state, std::move(detail)};
    settling_.insert(item.intent.id);
    append_settled(item);
}

void ChannelActor::give_up(Item& item, std::string detail) {
    settle(item, item.may_be_written ? IntentState::unknown : IntentState::recalled,
           std::move(detail));
}

void ChannelActor::append_settled(Item& item) {
    item.settle_at = journeys::no_time;
    auto record = std::make_shared<journeys::Record>();
    record->customer = item.customer;
    record->body = item.outcome;
    std::vector<Draft> drafts(1);
    drafts[0].customer = item.customer;
    drafts[0].kind = journeys::RecordKind::settled;
    drafts[0].bytes = ports_.encode(*record);
    drafts[0].record = std::move(record);
    if (failpoint("settle.before")) {
        item.settle_at = ports_.pacer->now() + append_again_after;
        return;
    }
    ports_.log->append(std::move(drafts), [self = caf::actor{this},
                                           id = item.intent.id](journeys::Result<void> result) {
        // A partition that is not ours any more settles its intents itself.
        const bool failed = !result && result.error().code != journeys::ErrorCode::fenced;
        caf::anon_send(self, SettleAppended{id, failed});
    });
}

void ChannelActor::leave_queue(Item& item) {
    ready_.erase(turn(item));
    backing_off_.erase({item.not_before, item.intent.id});
}

void ChannelActor::drop(IntentId id) {
    const auto at = items_.find(id);
    if (at == items_.end()) return;
    leave_state(at->second);
    ends_.erase({at->second.intent.expires_at, id});
    items_.erase(at);
}

void ChannelActor::leave_state(Item& item) {
    switch (item.state) {
    case State::queued: leave_queue(item); return;
    case State::settling: settling_.erase(item.intent.id); return;
    case State::dead: dead_.erase(item.intent.id); return;
    case State::waiting: waiting_.erase(turn(item)); break;
    case State::confirming:
    case State::calling: --calling_; break;
    case State::asking:
    case State::beginning: break;
    }
    --under_way_;
}

ChannelActor::Turn ChannelActor::turn(const Item& item) const {
    return {item.intent.priority, item.intent.at, item.intent.id};
}

// Pace
// ----------------------------------------------------------------------------------------------

void ChannelActor::end_expired(Timestamp now) {
    while (!ends_.empty() && ends_.begin()->first <= now) {
        const auto id = ends_.begin()->second;
        ends_.erase(ends_.begin());
        Item& item = items_.at(id);
        // One that is under way ends by its answer.
        if (item.state == State::queued || item.state == State::waiting ||
            item.state == State::dead)
            give_up(item,
                    item.last_failure.empty() ? "expired" : "expired; last: " + item.last_failure);
    }
}

void ChannelActor::pump() {
    const Timestamp now = ports_.pacer->now();
    end_expired(now);
    while (!backing_off_.empty() && backing_off_.begin()->first <= now) {
        ready_.insert(turn(items_.at(backing_off_.begin()->second)));
        backing_off_.erase(backing_off_.begin());
    }
    if (paused_ || draining_ || now < hold_until_)
        call_in();
    else
        take_on(now);
    call_waiting(now);
}

void ChannelActor::take_on(Timestamp now) {
    if (!ready_.empty()) call_in(); // What waits goes first.
    while (!ready_.empty() && under_way_ + lent_ < places() &&
           breaker_lets_through(now, under_way_) && take_token(now)) {
        Item& item = items_.at(ready_.begin()->id);
        ready_.erase(ready_.begin());
        ++under_way_;
        if (item.is_granted) {
            begin(item);
        } else {
            item.state = State::asking;
            caf::anon_send(item.owner,
                           AskHandOver{item.intent.id, item.customer, this, {}, item.came_from});
        }
    }
    lend(now);
}

void ChannelActor::call_waiting(Timestamp now) {
    // What was granted before an orderly end goes: nobody could tell later that it did not.
    const auto may_call = [&] {
        return draining_ || (now >= hold_until_ && breaker_lets_through(now, calling_));
    };
    while (!waiting_.empty() && calling_ < settings_.concurrency && may_call()) {
        Item& item = items_.at(waiting_.begin()->id);
        waiting_.erase(waiting_.begin());
        ++calling_;
        confirm(item);
    }
}

std::size_t ChannelActor::places() const {
    return settings_.concurrency + lead_.ahead(settings_.concurrency);
}

void ChannelActor::lend(Timestamp now) {
    if (!ready_.empty() || breaker_is_open_) return call_in();
    std::size_t more = 0;
    while (under_way_ + lent_ < places() && take_token(now)) {
        ++lent_;
        ++more;
    }
    if (more > 0) permits_->lend(more);
}

void ChannelActor::call_in() {
    const std::size_t back = permits_->call_in();
    lent_ -= back;
    give_tokens_back(back);
}

bool ChannelActor::Bucket::has_one(Timestamp now, double held) {
    if (rate <= 0) return true;
    const std::chrono::duration<double> passed = now - at;
    left = std::min(most - held, left + passed.count() * rate);
    at = now;
    return left >= 1;
}

bool ChannelActor::take_token(Timestamp now) {
    const auto held = static_cast<double>(lent_);
    if (!by_second_.has_one(now, held) || !by_minute_.has_one(now, held)) return false;
    by_second_.left -= 1;
    by_minute_.left -= 1;
    return true;
}

void ChannelActor::give_tokens_back(std::size_t count) {
    for (auto* const bucket : {&by_second_, &by_minute_})
        bucket->left = std::min(bucket->left + static_cast<double>(count), bucket->most);
}

bool ChannelActor::breaker_lets_through(Timestamp now, std::size_t before_it) const {
    // One, to see.
    return !breaker_is_open_ || (now >= breaker_until_ && before_it == 0);
}

void ChannelActor::succeeded() {
    failures_ = 0;
    breaker_is_open_ = false;
    breaker_span_ = settings_.breaker_open;
}

void ChannelActor::failed(Timestamp now) {
    if (++failures_ < settings_.breaker_after) return;
    if (breaker_is_open_) {
        if (now < breaker_until_) return; // Was under way when it opened, and tells nothing new.
        breaker_span_ = std::min(breaker_span_ * 2, settings_.breaker_open_max);
    }
    breaker_is_open_ = true;
    breaker_until_ = now + breaker_span_;
}

void ChannelActor::tick() {
    const Timestamp now = ports_.pacer->now();
    for (const IntentId id : settling_)
        if (Item& item = items_.at(id); item.settle_at <= now) append_settled(item);
    if (!left_out_.empty() && items_.size() <= settings_.queue_max / 2) {
        // As many as may be here in all: those that are known already must not hide the others.
        const auto next = left_out_.begin();
        caf::anon_send(next->second, OfferAgain{settings_.name, settings_.queue_max});
        left_out_.erase(next);
    }
    pump();
    count();
    ports_.observer->channel(settings_.name, counts_);
    if (items_.size() > dead_.size() || !left_out_.empty() || draining_) pulse_->is_busy = true;
    if (draining_ && drained_ && under_way_ == 0 && lent_ == 0 && settling_.empty() && noting_ == 0)
        std::exchange(drained_, nullptr)();
}

void ChannelActor::count() {
    counts_.queued = ready_.size() + under_way_ - calling_;
    counts_.backing_off = backing_off_.size();
    counts_.calling = calling_;
    counts_.settling = settling_.size();
    counts_.dead = dead_.size();
    counts_.breaker_open = breaker_is_open_;
    counts_.paused = paused_;
    counts_.draining = draining_;
    counts_.held_until = hold_until_;
}

void ChannelActor::control(ChannelControl& command) {
    switch (command.command) {
    case ChannelCommand::pause:
        paused_ = true;
        call_in();
        break;
    case ChannelCommand::resume:
        paused_ = draining_ = false;
        hold_until_ = {}; // Whoever says so knows better than what the provider said then.
        pump();
        break;
    case ChannelCommand::drain:
        draining_ = true;
        drained_ = std::move(command.drained);
        call_in();
        break;
    case ChannelCommand::retry_dead: {
        for (const IntentId id : std::exchange(dead_, {})) {
            Item& item = items_.at(id);
            item.state = State::queued;
            item.attempts = 1; // It was called before, and begins anew to count.
            item.must_prove = true;
            ready_.insert(turn(item));
        }
        breaker_is_open_ = false;
        failures_ = 0;
        pump();
        break;
    }
    case ChannelCommand::look: break;
    }
    if (!command.told) return;
    count();
    command.told(counts_);
}

} // namespace actors
