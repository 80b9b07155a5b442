#include "tests/simulation/process.hpp"

#include "journeys/local_time.hpp"
#include "schema/record_codec.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <set>
#include <utility>

namespace simulation {

using actors::Partition;
using journeys::Error;
using journeys::ErrorCode;
using Kind = actors::ProviderOutcome::Kind;
using namespace std::chrono_literals;

namespace {

constexpr auto one_instant = journeys::Duration{1};
const Error unavailable{ErrorCode::storage_unavailable, "fault"};
const Error fenced{ErrorCode::fenced, "an older epoch"};

bool goes_to_all(const actors::Draft& draft) { return draft.kind == journeys::RecordKind::publish; }

} // namespace

Process::Process(World& world, History& history, const actors::SystemSettings& settings)
    : world_(world), history_(history), owned_(settings.partitions), states_(settings.partitions) {
    number_ = ++world.processes;
    for (const auto& channel : settings.channels) {
        ports_.channels[channel.name] = this;
        if (channel.deduplicates) deduplicating_.insert(channel.name);
    }
    ports_.log = this;
    ports_.store = this;
    ports_.catalogs = this;
    ports_.walks = this;
    ports_.pacer = this;
    ports_.observer = this;
    ports_.encode = [](const Record&) { return std::string{}; };
    system_ = std::make_unique<actors::System>(ports_, settings);
    system_->start();
}

void Process::kill() {
    if (is_dead_) return;
    is_dead_ = true;
    const History::Running running{history_, this};
    actors::let_go_of_logger();
    for (auto& owned : owned_) owned.reader = nullptr;
    std::erase_if(world_.later, [&](const Pending& pending) {
        return pending.owner == this && !pending.is_outside;
    });
    // Their actors end with the system, whoever outlives it.
    for (const auto& held : held_)
        if (const auto one = held.lock()) *one = nullptr;
    for (const auto& held : held_dones_)
        if (const auto one = held.lock()) *one = nullptr;
    system_.reset();
}

std::shared_ptr<caf::actor> Process::hold(caf::actor asker) {
    auto held = std::make_shared<caf::actor>(std::move(asker));
    std::erase_if(held_, [](const auto& old) { return old.expired(); });
    held_.push_back(held);
    return held;
}

std::shared_ptr<Process::Done> Process::hold(Done done) {
    auto held = std::make_shared<Done>(std::move(done));
    std::erase_if(held_dones_, [](const auto& old) { return old.expired(); });
    held_dones_.push_back(held);
    return held;
}

bool Process::is_live() const {
    return !was_fenced_ &&
           std::ranges::all_of(states_, [](const std::string& state) { return state == "live"; });
}

caf::scheduler::test_coordinator& Process::scheduler() const {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_->shard(0).scheduler());
}

void Process::run(std::size_t index) {
    const History::Running running{history_, this};
    auto& jobs = scheduler().jobs;
    std::swap(jobs[0], jobs[index]);
    scheduler().run_once();
}

void Process::tick() {
    if (!is_alive() || is_frozen) return;
    for (Partition partition = 0; partition < owned_.size(); ++partition) {
        auto& owned = owned_[partition];
        if (!owned.reader) continue;
        deliver(partition);
        owned.accepted_at = std::max(owned.accepted_at, world_.clock);
        // Nobody is told more than was asked for.
        const Timestamp closed = owned.accepted_at - one_instant;
        if (owned.wanted <= closed)
            caf::anon_send(owned.reader, actors::LogClosed{partition, closed});
    }
    if (!world_.disk.moving.empty()) in_database([this] { move_one(); });
    const History::Running running{history_, this};
    scheduler().advance_time(caf::timespan{20ms});
}

// The log
// --------------------------------------------------------------------------------------------

