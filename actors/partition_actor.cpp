#include "actors/partition_actor.hpp"

#include "actors/customer_actor.hpp"
#include "actors/failpoint.hpp"
#include "actors/flush_actor.hpp"
#include "journeys/mutant.hpp"

#include <algorithm>
#include <utility>

namespace actors {

using journeys::CustomerId;
using journeys::Record;
using journeys::Timestamp;

namespace {

constexpr std::size_t sleepers_looked_at_per_tick = 2'000;

/// Whether open runs are to learn of the change without waiting for their customer to do something:
/// they end, move to another version, or go on after a pause.
bool concerns_open_runs(const journeys::Catalog& before, const journeys::Catalog& after) {
    using journeys::Status;
    return std::ranges::any_of(after.journeys(), [&](const journeys::JourneyPtr& now) {
        const auto* then = before.journey(now->id);
        if (!then) return now->status == Status::archived;
        const bool moves =
            then->version != now->version && now->on_publish != journeys::OnPublish::pin;
        const bool ends = now->status == Status::archived && then->status != Status::archived;
        const bool goes_on = then->status == Status::paused && now->status != Status::paused;
        return moves || ends || goes_on;
    });
}

} // namespace

PartitionActor::PartitionActor(caf::actor_config& config, Shard& shard)
    : event_based_actor(config), shard_(shard), wakes_(shard.partition_settings),
      retry_(shard.partition_settings.retry_min) {}

caf::behavior PartitionActor::make_behavior() {
    shard_.flush = spawn<FlushActor>(shard_, caf::actor{this});
    take_over();
    return {
        [this](LogBatch& batch) { take_batch(batch); },
        [this](const LogClosed& message) { take_closed(message); },
        [this](const Progressed& message) { progressed(message); },
        [this](const Persisted& message) { persisted(message); },
        [this](Loaded& message) { loaded(message); },
        [this](const Due& message) { due(message); },
        [this](Waiting& message) { waiting(message); },
        [this](AskHandOver& ask) { ask_hand_over(ask); },
        [this](AskStanding& ask) {
            const std::uint32_t index = find_or_load(ask.customer);
            tell(index, {std::move(ask), rulebook_});
            load_next();
        },
        [this](NoteAttempt& note) {
            if (shard_.flush) send(shard_.flush, std::move(note));
        },
        [this](Query& query) {
            if (!rulebook_) return;
            const std::uint32_t index = find_or_load(query.customer);
            tell(index, {std::move(query), rulebook_});
            load_next();
        },
        [this](AskUpToDate& ask) {
            const auto behind =
                std::max(received_, shard_.ports.log->last_offset(shard_.partition));
            walks_.push_back({behind, std::move(ask)});
            release_walks();
        },
        [this](Release& release) { releasing_.push_back({std::move(release)}); },
        [this](LoadedParked& message) { loaded_parked(message); },
        [this](Tick) { tick(); },
        [this](const TakenOver& answer) { taken_over(answer); },
        [this](const TakeOverFailed& failure) {
            enter(State::taking_over, failure.error.detail);
            retry_later();
        },
        [this](OpenIntents& answer) { open_outbox(answer); },
        [this](const OfferAgain& ask) {
            shard_.ports.store->pending_intents(shard_.partition, ask.channel, ask.limit, this);
        },
        [this](PendingIntents& answer) { pending(answer); },
        [this](const Fenced& message) { fenced(message.error); },
        [this](Drained) { stop_if_drained(); },
        [this](StopPartition& stop) {
            stopped_ = std::move(stop.stopped);
            const bool is_idle = state_ == State::taking_over || state_ == State::reading_outbox;
            enter(State::stopping);
            if (is_idle) {
                std::exchange(stopped_, {})();
                quit();
            } else if (in_flight_ == 0) {
                send(shard_.flush, Drain{});
            }
        },
    };
}

void PartitionActor::on_exit() {
    index_.clear();
    table_ = {};
    walks_.clear();
    if (shard_.flush) caf::anon_send_exit(shard_.flush, caf::exit_reason::user_shutdown);
    shard_.flush = nullptr;
}

// Taking over
// ---------------------------------------------------------------------------------------

void PartitionActor::enter(State state, std::string_view why) {
    constexpr std::string_view names[] = {"taking over", "reading the outbox", "replaying",
                                          "live",        "stopping",           "ended"};
    state_ = state;
    shard_.ports.observer->partition_state(shard_.partition, names[static_cast<std::size_t>(state)],
                                           why);
}

void PartitionActor::retry_later() {
    retry_at_ = shard_.ports.pacer->now() + retry_;
    retry_ = std::min(retry_ * 2, shard_.partition_settings.retry_max);
}

void PartitionActor::take_over() {
    enter(State::taking_over);
    if (failpoint("take_over.before")) return retry_later();
    shard_.ports.store->take_over(shard_.partition, this);
}

void PartitionActor::taken_over(const TakenOver& answer) {
    if (state_ != State::taking_over) return;
    failpoint("take_over.after");
    auto catalog = shard_.ports.catalogs->find(answer.publication);
    if (!catalog) {
        enter(State::taking_over, "the publication in force is unknown");
        return retry_later();
    }
    start_ = answer;
    received_ = told_ = persisted_ = answer.watermark;
    Rulebook rulebook{std::move(catalog), {}};
    eras_ = answer.eras;
    if (eras_)
        for (const auto& era : *eras_)
            if (auto then = shard_.ports.catalogs->find(era.publication))
                rulebook.earlier.push_back({era.until, std::move(then)});
    rulebook_ = std::make_shared<const Rulebook>(std::move(rulebook));
    publications_.push_back({answer.watermark, answer.publication, {}});
    for (const auto& customer : answer.to_release)
        releasing_.push_back({{customer, [](const std::string&) {}}});
    swept_ = answer.swept;
    if (swept_ != answer.publication) begin_sweep(answer.publication);
    send(shard_.flush, FlushStart{answer.epoch,
                                  answer.flush_sequence,
                                  {answer.watermark, answer.publication, eras_, swept_}});
    retry_ = shard_.partition_settings.retry_min;
    enter(State::reading_outbox);
    shard_.ports.store->open_intents(shard_.partition, this);
}

void PartitionActor::open_outbox(OpenIntents& answer) {
    if (state_ != State::reading_outbox) return;
    if (answer.failed) return retry_later();
    outbox_ = std::move(answer.rows);
    retry_ = shard_.partition_settings.retry_min;
    enter(State::replaying);
    shard_.ports.log->subscribe(shard_.partition, start_.watermark, this);
    if (received_ >= start_.last_offset) become_live();
}

void PartitionActor::become_live() {
    enter(State::live);
    offer(outbox_);
    for (const auto& [name, channel] : shard_.channels)
        caf::anon_send(channel, LeftOut{shard_.partition, this});
}

void PartitionActor::pending(PendingIntents& answer) {
    if (state_ != State::live) return;
    const auto channel = shard_.channels.find(answer.channel);
    if (channel == shard_.channels.end()) return;
    offer(answer.rows);
    if (answer.is_more || answer.failed)
        caf::anon_send(channel->second, LeftOut{shard_.partition, this});
}

void PartitionActor::offer(std::vector<OutboxRow>& rows) {
    for (auto& row : std::exchange(rows, {})) {
        const auto channel = shard_.channels.find(row.intent.channel);
        if (channel == shard_.channels.end()) continue;
        caf::anon_send(channel->second,
                       Offered{shard_.partition, this, std::move(row.customer),
                               std::move(row.intent), row.state == journeys::IntentState::claimed,
                               std::move(row.address), std::move(row.payload), false, row.attempts,
                               row.failed});
    }
}

void PartitionActor::fenced(const journeys::Error& error) {
    if (state_ == State::ended) return;
    enter(State::ended, error.detail);
    for (const auto& [name, channel] : shard_.channels)
        caf::anon_send(channel, PartitionGone{shard_.partition});
    shard_.ports.observer->customers(shard_.partition, 0, 0);
    for (std::uint32_t i = 0; i < table_.size(); ++i)
        if (table_[i].id && table_[i].records >= shard_.credit.limits().customer)
            shard_.credit.customer_left_limit();
    shard_.credit.give_back(shard_.partition, std::exchange(records_, 0));
    if (stopped_) std::exchange(stopped_, {})();
    quit();
}

void PartitionActor::stop_if_drained() {
    if (state_ != State::stopping || in_flight_ > 0) return;
    advance_watermark(); // The flush hears of it before it drains once more.
    if (told_ > start_.watermark && told_ != start_.last_offset) {
        start_.last_offset = told_; // Once more, for the position alone.
        send(shard_.flush, Drain{});
        return;
    }
    if (stopped_) std::exchange(stopped_, {})();
    quit();
}

// Records
// -------------------------------------------------------------------------------------------

void PartitionActor::take_batch(LogBatch& batch) {
    if (state_ != State::replaying && state_ != State::live) return;
    shard_.ports.observer->received(shard_.partition, batch.records);
    std::vector<std::pair<std::uint32_t, Batch>> groups;
    for (auto& record : batch.records) {
        if (record->offset <= received_) continue; // The log began anew before where we are.
        received_ = record->offset;
        accepted_at_ = std::max(accepted_at_, record->accepted_at);
        const auto kind = static_cast<journeys::RecordKind>(record->kind());
        if (kind == journeys::RecordKind::publish) {
            dispatch(groups, journeys::timestamp_min);
            change_catalog(*record);
            continue;
        }
        const std::uint32_t index = find_or_load(record->customer);
        Entry& entry = table_[index];
        if (entry.group == 0) {
            groups.emplace_back(index, Batch{});
            entry.group = static_cast<std::uint32_t>(groups.size());
        }
        groups[entry.group - 1].second.records.push_back(std::move(record));
    }
    closed_ = std::max(closed_, batch.closed);
    dispatch(groups, state_ == State::live ? closed_ : journeys::timestamp_min);
    load_next();
    if (state_ == State::replaying && (received_ >= start_.last_offset || batch.live))
        become_live();
    release_asks();
    wake_due();
    advance_watermark();
    tell_lag(); // Now: ticks may be slow, and no lag would be a promise that all is stored.
}

void PartitionActor::take_closed(const LogClosed& message) {
    closed_ = std::max(closed_, message.closed);
    note_woken(); // Ticks may be slow, and must not meter what is due now.
    if (state_ == State::replaying && received_ >= start_.last_offset) become_live();
    release_asks();
    wake_due();
}

/// The clock is told by the log; twenty times a second to all partitions is most of what a quiet
/// service would cost.
void PartitionActor::want_closed() {
    const Timestamp at = state_ == State::live ? wakes_.next() : journeys::timestamp_min;
    if (at == wanted_) return;
    wanted_ = at;
    shard_.ports.log->want_closed(shard_.partition, at);
}

void PartitionActor::dispatch(std::vector<std::pair<std::uint32_t, Batch>>& groups,
                              Timestamp closed) {
    const auto limit = shard_.credit.limits().customer;
    std::size_t records = 0;
    for (auto& [index, batch] : groups) {
        Entry& entry = table_[index];
        entry.group = 0;
        const auto count = static_cast<std::uint32_t>(batch.records.size());
        records += count;
        if (entry.records < limit && entry.records + count >= limit)
            shard_.credit.customer_reached_limit();
        entry.records += count;
        batch.closed = closed;
        open_ticket(index, batch.records.front()->offset, batch.records.back()->offset);
        tell(index, {std::move(batch), rulebook_, hand_over_at(entry)});
    }
    records_ += records;
    shard_.credit.take(shard_.partition, records);
    groups.clear();
}

void PartitionActor::change_catalog(const Record& record) {
    failpoint("publish.before");
    journeys::CatalogPtr next;
    if (const auto* publish = std::get_if<journeys::Publish>(&record.body)) {
        next = shard_.ports.catalogs->find(publish->publication);
        if (next && next->publication() != rulebook_->current->publication())
            publications_.push_back({record.offset, publish->publication, record.accepted_at});
    }
    if (!next) {
        const auto* unreadable = std::get_if<journeys::Unreadable>(&record.body);
        shard_.ports.observer->parked(shard_.partition,
                                      {{},
                                       record.offset,
                                       unreadable ? unreadable->why : "the publication is unknown",
                                       nullptr});
        return;
    }
    if (next->publication() == rulebook_->current->publication()) return; // Nothing is new.
    if (sweep_ || concerns_open_runs(*rulebook_->current, *next))
        begin_sweep(next->publication());
    else
        swept_ = next->publication();
    Rulebook rulebook{std::move(next), rulebook_->earlier};
    rulebook.earlier.push_back({record.accepted_at, rulebook_->current});
    if (rulebook.earlier.size() > shard_.partition_settings.eras_max)
        rulebook.earlier.erase(rulebook.earlier.begin());
    rulebook_ = std::make_shared<const Rulebook>(std::move(rulebook));
    // With other models stored times are brought forward from outside: they are asked for soon.
    wakes_.changed(record.accepted_at);
    failpoint("publish.after");
}

std::uint32_t PartitionActor::find_or_load(const CustomerId& customer) {
    if (const auto at = index_.find(customer); at != index_.end()) return *at;
    const std::uint32_t index = table_.take();
    Entry& entry = table_[index];
    entry.held = std::make_unique<Held>(customer);
    entry.id = &entry.held->id;
    index_.insert(index);
    by_use_.push_back(index);
    to_load_.push_back(index);
    ++active_;
    return index;
}

void PartitionActor::tell(std::uint32_t index, ToCustomer message) {
    Entry& entry = table_[index];
    ++entry.in_flight;
    ++in_flight_;
    by_use_.remove(index);
    by_use_.push_back(index);
    entry.used = shard_.ports.pacer->now();
    if (entry.held)
        entry.held->messages.push_back(std::move(message));
    else
        send(entry.actor, std::move(message));
}

bool PartitionActor::has_all_acknowledged() const {
    return received_ >= shard_.ports.log->last_offset(shard_.partition);
}

journeys::Timestamp PartitionActor::hand_over_at(const Entry& entry) const {
    if (state_ != State::live || entry.in_flight > 0 || !has_all_acknowledged())
        return journeys::no_time;
    return std::max(shard_.ports.pacer->now(), accepted_at_);
}

void PartitionActor::load_next() {
    if (!loading_.empty() || to_load_.empty()) return;
    const std::size_t count = std::min(to_load_.size(), shard_.partition_settings.load_batch);
    std::vector<CustomerId> ids;
    ids.reserve(count);
    loading_.assign(to_load_.begin(), to_load_.begin() + static_cast<std::ptrdiff_t>(count));
    to_load_.erase(to_load_.begin(), to_load_.begin() + static_cast<std::ptrdiff_t>(count));
    for (const std::uint32_t index : loading_) ids.push_back(*table_[index].id);
    shard_.ports.store->load(shard_.partition, std::move(ids), this);
}

void PartitionActor::loaded(Loaded& message) {
    if (loading_.empty()) return;
    if (message.failed || message.entries.size() != loading_.size()) return retry_later();
    retry_ = shard_.partition_settings.retry_min;
    for (std::size_t i = 0; i < loading_.size(); ++i) {
        const std::uint32_t index = loading_[i];
        Entry& entry = table_[index];
        auto& row = message.entries[i];
        entry.quarantined = !row.quarantined.empty();
        const auto held =
            begin_customer(index, std::move(row.block), std::move(row.quarantined), row.parked);
        for (auto& later : held->messages) send(entry.actor, std::move(later));
    }
    loading_.clear();
    load_next();
}

std::unique_ptr<PartitionActor::Held> PartitionActor::begin_customer(std::uint32_t index,
                                                                     Block block,
                                                                     std::string quarantined,
                                                                     std::uint32_t parked) {
    Entry& entry = table_[index];
    auto held = std::exchange(entry.held, nullptr);
    entry.actor = spawn<CustomerActor, caf::lazy_init>(
        std::cref(static_cast<const Shard&>(shard_)).get(), Slot{index, entry.generation}, held->id,
        std::move(block), std::move(quarantined), parked);
    entry.id = &caf::actor_cast<CustomerActor*>(entry.actor)->customer_id();
    return held;
}

void PartitionActor::progressed(const Progressed& message) {
    shard_.ports.observer->records(shard_.partition, message.counts);
    const auto limit = shard_.credit.limits().customer;
    std::size_t records = 0;
    for (const auto& progress : message.entries) {
        Entry& entry = table_[progress.slot.index];
        if (!entry.id || entry.generation != progress.slot.generation) continue;
        if (progress.answers) {
            --entry.in_flight;
            --in_flight_;
        }
        if (entry.records >= limit && entry.records - progress.records < limit)
            shard_.credit.customer_left_limit();
        entry.records -= progress.records;
        records += progress.records;
        // One in quarantine who was only asked something tells no revision.
        if (progress.changed) entry.revision = progress.revision;
        entry.through = std::max(entry.through, progress.through);
        entry.changed = entry.changed || progress.changed;
        entry.quarantined = progress.quarantined;
        if (!entry.changed) close_tickets(progress.slot.index, entry.through);
        if (entry.waking && entry.in_flight == 0) {
            entry.waking = false;
            wakes_.answered();
        }
        if (entry.quarantined) continue;
        entry.wake_at = progress.wake_at;
        arm(progress.slot.index);
    }
    records_ -= records;
    shard_.credit.give_back(shard_.partition, records);
    wake_due();
    advance_watermark();
    if (state_ == State::stopping && in_flight_ == 0) send(shard_.flush, Drain{});
}

// Position
// ------------------------------------------------------------------------------------------

void PartitionActor::open_ticket(std::uint32_t index, std::uint64_t first, std::uint64_t last) {
    auto& tickets = table_[index].tickets;
    const std::uint32_t newest = tickets[1].first > tickets[0].first ? 1 : 0;
    const bool none_free = tickets[0].first != 0 && tickets[1].first != 0;
    Ticket& current = tickets[newest];
    if (current.first != 0 && (none_free || current.generation == generation_)) {
        current.set_last(last);
        return;
    }
    const std::uint32_t free = tickets[0].first == 0 ? 0 : 1;
    tickets[free].first = first;
    tickets[free].set_last(last);
    tickets[free].generation = generation_;
    dirty_.push_back(index * 2 + free);
}

void PartitionActor::close_tickets(std::uint32_t index, std::uint64_t through) {
    for (std::uint32_t i = 0; i < 2; ++i) {
        Ticket& ticket = table_[index].tickets[i];
        if (ticket.first == 0 || ticket.last() > through) continue;
        dirty_.remove(index * 2 + i);
        ticket.first = 0;
    }
}

std::uint64_t PartitionActor::watermark() const {
    if (dirty_.empty() || journeys::is_mutant(journeys::Mutant::position_too_early))
        return received_;
    auto& table =
        const_cast<Slab<Entry>&>(table_); // Slab has no constant access; nothing is changed.
    const std::uint32_t number = dirty_.head();
    return table[number / 2].tickets[number % 2].first - 1;
}

void PartitionActor::advance_watermark() {
    const std::uint64_t offset = watermark();
    if (offset <= told_ || !rulebook_) return;
    told_ = offset;
    while (publications_.size() > 1 && publications_[1].offset <= offset) {
        remember_era(publications_[1]);
        publications_.pop_front();
    }
    tell_watermark();
}

void PartitionActor::tell_watermark() {
    const auto& in_force = publications_.front();
    // Behind a publication that is not below the watermark, a sweep is begun anew after a crash.
    const bool is_newest = publications_.size() == 1;
    send(shard_.flush, Watermark{told_, in_force.publication, eras_, is_newest ? swept_ : 0});
}

void PartitionActor::remember_era(const Published& next) {
    std::vector<PublishedEra> eras;
    if (eras_) eras = *eras_;
    eras.push_back({publications_.front().publication, next.accepted_at});
    if (eras.size() > shard_.partition_settings.eras_max) eras.erase(eras.begin());
    eras_ = std::make_shared<const std::vector<PublishedEra>>(std::move(eras));
}

void PartitionActor::persisted(const Persisted& message) {
    for (const auto& written : message.entries) {
        Entry& entry = table_[written.slot.index];
        if (!entry.id || entry.generation != written.slot.generation) continue;
        if (written.revision == entry.revision) {
            entry.changed = false;
            close_tickets(written.slot.index, std::max(entry.through, written.through));
        } else {
            close_tickets(written.slot.index, written.through);
        }
    }
    persisted_ = message.watermark;
    shard_.ports.log->advance_watermark(shard_.partition, persisted_);
    advance_watermark();
    tell_lag();
}

void PartitionActor::tell_lag() const {
    shard_.ports.observer->position(shard_.partition, received_, persisted_);
}

// Time
// ----------------------------------------------------------------------------------------------

void PartitionActor::arm(std::uint32_t index) {
    Entry& entry = table_[index];
    if (entry.wake_at >= std::min(entry.armed, journeys::when_published)) return;
    entry.armed = entry.wake_at;
    wakes_.add({index, entry.generation}, entry.wake_at);
    if (entry.wake_at < wanted_) want_closed();
}

void PartitionActor::wake_due() {
    if (state_ != State::live) return;
    while (auto next = wakes_.pop(closed_)) {
        if (const auto* customer = std::get_if<CustomerId>(&next->who)) {
            if (!index_.contains(*customer)) wake(find_or_load(*customer), Waking::stored_hint);
            continue;
        }
        const auto [index, generation] = std::get<Slot>(next->who);
        Entry& entry = table_[index];
        if (!entry.id || entry.generation != generation || entry.armed != next->due) continue;
        entry.armed = journeys::no_time;
        if (entry.wake_at <= closed_)
            wake(index, Waking::timer);
        else
            arm(index);
    }
    want_closed();
    load_next();
}

/// Others may be woken again.
void PartitionActor::note_woken() {
    const auto noted = wakes_.note();
    if (noted.woken > 0) shard_.ports.observer->timers(shard_.partition, noted.woken, noted.latest);
}

void PartitionActor::wake(std::uint32_t index, Waking why) {
    Entry& entry = table_[index];
    if (entry.waking || entry.quarantined) return; // The answer arms it again.
    entry.waking = true;
    wakes_.woken();
    tell(index, {Wake{closed_, why == Waking::stored_hint, why == Waking::sweep}, rulebook_,
                 hand_over_at(entry)});
}

void PartitionActor::ask_due() {
    if (state_ != State::live || !wakes_.must_ask(closed_, shard_.ports.pacer->now())) return;
    shard_.ports.store->find_due(shard_.partition, wakes_.ask(closed_),
                                 shard_.partition_settings.timer_batch, this);
}

void PartitionActor::due(const Due& message) {
    for (const auto& entry : message.entries) {
        const auto active = index_.find(entry.customer);
        if (active == index_.end()) {
            wakes_.add(entry.customer, entry.wake_at);
            continue;
        }
        // Who is awake knows better; but a stored time that has passed must not be found for ever.
        const Entry& awake = table_[*active];
        if (entry.wake_at <= closed_ && !awake.changed && awake.in_flight == 0 && wakes_.has_room())
            wake(*active, Waking::stored_hint);
    }
    wakes_.found(message, shard_.ports.pacer->now());
    wake_due();
}

// Publications
// --------------------------------------------------------------------------------------

void PartitionActor::begin_sweep(std::uint64_t publication) {
    sweep_ = Sweep{.publication = publication, .number = ++sweeps_};
}

void PartitionActor::sweep() {
    if (!sweep_ || state_ != State::live) return;
    Sweep& sweep = *sweep_;
    const auto& limits = shard_.partition_settings;
    // Who is awake first: in the store they are not as they are.
    for (; sweep.next_awake < table_.size(); ++sweep.next_awake) {
        const Entry& entry = table_[sweep.next_awake];
        if (!entry.id || entry.quarantined) continue;
        if (entry.waking || !wakes_.has_ample_room())
            return; // That wake may be older than the publication.
        wake(sweep.next_awake, Waking::sweep);
    }
    for (; !sweep.asleep.empty() && wakes_.has_ample_room(); sweep.asleep.pop_front())
        wake(find_or_load(sweep.asleep.front()), Waking::sweep);
    load_next();
    if (sweep.asking || !sweep.asleep.empty()) return;
    if (!sweep.found_all) {
        sweep.asking = true;
        shard_.ports.store->find_waiting(shard_.partition, sweep.cursor, limits.timer_batch,
                                         sweep.number, this);
        return;
    }
    if (wakes_.in_flight() > 0) return;
    // It is over when what it led to is written.
    for (; sweep.next_unwritten < table_.size(); ++sweep.next_unwritten)
        if (table_[sweep.next_unwritten].id && table_[sweep.next_unwritten].changed) return;
    swept_ = sweep.publication;
    sweep_.reset();
    tell_watermark();
}

void PartitionActor::waiting(Waiting& message) {
    if (!sweep_ || message.tag != sweep_->number) return;
    sweep_->asking = false;
    if (message.failed) return; // The next tick asks again.
    sweep_->found_all = message.entries.size() < shard_.partition_settings.timer_batch;
    if (!message.entries.empty()) sweep_->cursor = message.entries.back();
    for (auto& entry : message.entries) sweep_->asleep.push_back(std::move(entry.customer));
}

// Channels
// ------------------------------------------------------------------------------------------

void PartitionActor::ask_hand_over(AskHandOver& ask) {
    const std::uint64_t behind =
        std::max(received_, shard_.ports.log->last_offset(shard_.partition));
    asks_.push_back({behind, std::move(ask)});
    release_asks();
}

void PartitionActor::release_asks() {
    if (state_ != State::live) return;
    while (!asks_.empty() && asks_.front().behind <= received_) {
        AskHandOver ask = std::move(asks_.front().ask);
        asks_.pop_front();
        ask.now = std::max(shard_.ports.pacer->now(), accepted_at_);
        const std::uint32_t index = find_or_load(ask.customer);
        tell(index, {std::move(ask), rulebook_});
    }
    load_next();
}

void PartitionActor::release_walks() {
    if (state_ != State::live) return;
    std::erase_if(walks_, [&](const HeldWalk& held) {
        if ((held.ask.written ? watermark() : received_) < held.behind) return false;
        send(held.ask.asker, UpToDate{held.ask.walk});
        return true;
    });
}

// Pacing
// --------------------------------------------------------------------------------------------

void PartitionActor::tick() {
    if (state_ == State::ended) return;
    if (shard_.flush) send(shard_.flush, Tick{});
    const Timestamp now = shard_.ports.pacer->now();
    if (retry_at_ <= now) {
        retry_at_ = journeys::no_time;
        if (state_ == State::taking_over)
            take_over();
        else if (state_ == State::reading_outbox)
            shard_.ports.store->open_intents(shard_.partition, this);
        else if (!loading_.empty()) {
            std::vector<CustomerId> ids;
            for (const std::uint32_t index : loading_) ids.push_back(*table_[index].id);
            shard_.ports.store->load(shard_.partition, std::move(ids), this);
        }
    }
    if (now >= next_generation_) {
        ++generation_;
        next_generation_ = now + shard_.flush_settings.checkpoint;
    }
    note_woken();
    ask_due();
    wake_due();
    sweep();
    release_asks();
    release_walks();
    release_customers();
    passivate();
    shard_.ports.observer->customers(shard_.partition, active_, loading_.size() + to_load_.size());
    if (is_busy()) shard_.pulse->is_busy = true;
    received_by_last_tick_ = received_;
}

bool PartitionActor::is_busy() const {
    const bool is_waiting = !loading_.empty() || !to_load_.empty() || !asks_.empty() ||
                            !walks_.empty() || !releasing_.empty();
    return state_ != State::live || in_flight_ > 0 || wakes_.in_flight() > 0 || sweep_ ||
           is_waiting || received_ != received_by_last_tick_;
}

bool PartitionActor::may_sleep(const Entry& entry) const {
    return entry.actor && !entry.held && entry.in_flight == 0 && !entry.changed &&
           entry.tickets[0].first == 0 && entry.tickets[1].first == 0;
}

void PartitionActor::release_customers() {
    if (state_ != State::live) return;
    for (auto& [release, asked, ask_again] : releasing_) {
        if (ask_again) {
            ask_again = false;
            shard_.ports.store->load_parked(shard_.partition, release.customer, this);
        }
        if (asked) continue;
        Entry& entry = table_[find_or_load(release.customer)];
        if (!entry.actor) continue; // It is being loaded.
        if (!entry.held) entry.held = std::make_unique<Held>(*entry.id);
        if (entry.in_flight != entry.held->messages.size() || entry.changed) continue;
        asked = true;
        entry.id = &entry.held->id;
        entry.actor = nullptr;
        shard_.ports.store->load_parked(shard_.partition, release.customer, this);
    }
    load_next();
}

void PartitionActor::loaded_parked(LoadedParked& message) {
    const auto at = std::ranges::find_if(releasing_, [&](const Releasing& releasing) {
        return releasing.asked && releasing.release.customer == message.customer;
    });
    if (at == releasing_.end()) return;
    if (message.failed) {
        at->ask_again = true; // With the next tick.
        return;
    }
    const std::uint32_t index = *index_.find(message.customer);
    Entry& entry = table_[index];
    const auto held = begin_customer(index, std::move(message.block), {}, 0);
    ++entry.in_flight;
    ++in_flight_;
    send(entry.actor,
         ToCustomer{Replay{std::move(message.records), std::move(at->release.done)}, rulebook_});
    for (auto& later : held->messages) send(entry.actor, std::move(later));
    releasing_.erase(at);
}

void PartitionActor::passivate() {
    const Timestamp now = shard_.ports.pacer->now();
    const auto& limits = shard_.partition_settings;
    std::uint32_t index = by_use_.head();
    for (std::size_t i = 0; i < sleepers_looked_at_per_tick && index != Links::none; ++i) {
        Entry& entry = table_[index];
        const std::uint32_t next = entry.by_use.next;
        if (active_ <= limits.active_customers_max && now - entry.used < limits.idle_after) break;
        if (may_sleep(entry)) put_to_sleep(index);
        index = next;
    }
    if (passivated_ >= limits.trim_after) {
        passivated_ = 0;
        shard_.ports.trim();
    }
}

void PartitionActor::put_to_sleep(std::uint32_t index) {
    Entry& entry = table_[index];
    // The store is not asked again for times up to here.
    if (wakes_.has_asked_for(entry.wake_at)) {
        wakes_.add(*entry.id, entry.wake_at);
        if (entry.wake_at < wanted_) want_closed();
    }
    by_use_.remove(index);
    index_.erase(index);
    const std::uint32_t generation = entry.generation + 1;
    entry = {}; // The actor has nothing to do and nobody who knows it: it ends.
    entry.generation = generation;
    table_.give_back(index);
    --active_;
    ++passivated_;
}

} // namespace actors
