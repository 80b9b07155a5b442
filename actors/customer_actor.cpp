#include "actors/customer_actor.hpp"

#include "actors/failpoint.hpp"
#include "actors/scratch.hpp"
#include "journeys/newest_lines.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>

namespace actors {

using journeys::Customer;
using journeys::Effects;
using journeys::Timestamp;

namespace {

constexpr auto tick_of_time = journeys::Duration{1};
/// How soon a customer is looked at again whose due time was too early and who did nothing.
constexpr auto look_again_after = std::chrono::seconds{10};
constexpr int firings_max = 1000;
/// From oneself: the log is to be asked again.
constexpr std::uint64_t look_again = 1;
constexpr std::size_t effects_kept_max = 1024;
/// A bigger state does not leave its memory to those behind it.
constexpr std::size_t scratch_bytes_max = 64 * 1024;
constexpr auto quarantine_asked_every = std::chrono::seconds{30};

template <class... Handlers> struct Overloaded : Handlers... { using Handlers::operator()...; };

/// Where to ask about an intent that is not here: with whom a tombstone points to, or here again,
/// where what `came_from` left behind has not arrived yet. Nothing: nowhere.
std::optional<journeys::CustomerId> moved_to(const Customer& customer,
                                             const journeys::CustomerId& came_from) {
    if (customer.forward_to) return customer.forward_to;
    if (came_from.value.empty() || came_from == customer.id ||
        std::ranges::find(customer.known_ids, came_from) != customer.known_ids.end())
        return std::nullopt;
    return customer.id;
}

void say_gone(const AskHandOver& ask, const Customer& customer) {
    if (const auto moved = moved_to(customer, ask.came_from))
        caf::anon_send(ask.channel, Moved{ask.intent, *moved});
    else
        caf::anon_send(ask.channel,
                       HandOverAnswered{ask.intent, {journeys::HandOver::Verdict::gone}});
}

void count(journeys::Applied applied, AppliedCounts& counts) {
    switch (applied) {
    case journeys::Applied::applied: ++counts.applied; break;
    case journeys::Applied::duplicate: ++counts.duplicate; break;
    case journeys::Applied::late: ++counts.late; break;
    case journeys::Applied::forwarded: ++counts.forwarded; break;
    }
}

/// A line that stands in the customer's state, and so in no row.
bool is_newest_line(const journeys::Effect& effect) {
    const auto* line = std::get_if<journeys::TimelineEntry>(&effect);
    return line && journeys::is_in_state(line->kind);
}

void count(journeys::TimelineEntry& refusal, std::vector<RefusalCount>& refusals) {
    const auto known = std::ranges::find_if(refusals, [&](const RefusalCount& count) {
        return count.reason == refusal.reason && count.journey == refusal.journey;
    });
    if (known != refusals.end())
        ++known->count;
    else
        refusals.push_back({std::move(refusal.journey), std::move(refusal.reason), 1});
}

} // namespace

CustomerActor::CustomerActor(caf::actor_config& config, const Shard& shard, Slot slot,
                             journeys::CustomerId id, Block block, std::string quarantined,
                             std::uint32_t parked)
    : event_based_actor(config), shard_(shard), id_(std::move(id)), block_(std::move(block)),
      slot_(slot), parked_(parked) {
    if (!quarantined.empty()) quarantined_ = std::make_unique<std::string>(std::move(quarantined));
}

caf::behavior CustomerActor::make_behavior() {
    return {
        [this](ToCustomer& message) { take(message); },
        [this](const SeenBefore& answer) { seen_before(answer); },
    };
}

void CustomerActor::take(ToCustomer& message) {
    if (lookup_ && lookup_->waits)
        lookup_->held.push_back(std::move(message));
    else
        perform(message);
}

void CustomerActor::perform(ToCustomer& message) {
    Commit commit{.slot = slot_};
    if (std::holds_alternative<Replay>(message.what)) begin_replay(message);
    if (quarantined_) {
        park(message, commit);
        answer_parked(message);
    } else {
        perform_or_quarantine(message, commit);
    }
    if (replaying_) end_replay(commit);
    if (shard_.ports.mark) shard_.ports.mark->done(shard_.partition);
    commit.quarantined = quarantined_ != nullptr;
    commit.write.customer = id_;
    if (!shard_.flush) return; // The partition has ended.
    auto& commits = shard_.scratch->commits;
    commits.push_back(std::move(commit));
    if (commits.size() == 1) send(shard_.flush, Work{});
}

void CustomerActor::begin_replay(ToCustomer& message) {
    auto replay = std::move(std::get<Replay>(message.what));
    replaying_ = std::make_unique<std::function<void(std::string)>>(std::move(replay.done));
    quarantined_.reset();
    parked_ = 0;
    message.what = Batch{std::move(replay.records), journeys::timestamp_min};
}

void CustomerActor::end_replay(Commit& commit) {
    commit.records = 0; // They were given back when they were parked.
    if (!commit.answers) return;
    commit.released = !quarantined_;
    if (commit.released && block_ && !commit.write.block) {
        // Written again, so that its timers are found again.
        Customer customer = decode();
        commit.write.revision = ++customer.revision;
        commit.write.applied = customer.applied;
        commit.write.block = encode(customer);
        commit.changed = true;
    }
    (*replaying_)(quarantined_ ? *quarantined_ : std::string{});
    replaying_.reset();
}

void CustomerActor::perform_or_quarantine(ToCustomer& message, Commit& commit) {
    ToCustomer rest{Batch{}, nullptr};
    for (;;) {
        try {
            work(message, decode(), commit);
            break;
        } catch (const std::exception& failure) {
            // What stands is done again from the state before: half a transition may lie behind us.
            quarantined_ = std::make_unique<std::string>(failure.what());
            message.hand_over_at = journeys::no_time;
            const std::size_t stands = commit.records;
            commit = Commit{.slot = slot_};
            auto* batch = std::get_if<Batch>(&message.what);
            if (!batch || stands == 0) {
                park(message, commit);
                answer_parked(message);
                break;
            }
            const auto first_bad = batch->records.begin() + static_cast<std::ptrdiff_t>(stands);
            auto& parked = std::get<Batch>(rest.what).records;
            parked.insert(parked.begin(), first_bad, batch->records.end());
            batch->records.erase(first_bad, batch->records.end());
            batch->closed = journeys::timestamp_min;
        }
    }
    park(rest, commit);
    // Where no record is at fault, something must hold the quarantine all the same.
    if (quarantined_ && commit.parked.empty())
        commit.parked.push_back({id_, 0, *quarantined_, nullptr});
}

Customer& CustomerActor::decode() const {
    Customer& customer = shard_.scratch->customer;
    if (!block_ || block_->size() > scratch_bytes_max) customer = {};
    if (!block_) {
        customer.id = id_;
        return customer;
    }
    const auto unpack = is_own_block_ ? shard_.rules.unpack_own : shard_.rules.unpack;
    if (auto unpacked = unpack(*block_, customer); !unpacked)
        throw std::runtime_error(unpacked.error().detail);
    return customer;
}

Block CustomerActor::encode(const Customer& customer) {
    block_ = Block{shard_.rules.pack(customer)};
    is_own_block_ = true;
    return block_;
}

void CustomerActor::work(ToCustomer& message, Customer& customer, Commit& commit) {
    const RulebookPtr held = message.rulebook; // The message may be put away.
    const Rulebook& rulebook = *held;
    const std::uint64_t revision_before = customer.revision, applied_before = customer.applied;
    Effects& effects = shard_.scratch->effects;
    effects.clear();
    bool touched = false;
    const Timestamp stored_wake_at = stored_wake_at_most(customer, rulebook);
    std::visit(Overloaded{
                   [&](Batch& batch) {
                       commit.answers = apply(batch, rulebook, customer, commit);
                       if (commit.answers) return;
                       lookup_->message = std::move(message);
                       lookup_->message.hand_over_at = journeys::no_time; // It gets old.
                   },
                   [&](Wake& wake) {
                       refuse_poisoned_timer();
                       if (shard_.ports.mark) shard_.ports.mark->applying(shard_.partition, 0, id_);
                       if (failpoint("fire.before"))
                           throw std::runtime_error("failpoint fire.before");
                       commit.closed = wake.closed;
                       catch_up(rulebook, customer, effects);
                       fire(wake.closed, rulebook, customer, effects);
                       failpoint("fire.after");
                       touched = wake.hint_was_stored;
                       commit.by_time = !wake.is_sweep && customer.revision != revision_before;
                   },
                   [&](AskHandOver& ask) {
                       refuse_poisoned_timer();
                       if (shard_.ports.mark) shard_.ports.mark->applying(shard_.partition, 0, id_);
                       catch_up(rulebook, customer, effects);
                       const auto verdict = hand_over(ask.intent, ask.now, rulebook, customer);
                       // Before the commit: should the row come back to the channel, then it comes
                       // behind this.
                       if (verdict.verdict == journeys::HandOver::Verdict::gone)
                           say_gone(ask, customer);
                       else if (verdict.verdict != journeys::HandOver::Verdict::grant)
                           caf::anon_send(ask.channel, HandOverAnswered{ask.intent, verdict});
                   },
                   [&](AskStanding& ask) {
                       const bool granted = shard_.rules.is_granted(customer, ask.intent);
                       const auto moved =
                           granted ? std::nullopt : moved_to(customer, ask.came_from);
                       if (granted && ask.prove)
                           commit.prove.push_back(std::move(ask));
                       else if (moved)
                           caf::anon_send(ask.channel, Moved{ask.intent, *moved});
                       else
                           caf::anon_send(ask.channel,
                                          Standing{ask.intent, granted,
                                                   shard_.rules.is_awaited(customer, ask.intent)});
                   },
                   [&](Query& query) {
                       caf::anon_send(query.asker, CustomerState{id_, block_, {}});
                   },
                   [](Replay&) {}, // Has become a batch.
               },
               message.what);
    std::vector<Permit> permits;
    if (commit.answers && message.hand_over_at != journeys::no_time)
        hand_over_at_once(message.hand_over_at, rulebook, customer, commit.write, permits);
    commit.write.wake_at = shard_.rules.wake_at(customer, *rulebook.current);
    // A publication may have brought it forward without changing anything else: who sleeps then
    // would be found too late.
    touched = touched || commit.write.wake_at < stored_wake_at;
    commit.changed = touched || !effects.empty() || customer.revision != revision_before ||
                     customer.applied != applied_before;
    if (commit.changed && customer.revision == revision_before) ++customer.revision;
    if (commit.changed) commit.write.block = encode(customer);
    commit.write.revision = customer.revision;
    commit.write.applied = customer.applied;
    if (const auto* wake = std::get_if<Wake>(&message.what))
        if (commit.write.wake_at <= wake->closed)
            commit.write.wake_at = wake->closed + look_again_after;
    commit.write.effects = take_effects();
    for (auto& permit : permits) permit.keep();
}

Timestamp CustomerActor::stored_wake_at_most(const Customer& customer,
                                             const Rulebook& rulebook) const {
    if (customer.publication == rulebook.current->publication()) return journeys::timestamp_min;
    for (const auto& era : rulebook.earlier)
        if (era.catalog->publication() == customer.publication)
            return shard_.rules.wake_at(customer, *era.catalog);
    return journeys::no_time;
}

void CustomerActor::hand_over_at_once(Timestamp now, const Rulebook& rulebook, Customer& customer,
                                      CustomerWrite& write, std::vector<Permit>& permits) {
    struct Opened {
        int priority;
        journeys::IntentId id;
        Permits* permits;
    };
    std::vector<Opened> all;
    for (const auto& effect : shard_.scratch->effects)
        if (const auto* opened = std::get_if<journeys::IntentOpened>(&effect))
            if (const auto at = shard_.permits.find(opened->channel); at != shard_.permits.end())
                all.push_back({opened->priority, opened->id, at->second.get()});
    std::ranges::stable_sort(all, std::greater{}, &Opened::priority);
    for (const auto& opened : all) {
        if (!opened.permits->take(shard_.partition)) continue;
        Permit permit{*opened.permits, shard_.partition};
        const auto verdict = hand_over(opened.id, now, rulebook, customer);
        if (verdict.verdict != journeys::HandOver::Verdict::grant) continue;
        write.granted_at_once.push_back(opened.id);
        permits.push_back(std::move(permit));
    }
}

journeys::HandOver CustomerActor::hand_over(journeys::IntentId intent, Timestamp now,
                                            const Rulebook& rulebook, Customer& customer) const {
    if (failpoint("grant.before")) throw std::runtime_error("failpoint grant.before");
    const auto verdict =
        shard_.rules.hand_over(customer, intent, now, *rulebook.current, shard_.scratch->effects);
    failpoint("grant.after");
    return verdict;
}

Effects CustomerActor::take_effects() const {
    auto& [customer, effects, refusals, commits] = *shard_.scratch;
    Effects kept; // Of the size that it needs: it may wait for a minute, with a million others.
    kept.reserve(static_cast<std::size_t>(std::ranges::count_if(
        effects, [](const journeys::Effect& effect) { return !is_newest_line(effect); })));
    for (auto& effect : effects) {
        if (!is_newest_line(effect))
            kept.push_back(std::move(effect));
        else if (auto& line = std::get<journeys::TimelineEntry>(effect);
                 line.kind == journeys::EntryKind::no_entry)
            count(line, refusals);
    }
    if (effects.capacity() > effects_kept_max) effects = {};
    effects.clear();
    return kept;
}

bool CustomerActor::apply(Batch& batch, const Rulebook& rulebook, Customer& customer,
                          Commit& commit) {
    Effects& effects = shard_.scratch->effects;
    auto& records = batch.records;
    for (std::size_t i = 0; i < records.size(); ++i) {
        const journeys::Record& record = *records[i];
        if (record.offset > customer.applied && must_ask_the_log(customer, record)) {
            ask_the_log(batch, i, customer);
            records.erase(records.begin(), records.begin() + static_cast<std::ptrdiff_t>(i));
            return false;
        }
        if (const auto* unreadable = std::get_if<journeys::Unreadable>(&record.body);
            unreadable && record.offset > customer.applied)
            throw std::runtime_error(unreadable->why);
        if (!replaying_ && shard_.ports.poison.records.contains({shard_.partition, record.offset}))
            throw std::runtime_error("the process has ended at this record again and again");
        if (shard_.ports.mark) shard_.ports.mark->applying(shard_.partition, record.offset, id_);
        if (failpoint("apply.before")) throw std::runtime_error("failpoint apply.before");
        if (record.offset > customer.applied) catch_up(rulebook, customer, effects);
        if (lookup_ && std::ranges::find(lookup_->seen, record.offset) != lookup_->seen.end()) {
            fire(record.accepted_at - tick_of_time, rulebook, customer, effects);
            customer.applied = record.offset;
            customer.accepted_at = record.accepted_at;
            ++customer.revision;
            ++commit.counts.duplicate;
        } else {
            count(shard_.rules.apply(customer, record, *rulebook.current, effects), commit.counts);
        }
        failpoint("apply.after");
        ++commit.records;
        commit.through = record.offset;
    }
    if (batch.closed != journeys::timestamp_min) {
        commit.closed = batch.closed;
        fire(batch.closed, rulebook, customer, effects);
    }
    return true;
}

bool CustomerActor::must_ask_the_log(const Customer& customer,
                                     const journeys::Record& record) const {
    const journeys::Event* event = record.event();
    // One that was passed on may have stood in this log before, and was passed on from here.
    if (record.forwarded_from != 0) return false;
    if (!event || !shard_.rules.may_be_older_duplicate(customer, *event)) return false;
    return !lookup_ ||
           std::ranges::find(lookup_->answered, record.offset) == lookup_->answered.end();
}

void CustomerActor::ask_the_log(const Batch& batch, std::size_t from, const Customer& customer) {
    if (!lookup_) lookup_ = std::make_unique<Lookup>();
    lookup_->waits = true;
    lookup_->asked.clear();
    for (std::size_t i = from; i < batch.records.size(); ++i)
        if (must_ask_the_log(customer, *batch.records[i]))
            lookup_->asked.emplace_back(batch.records[i]->offset,
                                        batch.records[i]->event()->message_hash);
    send_lookup();
}

void CustomerActor::send_lookup() {
    std::vector<std::uint64_t> hashes;
    for (const auto& [offset, hash] : lookup_->asked) hashes.push_back(hash);
    shard_.ports.log->find_duplicates(shard_.partition, id_, std::move(hashes), 0, this);
}

void CustomerActor::seen_before(const SeenBefore& answer) {
    if (!lookup_ || !lookup_->waits) return;
    if (answer.tag == look_again) return send_lookup();
    if (answer.failed) {
        const auto& limits = shard_.partition_settings;
        lookup_->retry = std::clamp(lookup_->retry * 2, limits.retry_min, limits.retry_max);
        return delayed_send(this, lookup_->retry, SeenBefore{.tag = look_again});
    }
    lookup_->retry = {};
    for (const auto& [offset, hash] : lookup_->asked) {
        lookup_->answered.push_back(offset);
        const auto found = std::ranges::find(answer.hashes, hash);
        if (found == answer.hashes.end()) continue;
        const auto index = static_cast<std::size_t>(found - answer.hashes.begin());
        // A record that is replayed is in the log itself.
        if (index < answer.offsets.size() && answer.offsets[index] >= offset) continue;
        lookup_->seen.push_back(offset);
    }
    lookup_->waits = false;
    ToCustomer message = std::move(lookup_->message);
    perform(message);
    if (lookup_->waits) return; // Further on in the same batch.
    const auto lookup = std::move(lookup_);
    for (auto& later : lookup->held) take(later);
}

void CustomerActor::fire(Timestamp closed, const Rulebook& rulebook, Customer& customer,
                         Effects& effects) const {
    for (int i = 0; i < firings_max; ++i)
        if (!shard_.rules.fire(customer, closed, *rulebook.current, effects, 64)) return;
    throw std::runtime_error("timers without end");
}

void CustomerActor::catch_up(const Rulebook& rulebook, Customer& customer, Effects& effects) const {
    if (customer.publication == rulebook.current->publication()) return;
    if (customer.revision == 0) return; // Nobody yet: begins with today's.
    const auto& eras = rulebook.earlier;
    const auto newest_met = std::find_if(eras.rbegin(), eras.rend(), [&](const auto& era) {
        return era.catalog->publication() == customer.publication;
    });
    // One that is forgotten is older than all that are known.
    auto era = newest_met == eras.rend() ? eras.begin() : newest_met.base() - 1;
    for (; era != eras.end(); ++era) {
        const Rulebook then{era->catalog, {}};
        // Each is met where it stands in the log, not when its time was over.
        if (era != eras.begin()) fire((era - 1)->until - tick_of_time, then, customer, effects);
        fire(era->until - tick_of_time, then, customer, effects);
    }
    if (!eras.empty()) fire(eras.back().until - tick_of_time, rulebook, customer, effects);
}

void CustomerActor::refuse_poisoned_timer() const {
    if (shard_.ports.poison.timers.contains(id_))
        throw std::runtime_error("the process has ended at this customer's timer again and again");
}

void CustomerActor::park(const ToCustomer& message, Commit& commit) {
    const auto* batch = std::get_if<Batch>(&message.what);
    if (!batch) return;
    for (const auto& record : batch->records) {
        if (parked_ < shard_.partition_settings.parked_max) {
            commit.parked.push_back({id_, record->offset, *quarantined_, record});
            ++parked_;
        }
        commit.through = record->offset;
        ++commit.records;
        ++commit.counts.parked;
    }
}

void CustomerActor::answer_parked(const ToCustomer& message) {
    // Nothing is said about their messages: they wait, and expire.
    if (const auto* ask = std::get_if<AskHandOver>(&message.what))
        caf::anon_send(ask->channel, Moved{ask->intent, id_, quarantine_asked_every});
    if (const auto* standing = std::get_if<AskStanding>(&message.what))
        caf::anon_send(standing->channel, Moved{standing->intent, id_, quarantine_asked_every});
    if (const auto* query = std::get_if<Query>(&message.what))
        caf::anon_send(query->asker, CustomerState{id_, block_, *quarantined_});
}

} // namespace actors