/// Where one partition is not ours nothing is appended.
std::optional<Error> Process::append_refusal() const {
    const auto check = [&](Partition partition) -> std::optional<Error> {
        const auto& owned = owned_[partition];
        if (owned.epoch == 0) return unavailable;
        if (owned.epoch == world_.disk.partitions[partition].epoch ||
            world_.mutant == Mutant::append_without_epoch)
            return std::nullopt;
        return fenced;
    };
    for (Partition partition = 0; partition < owned_.size(); ++partition)
        if (auto refusal = check(partition)) return refusal;
    return std::nullopt;
}

void Process::write(const std::vector<actors::Draft>& drafts) {
    const auto write_to = [&](Partition partition, const actors::Draft& draft) {
        auto& owned = owned_[partition];
        auto& stored = world_.disk.partitions[partition];
        auto record = std::make_shared<Record>(*draft.record);
        record->offset = ++owned.last;
        owned.accepted_at = record->accepted_at = std::max(owned.accepted_at, world_.clock);
        schema::cap_time(*record);
        stored.accepted_at = std::max(stored.accepted_at, record->accepted_at);
        world_.trace(record->offset * 31 + draft.message_hash);
        world_.tell([&] {
            return "record " + std::to_string(partition) + '/' + std::to_string(record->offset) +
                   " of " + journeys::to_text(record->customer) + ", kind " +
                   std::to_string(static_cast<int>(record->kind())) + ", at " +
                   journeys::to_text(record->accepted_at);
        });
        stored.log.push_back(record);
        owned.delivered.push_back(std::move(record));
    };
    for (const auto& draft : drafts) {
        if (!goes_to_all(draft)) {
            write_to(world_.partition_of(draft.customer), draft);
            continue;
        }
        for (Partition partition = 0; partition < owned_.size(); ++partition)
            write_to(partition, draft);
    }
}

void Process::append(std::vector<actors::Draft> drafts,
                     std::function<void(journeys::Result<void>)> done) {
    append(
        std::move(drafts), [] {}, std::move(done));
}

void Process::append_copies(std::vector<actors::Draft> drafts, actors::WalkProgress progress,
                            std::function<void(journeys::Result<void>)> done) {
    if (world_.mutant == Mutant::walk_outside_transaction)
        return append(
            std::move(drafts), [] {},
            [this, progress = std::move(progress), done = std::move(done)](const auto& result) {
                if (result) move_walk(progress);
                done(result);
            });
    append(
        std::move(drafts), [this, progress = std::move(progress)] { move_walk(progress); },
        std::move(done));
}

/// `with` is done in the same transaction.
void Process::append(std::vector<actors::Draft> drafts, std::function<void()> with, Done done) {
    if (world_.mutant == Mutant::ack_before_commit)
        later([done = std::exchange(done, [](const journeys::Result<void>&) {})] { done({}); });
    in_database(
        [this, drafts = std::move(drafts), with = std::move(with), done = hold(std::move(done))] {
            journeys::Result<void> result;
            if (auto refusal = append_refusal())
                result = *refusal;
            else if (world_.is_down() || world_.happens(world_.faults.append_fails))
                result = unavailable;
            else {
                write(drafts);
                with();
            }
            if (!is_alive()) return;
            was_fenced_ = was_fenced_ || (!result && result.error().code == ErrorCode::fenced);
            later([this, result, done] {
                (*done)(result);
                for (Partition partition = 0; partition < owned_.size(); ++partition)
                    deliver(partition);
            });
        });
}

void Process::deliver(Partition partition) {
    auto& owned = owned_[partition];
    if (!owned.reader) return;
    actors::LogBatch batch{
        .partition = partition, .records = {}, .closed = journeys::timestamp_min};
    for (; !owned.delivered.empty(); owned.delivered.pop_front()) {
        if (owned.delivered.front()->offset <= owned.position) continue;
        owned.position = owned.delivered.front()->offset;
        batch.records.push_back(std::move(owned.delivered.front()));
    }
    if (batch.records.empty()) return;
    batch.closed = batch.records.back()->accepted_at - one_instant;
    caf::anon_send(owned.reader, std::move(batch));
}

void Process::subscribe(Partition partition, std::uint64_t position, caf::actor reader) {
    later([this, partition, position, reader = std::move(reader)] {
        auto& owned = owned_[partition];
        std::vector<RecordPtr> stored;
        for (const auto& record : world_.disk.partitions[partition].log)
            if (record->offset > position && record->offset <= owned.last) stored.push_back(record);
        std::ranges::stable_sort(stored, {}, &Record::offset);
        for (std::size_t first = 0; first < stored.size();) {
            const auto last =
                std::min(stored.size(), first + static_cast<std::size_t>(world_.between(1, 9)));
            actors::LogBatch batch{.partition = partition,
                                   .records = {stored.begin() + static_cast<long>(first),
                                               stored.begin() + static_cast<long>(last)},
                                   .closed = stored[last - 1]->accepted_at - one_instant,
                                   .live = false};
            caf::anon_send(reader, std::move(batch));
            first = last;
        }
        owned.position = std::max(position, owned.last);
        owned.reader = reader;
        owned.wanted = journeys::timestamp_min;
    });
}

void Process::find_duplicates(Partition partition, const CustomerId& customer,
                              std::vector<std::uint64_t> hashes, std::uint64_t tag,
                              caf::actor asker) {
    in_database([this, partition, customer, hashes = std::move(hashes), tag,
                 asker = hold(std::move(asker))] {
        if (!is_alive()) return;
        actors::SeenBefore seen{.tag = tag, .hashes = {}, .offsets = {}};
        seen.failed = world_.is_down();
        for (const auto hash : hashes)
            for (const auto& record : world_.disk.partitions[partition].log)
                if (record->customer == customer && record->event() &&
                    record->event()->message_hash == hash) {
                    seen.hashes.push_back(hash);
                    seen.offsets.push_back(record->offset);
                    break;
                }
        caf::anon_send(*asker, std::move(seen));
    });
}

std::uint64_t Process::last_offset(Partition partition) const { return owned_[partition].last; }

void Process::move_one() {
    auto& moving = world_.disk.moving;
    if (moving.empty() || world_.is_down()) return;
    std::vector<actors::Draft> drafts(1);
    drafts[0].customer = moving.front().record.customer;
    drafts[0].kind = schema::kind_of(moving.front().record);
    drafts[0].record = std::make_shared<Record>(moving.front().record);
    if (append_refusal()) return;
    write(drafts);
    moving.pop_front();
    ++world_.disk.moved;
    if (is_alive())
        later([this, partition = world_.partition_of(drafts[0].customer)] { deliver(partition); });
}

// The walks
// --------------------------------------------------------------------------------------------

void Process::open_walks(caf::actor asker) {
    in_database([this, asker = hold(std::move(asker))] {
        if (!is_alive()) return;
        actors::OpenWalks open{{}, world_.is_down()};
        for (const auto& [id, stored] : world_.disk.walks)
            if (!stored.is_over) open.walks.push_back(stored.walk);
        for (auto& walk : open.walks) walk.is_held = is_held(walk);
        caf::anon_send(*asker, std::move(open));
    });
}

void Process::next_page(actors::Walk walk, std::size_t limit, caf::actor asker) {
    in_database([this, walk = std::move(walk), limit, asker = hold(std::move(asker))] {
        if (!is_alive()) return;
        std::map<std::string, CustomerId> concerned;
        for (const auto& partition : world_.disk.partitions)
            for (const auto& [id, row] : partition.customers)
                if (row.block && !journeys::unpack(*row.block).value().forward_to)
                    concerned.emplace(journeys::to_text(id), id);
        auto& stored = world_.disk.walks.at(walk.id);
        if (stored.owed.empty() && walk.after.empty())
            for (const auto& [text, id] : concerned) stored.owed.insert(id);
        actors::WalkPage page{walk.id, {}, walk.after, true, world_.is_down()};
        for (auto at = concerned.upper_bound(walk.after); at != concerned.end(); ++at) {
            if (page.customers.size() == limit) {
                page.is_last = false;
                break;
            }
            page.customers.push_back(at->second);
            page.through = at->first;
        }
        caf::anon_send(*asker, std::move(page));
    });
}

void Process::move_walk(const actors::WalkProgress& progress) {
    auto& stored = world_.disk.walks.at(progress.walk);
    if (stored.is_over || stored.walk.after != progress.before) return;
    stored.walk.after = progress.after;
    stored.walk.left -= progress.copies;
    stored.is_over = progress.is_over;
}

void Process::finish(actors::WalkProgress progress) {
    in_database([this, progress = std::move(progress)] {
        if (!world_.is_down()) move_walk(progress);
    });
}

// The store
// --------------------------------------------------------------------------------------------

void Process::take_over(Partition index, caf::actor asker) {
    in_database([this, index, asker = hold(std::move(asker))] {
        if (!is_alive()) return;
        if (world_.is_down()) {
            caf::anon_send(*asker, actors::TakeOverFailed{index, unavailable});
            return;
        }
        auto& partition = world_.disk.partitions[index];
        ++partition.epoch;
        auto& owned = owned_[index];
        owned.epoch = partition.epoch;
        owned.last = 0;
        for (const auto& record : partition.log) owned.last = std::max(owned.last, record->offset);
        owned.accepted_at = std::max(partition.accepted_at, partition.closed + one_instant);
        world_.tell([&] {
            return "process " + name() + " takes " + std::to_string(index) + " over, at " +
                   std::to_string(partition.watermark) + " under " +
                   std::to_string(partition.publication);
        });
        caf::anon_send(*asker, actors::TakenOver{.partition = index,
                                                 .epoch = partition.epoch,
                                                 .watermark = partition.watermark,
                                                 .last_offset = owned.last,
                                                 .flush_sequence = partition.sequence,
                                                 .publication = partition.publication,
                                                 .eras = partition.eras,
                                                 .swept = partition.swept});
    });
}

void Process::load(Partition index, std::vector<CustomerId> customers, caf::actor asker) {
    in_database([this, index, customers = std::move(customers), asker = hold(std::move(asker))] {
        if (!is_alive()) return;
        actors::Loaded loaded{.partition = index, .entries = {}};
        loaded.failed = world_.is_down() || world_.happens(world_.faults.load_fails);
        for (const auto& customer : customers) {
            const auto& rows = world_.disk.partitions[index].customers;
            const auto row = rows.find(customer);
            if (row == rows.end())
                loaded.entries.push_back({customer, nullptr, {}, 0});
            else
                loaded.entries.push_back({customer, row->second.block, row->second.quarantined, 0});
        }
        caf::anon_send(*asker, std::move(loaded));
    });
}

void Process::load_parked(Partition index, CustomerId customer, caf::actor asker) {
    in_database([this, index, customer = std::move(customer), asker = hold(std::move(asker))] {
        if (!is_alive()) return;
        const auto& partition = world_.disk.partitions[index];
        actors::LoadedParked loaded{.customer = customer, .records = {}};
        loaded.failed = world_.is_down() || world_.happens(world_.faults.load_fails);
        if (const auto row = partition.customers.find(customer); row != partition.customers.end())
            loaded.block = row->second.block;
        for (const auto& parked : partition.parked)
            if (parked.customer == customer && parked.record)
                loaded.records.push_back(parked.record);
        std::ranges::sort(loaded.records, {}, &Record::offset);
        caf::anon_send(*asker, std::move(loaded));
    });
}

void Process::flush(std::shared_ptr<const actors::FlushRequest> request, caf::actor asker) {
    in_database([this, request = std::move(request), asker = hold(std::move(asker))] {
        auto& partition = world_.disk.partitions[request->partition];
        journeys::Result<void> result;
        if (request->epoch != partition.epoch && world_.mutant != Mutant::flush_without_epoch) {
            result = fenced;
        } else if (world_.is_down() || world_.happens(world_.faults.flush_lost)) {
            result = unavailable;
        } else {
            if (request->sequence != partition.sequence) commit(*request, partition);
            if (world_.happens(world_.faults.flush_reply_lost)) result = unavailable;
        }
        if (!is_alive()) return;
        later([request, asker, result] {
            caf::anon_send(*asker, actors::Flushed{request->partition, request->sequence, result});
        });
    });
}

void Process::commit(const actors::FlushRequest& request, Disk::Partition& partition) {
    ++truth_.flushes;
    world_.tell([&] {
        std::string line = "process " + name() + " flushes " + std::to_string(request.partition) +
                           '/' + std::to_string(request.sequence) + ", position " +
                           std::to_string(request.watermark) + " under " +
                           std::to_string(request.publication) + ", swept " +
                           std::to_string(request.swept) + ':';
        for (const auto& write : request.customers)
            line += ' ' + journeys::to_text(write.customer) + " r" +
                    std::to_string(write.revision) + " a" + std::to_string(write.applied);
        return line;
    });
    world_.trace(request.sequence * 7919 + request.watermark);
    partition.sequence = request.sequence;
    partition.watermark = std::max(partition.watermark, world_.mutant == Mutant::position_too_early
                                                            ? owned_[request.partition].position
                                                            : request.watermark);
    partition.closed = std::max(partition.closed, request.closed);
    partition.eras = request.eras;
    partition.swept = request.swept;
    if (request.publication != 0) partition.publication = request.publication;
    for (const auto& released : request.released) {
        std::erase_if(partition.parked, [&](const actors::ParkedRecord& parked) {
            return parked.customer == released.customer && parked.offset <= released.through;
        });
        partition.customers[released.customer].quarantined.clear();
    }
    for (const auto& write : request.customers) {
        auto& row = partition.customers[write.customer];
        const bool replaces = world_.mutant == Mutant::snapshot_guarded_by_applied
                                  ? !row.block || write.applied > row.applied
                                  : write.revision > row.revision;
        if (replaces) {
            // As PostgreSQL's index wants it: too early is allowed, until that time has passed.
            const bool may_stay =
                row.wake_at > world_.clock && row.wake_at != journeys::when_published;
            row = {write.block, write.revision, write.applied,
                   may_stay ? std::min(row.wake_at, write.wake_at) : write.wake_at,
                   row.quarantined};
        }
        history_.committed(this, write.customer, write.revision);
        auto& history = world_.disk.history[write.customer];
        for (const auto& effect : write.effects) {
            history.push_back(effect);
            if (std::holds_alternative<journeys::IntentOpened>(effect))
                ++truth_.opened[std::get<journeys::IntentOpened>(effect).id];
        }
        const auto write_effects = [this, write, epoch = request.epoch] {
            for (const auto& effect : write.effects) perform(effect, write.customer, epoch);
        };
        if (world_.mutant == Mutant::outbox_outside_transaction)
            later(write_effects);
        else
            write_effects();
    }
    for (const auto& note : request.attempts)
        if (const auto row = world_.disk.outbox.find(note.intent);
            row != world_.disk.outbox.end() && row->second.state == IntentState::claimed) {
            row->second.attempts = note.attempts;
            row->second.failed = note.failed;
        }
    for (const auto& parked : request.parked) {
        const bool is_known = std::ranges::any_of(partition.parked, [&](const auto& other) {
            return parked.offset > 0 && other.offset == parked.offset;
        });
        if (!is_known) partition.parked.push_back(parked);
        auto& row = partition.customers[parked.customer];
        row.quarantined = parked.reason;
        row.wake_at = journeys::no_time;
        ++world_.parked;
    }
}

void Process::perform(const journeys::Effect& effect, const CustomerId& customer,
                      std::uint64_t epoch) {
    auto& disk = world_.disk;
    const auto move = [&](Record record) {
        disk.moving.push_back({std::move(record)});
        in_database([this] { move_one(); });
    };
    if (const auto* opened = std::get_if<journeys::IntentOpened>(&effect)) {
        auto& row = disk.outbox[opened->id];
        row.intent = *opened;
        row.customer = customer;
        row.state = IntentState::pending;
    } else if (const auto* granted = std::get_if<journeys::IntentGranted>(&effect)) {
        const auto at = disk.outbox.find(granted->id);
        if (at == disk.outbox.end()) return;
        auto& row = at->second;
        row.state = IntentState::claimed;
        row.address = granted->address;
        row.payload = granted->payload;
        row.epoch = epoch;
        row.attempts = 0;
        row.failed = false;
    } else if (const auto* recalled = std::get_if<journeys::IntentRecalled>(&effect)) {
        const auto at = disk.outbox.find(recalled->id);
        if (at == disk.outbox.end()) return; // Of a run that was put off, and had none.
        auto& row = at->second;
        if (row.state == IntentState::pending) row.state = IntentState::recalled;
    } else if (const auto* settled = std::get_if<journeys::IntentSettled>(&effect)) {
        const auto at = disk.outbox.find(settled->id);
        if (at == disk.outbox.end()) return;
        auto& row = at->second;
        const bool is_open = row.state == IntentState::pending || row.state == IntentState::claimed;
        const bool is_better =
            settled->state == IntentState::accepted || settled->state == IntentState::rejected;
        if (row.state != IntentState::accepted && (is_open || is_better))
            row.state = settled->state;
    } else if (const auto* transfer = std::get_if<journeys::TransferOut>(&effect)) {
        Record record;
        record.customer = transfer->to;
        record.body = transfer->transfer;
        move(std::move(record));
    } else if (const auto* forward = std::get_if<journeys::ForwardOut>(&effect)) {
        Record record = forward->record;
        record.customer = forward->to;
        record.forwarded_from = forward->id;
        move(std::move(record));
    }
}

void Process::find_due(Partition index, Timestamp before, std::size_t limit, caf::actor asker) {
    in_database([this, index, before, limit, asker = hold(std::move(asker))] {
        if (!is_alive()) return;
        std::vector<actors::Due::Entry> entries;
        for (const auto& [customer, row] : world_.disk.partitions[index].customers)
            if (row.wake_at <= before) entries.push_back({customer, row.wake_at});
        std::ranges::stable_sort(entries, {}, &actors::Due::Entry::wake_at);
        actors::Due due{.partition = index, .entries = {}};
        due.failed = world_.is_down();
        if (entries.size() > limit) {
            due.next = entries[limit].wake_at;
            entries.resize(limit);
        }
        due.entries = std::move(entries);
        caf::anon_send(*asker, std::move(due));
    });
}

void Process::find_waiting(Partition index, actors::WaitingCursor cursor, std::size_t limit,
                           std::uint64_t tag, caf::actor asker) {
    in_database(
        [this, index, cursor = std::move(cursor), limit, tag, asker = hold(std::move(asker))] {
            if (!is_alive()) return;
            actors::Waiting waiting{.partition = index, .tag = tag, .entries = {}};
            waiting.failed = world_.is_down();
            for (const auto& [customer, row] : world_.disk.partitions[index].customers)
                if (row.wake_at != journeys::no_time)
                    waiting.entries.push_back({row.wake_at, customer});
            std::ranges::sort(waiting.entries);
            std::erase_if(waiting.entries, [&](const auto& entry) { return entry <= cursor; });
            if (waiting.entries.size() > limit) waiting.entries.resize(limit);
            caf::anon_send(*asker, std::move(waiting));
        });
}

void Process::open_intents(Partition index, caf::actor asker) {
    in_database([this, index, asker = hold(std::move(asker))] {
        if (!is_alive()) return;
        actors::OpenIntents open{.partition = index, .rows = {}};
        open.failed = world_.is_down();
        for (const auto& [id, row] : world_.disk.outbox)
            if (world_.partition_of(row.customer) == index && row.state == IntentState::claimed)
                open.rows.push_back(row);
        caf::anon_send(*asker, std::move(open));
    });
}

void Process::pending_intents(Partition index, std::string channel, std::size_t limit,
                              caf::actor asker) {
    in_database([this, index, channel = std::move(channel), limit, asker = hold(std::move(asker))] {
        if (!is_alive()) return;
        actors::PendingIntents pending{.partition = index, .channel = channel, .rows = {}};
        pending.failed = world_.is_down();
        for (const auto& [id, row] : world_.disk.outbox)
            if (world_.partition_of(row.customer) == index && row.intent.channel == channel &&
                row.state == IntentState::pending)
                pending.rows.push_back(row);
        std::ranges::stable_sort(pending.rows, {}, [](const auto& row) { return row.intent.at; });
        pending.is_more = pending.rows.size() >= limit;
        if (pending.is_more) pending.rows.resize(limit);
        caf::anon_send(*asker, std::move(pending));
    });
}

// The rest of the world
// ------------------------------------------------------------------------------

journeys::CatalogPtr Process::find(std::uint64_t publication) {
    const auto at = world_.disk.publications.find(publication);
    return at == world_.disk.publications.end() ? nullptr : at->second;
}

void Process::call(actors::ProviderRequest request, caf::actor asker) {
    if (is_dead_) return;
    const auto word = history_.last_word(this, request.intent);
    if (!word)
        world_.violate("I4: a request was written without asking the customer");
    else if (!*word)
        world_.violate("I4: a request was written although the grant no longer stood");
    world_.put_off(
        {this, true, {}, [this, request = std::move(request), asker = hold(std::move(asker))] {
             const auto outcome = outcome_of(request);
             world_.tell([&] {
                 return "process " + name() + ": the provider answers " +
                        journeys::to_text(request.intent) + ": " + outcome.detail;
             });
             world_.trace(request.intent.low + static_cast<std::uint64_t>(outcome.kind));
             if (!is_alive()) return;
             const bool hangs = world_.happens(world_.faults.provider_hangs);
             const auto answer_at = hangs
                                        ? world_.clock + std::chrono::seconds{world_.between(5, 90)}
                                        : journeys::timestamp_min;
             world_.put_off(
                 {this, false, answer_at, [request, outcome, asker] {
                      caf::anon_send(*asker, actors::ProviderAnswered{request.intent, outcome});
                  }});
         }});
}

actors::ProviderOutcome Process::outcome_of(const actors::ProviderRequest& request) {
    const auto& faults = world_.faults;
    auto& delivery = world_.provider[request.intent];
    const bool deduplicates = deduplicating_.contains(request.channel);
    const auto row = world_.disk.outbox.find(request.intent);
    const bool at_most_once = row == world_.disk.outbox.end() ||
                              row->second.intent.delivery == journeys::Delivery::at_most_once;
    ++delivery.calls;
    delivery.payloads.insert(request.payload);
    if (delivery.accepted > 0 && at_most_once && !deduplicates)
        world_.violate("I4: a message without a key went out twice");
    const auto accept = [&] {
        if (delivery.accepted == 0 || !deduplicates) ++delivery.accepted;
    };
    if (world_.happens(faults.provider_retries))
        return {Kind::retry, std::chrono::seconds{world_.between(0, 40)}, "429"};
    // It is the bytes that are wrong, and they are the same whoever sends them again.
    delivery.is_refused |= world_.happens(faults.provider_refuses) && delivery.accepted == 0;
    if (delivery.is_refused) return {Kind::rejected, 0ms, "400"};
    if (world_.happens(faults.provider_times_out)) {
        if (world_.happens(0.5)) accept();
        return {Kind::unknown, 0ms, "timed out"};
    }
    accept();
    return {Kind::accepted, 0ms, "202"};
}

void Process::flushed(const actors::FlushRequest& request, journeys::Duration) {
    if (is_dead_) return;
    ++heard_.flushes;
    for (const auto& write : request.customers)
        for (const auto& effect : write.effects)
            if (std::holds_alternative<journeys::IntentOpened>(effect))
                ++heard_.opened[std::get<journeys::IntentOpened>(effect).id];
}

void Process::partition_state(Partition partition, std::string_view state, std::string_view) {
    states_.at(partition) = state;
}

} // namespace simulation
