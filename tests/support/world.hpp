/// A world for actors to live in, in memory: a log, a store with atomic commits, a provider, and a
/// clock. What they answer is put off, so that a test chooses the order; a crash forgets all but
/// the commits.
#pragma once

#include "actors/messages.hpp"
#include "actors/ports.hpp"
#include "actors/shard.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace support {

using journeys::CustomerId;
using journeys::IntentId;
using journeys::IntentState;
using journeys::Record;
using journeys::RecordPtr;
using journeys::Timestamp;

/// What outlives a crash.
struct Disk {
    struct Row {
        actors::Block block;
        std::uint64_t revision = 0, applied = 0;
        Timestamp wake_at = journeys::no_time;
        std::string quarantined;
    };
    struct Partition {
        std::vector<RecordPtr> log; ///< Offset n stands at n - 1.
        Timestamp accepted_at = journeys::timestamp_min;
        std::uint64_t epoch = 0, sequence = 0, watermark = 0, publication = 0, dropped_to = 0;
        std::map<CustomerId, Row> customers;
        std::vector<actors::ParkedRecord> parked;
    };
    std::vector<Partition> partitions;
    std::map<IntentId, actors::OutboxRow> outbox;
    std::map<IntentId, int> opened_in_rows; ///< How often an outbox row was written as new.
    std::uint64_t granted_at_once = 0;      ///< Rows that were new and claimed in one flush.
    std::map<std::uint64_t, journeys::CatalogPtr> publications;
    std::uint64_t rows_written = 0, flushes = 0;
    std::vector<CustomerId> to_release; ///< By an operator, while nobody served.
};

/// What a provider saw; outlives crashes of ours.
struct Provider {
    std::map<IntentId, int> calls, accepted;
    std::map<IntentId, std::set<std::string>> payloads;
    std::set<std::string> silent;      ///< Channels whose provider never answers.
    std::set<IntentId> after_accepted; ///< Called again although it had been accepted.
    std::function<actors::ProviderOutcome(const actors::ProviderRequest&)> answer =
        [](const actors::ProviderRequest&) {
            return actors::ProviderOutcome{actors::ProviderOutcome::Kind::accepted, {}, "202"};
        };
};

/// The adapters of one process: they stop with it.
class World : public actors::EventLog,
              public actors::Store,
              public actors::CatalogSource,
              public actors::Pacer,
              public actors::Channel {
public:
    World(Disk& disk_, Provider& provider_, Timestamp& clock)
        : disk(disk_), provider(provider_), clock_(clock) {}

    Disk& disk;
    Provider& provider;
    std::vector<std::function<void()>> later;                 ///< Answers that are under way.
    bool is_dead = false;                                     ///< The process has crashed.
    std::mt19937_64* faults = nullptr;                        ///< Null: nothing fails.
    std::function<bool(const actors::FlushRequest&)> refuses; ///< Flushes, for what they hold.
    journeys::Duration flush_takes{}; ///< Until it is committed and answered; of `close`'s clock.
    double flush_lost = 0, flush_reply_lost = 0, load_fails = 0, append_fails = 0;

    bool happens(double probability) {
        return faults && std::uniform_real_distribution{0.0, 1.0}(*faults) < probability;
    }
    void answer(std::function<void()> what) {
        later.push_back([this, what = std::move(what)] {
            if (!is_dead) what();
        });
    }

    // The log.
    void append(std::vector<actors::Draft> drafts,
                std::function<void(journeys::Result<void>)> done) override {
        if (is_dead) return;
        if (happens(append_fails)) {
            answer([done] {
                done(journeys::Error{journeys::ErrorCode::storage_unavailable, "fault"});
            });
            return;
        }
        answer([this, drafts = std::move(drafts), done = std::move(done)] {
            for (const auto& draft : drafts) write(*draft.record);
            done({});
            publish_log();
        });
    }
    const Record& write(Record record) {
        const auto count = static_cast<actors::Partition>(disk.partitions.size());
        const bool is_for_all = record.customer.value.empty();
        const Record* last = nullptr;
        for (actors::Partition i = 0; i < count; ++i) {
            if (!is_for_all && actors::partition_of(record.customer, count) != i) continue;
            auto& partition = disk.partitions[i];
            auto copy = std::make_shared<Record>(record);
            copy->offset = partition.log.size() + 1;
            partition.accepted_at = copy->accepted_at = std::max(partition.accepted_at, clock_);
            partition.log.push_back(copy);
            last = copy.get();
        }
        return *last;
    }
    void publish_log() {
        for (auto& [partition, reader] : readers_) {
            actors::LogBatch batch{
                .partition = partition, .records = {}, .closed = journeys::timestamp_min};
            const auto& log = disk.partitions[partition].log;
            while (reader.position < log.size()) batch.records.push_back(log[reader.position++]);
            if (!batch.records.empty()) caf::anon_send(reader.actor, std::move(batch));
        }
    }
    /// Everything accepted before the clock's present instant is in the log.
    void close() {
        std::erase_if(slow_, [this](Slow& slow) {
            if (slow.due > clock_) return false;
            answer(std::move(slow.what));
            return true;
        });
        publish_log();
        for (auto& [partition, reader] : readers_) {
            auto& accepted_at = disk.partitions[partition].accepted_at;
            accepted_at = std::max(accepted_at, clock_ + journeys::Duration{1});
            if (reader.wanted > clock_) continue; // Nobody is told more than was asked for.
            caf::anon_send(reader.actor, actors::LogClosed{partition, clock_});
        }
    }
    void subscribe(actors::Partition partition, std::uint64_t position,
                   caf::actor reader) override {
        answer([this, partition, position, reader = std::move(reader)] {
            readers_[partition] = {.position = position, .actor = reader};
            const auto& log = disk.partitions[partition].log;
            // The stored tail comes in pieces.
            while (readers_[partition].position < log.size()) {
                actors::LogBatch batch{.partition = partition,
                                       .records = {},
                                       .closed = journeys::timestamp_min,
                                       .live = false};
                for (int i = 0; i < 7 && readers_[partition].position < log.size(); ++i)
                    batch.records.push_back(log[readers_[partition].position++]);
                caf::anon_send(reader, std::move(batch));
            }
        });
    }
    void want_closed(actors::Partition partition, Timestamp at) override {
        readers_[partition].wanted = at;
    }
    void find_duplicates(actors::Partition partition, const CustomerId& customer,
                         std::vector<std::uint64_t> hashes, std::uint64_t tag,
                         caf::actor asker) override {
        ++lookups;
        answer(
            [this, partition, customer, hashes = std::move(hashes), tag, asker = std::move(asker)] {
                actors::SeenBefore seen{.tag = tag, .hashes = {}, .offsets = {}};
                for (const auto hash : hashes)
                    for (const auto& record : disk.partitions[partition].log)
                        if (record->customer == customer && record->event() &&
                            record->event()->message_hash == hash) {
                            seen.hashes.push_back(hash);
                            seen.offsets.push_back(record->offset);
                            break;
                        }
                caf::anon_send(asker, std::move(seen));
            });
    }
    void advance_watermark(actors::Partition partition, std::uint64_t watermark) override {
        if (!is_dead) disk.partitions[partition].dropped_to = watermark;
    }
    std::uint64_t last_offset(actors::Partition partition) const override {
        return disk.partitions[partition].log.size();
    }

    // The store.
    void take_over(actors::Partition index, caf::actor asker) override {
        answer([this, index, asker = std::move(asker)] {
            auto& partition = disk.partitions[index];
            ++partition.epoch;
            actors::TakenOver taken{.partition = index,
                                    .epoch = partition.epoch,
                                    .watermark = partition.watermark,
                                    .last_offset = partition.log.size(),
                                    .flush_sequence = partition.sequence,
                                    .publication = partition.publication};
            const auto count = static_cast<actors::Partition>(disk.partitions.size());
            for (const auto& customer : disk.to_release)
                if (actors::partition_of(customer, count) == index)
                    taken.to_release.push_back(customer);
            caf::anon_send(asker, std::move(taken));
        });
    }
    void load(actors::Partition index, std::vector<CustomerId> customers,
              caf::actor asker) override {
        ++loads;
        answer([this, index, customers = std::move(customers), asker = std::move(asker)] {
            actors::Loaded loaded{.partition = index, .entries = {}};
            loaded.failed = happens(load_fails);
            for (const auto& customer : customers) {
                const auto& rows = disk.partitions[index].customers;
                const auto row = rows.find(customer);
                if (row == rows.end())
                    loaded.entries.push_back({customer, nullptr, {}});
                else
                    loaded.entries.push_back(
                        {customer, row->second.block, row->second.quarantined});
            }
            caf::anon_send(asker, std::move(loaded));
        });
    }
    void load_parked(actors::Partition index, CustomerId customer, caf::actor asker) override {
        answer([this, index, customer = std::move(customer), asker = std::move(asker)] {
            const auto& partition = disk.partitions[index];
            actors::LoadedParked loaded{.customer = customer, .records = {}};
            if (const auto row = partition.customers.find(customer);
                row != partition.customers.end())
                loaded.block = row->second.block;
            for (const auto& parked : partition.parked)
                if (parked.customer == customer && parked.record)
                    loaded.records.push_back(parked.record);
            caf::anon_send(asker, std::move(loaded));
        });
    }
    void flush(std::shared_ptr<const actors::FlushRequest> request, caf::actor asker) override {
        auto done = [this, request = std::move(request), asker = std::move(asker)] {
            const auto reply = [&](journeys::Result<void> result) {
                caf::anon_send(asker,
                               actors::Flushed{request->partition, request->sequence, result});
            };
            const journeys::Error unavailable{journeys::ErrorCode::storage_unavailable, "fault"};
            auto& partition = disk.partitions[request->partition];
            if (request->epoch != partition.epoch)
                return reply(journeys::Error{journeys::ErrorCode::fenced, "an older epoch"});
            if (happens(flush_lost)) return reply(unavailable);
            if (refuses && refuses(*request))
                return reply(journeys::Error{journeys::ErrorCode::invalid_state, "refused"});
            if (request->sequence != partition.sequence) commit(*request, partition);
            if (happens(flush_reply_lost)) return reply(unavailable);
            reply({});
        };
        if (flush_takes == journeys::Duration{}) return answer(std::move(done));
        slow_.push_back({clock_ + flush_takes, std::move(done)});
    }
    void find_due(actors::Partition index, Timestamp before, std::size_t limit,
                  caf::actor asker) override {
        answer([this, index, before, limit, asker = std::move(asker)] {
            std::vector<actors::Due::Entry> entries;
            for (const auto& [customer, row] : disk.partitions[index].customers)
                if (row.wake_at <= before) entries.push_back({customer, row.wake_at});
            std::ranges::stable_sort(entries, {}, &actors::Due::Entry::wake_at);
            actors::Due due{.partition = index, .entries = {}};
            if (entries.size() > limit) {
                due.next = entries[limit].wake_at;
                entries.resize(limit);
            }
            due.entries = std::move(entries);
            caf::anon_send(asker, std::move(due));
        });
    }
    void find_waiting(actors::Partition index, actors::WaitingCursor cursor, std::size_t limit,
                      std::uint64_t tag, caf::actor asker) override {
        answer([this, index, cursor = std::move(cursor), limit, tag, asker = std::move(asker)] {
            actors::Waiting waiting{.partition = index, .tag = tag, .entries = {}};
            for (const auto& [customer, row] : disk.partitions[index].customers)
                if (row.wake_at != journeys::no_time)
                    waiting.entries.push_back({row.wake_at, customer});
            std::ranges::sort(waiting.entries);
            std::erase_if(waiting.entries, [&](const auto& entry) { return entry <= cursor; });
            if (waiting.entries.size() > limit) waiting.entries.resize(limit);
            caf::anon_send(asker, std::move(waiting));
        });
    }
    void open_intents(actors::Partition index, caf::actor asker) override {
        answer([this, index, asker = std::move(asker)] {
            const auto count = static_cast<actors::Partition>(disk.partitions.size());
            actors::OpenIntents open{.partition = index, .rows = {}};
            for (const auto& [id, row] : disk.outbox)
                if (actors::partition_of(row.customer, count) == index &&
                    row.state == IntentState::claimed)
                    open.rows.push_back(row);
            caf::anon_send(asker, std::move(open));
        });
    }
    void pending_intents(actors::Partition index, std::string channel, std::size_t limit,
                         caf::actor asker) override {
        ++readings;
        answer([this, index, channel = std::move(channel), limit, asker = std::move(asker)] {
            const auto count = static_cast<actors::Partition>(disk.partitions.size());
            actors::PendingIntents pending{.partition = index, .channel = channel, .rows = {}};
            for (const auto& [id, row] : disk.outbox)
                if (actors::partition_of(row.customer, count) == index &&
                    row.intent.channel == channel && row.state == IntentState::pending)
                    pending.rows.push_back(row);
            std::ranges::stable_sort(pending.rows, {},
                                     [](const auto& row) { return row.intent.at; });
            pending.is_more = pending.rows.size() >= limit;
            if (pending.is_more) pending.rows.resize(limit);
            caf::anon_send(asker, std::move(pending));
        });
    }

    // Catalogues and the clock.
    journeys::CatalogPtr find(std::uint64_t publication) override {
        const auto at = disk.publications.find(publication);
        return at == disk.publications.end() ? nullptr : at->second;
    }
    Timestamp now() const override { return clock_; }

    // The provider.
    void call(actors::ProviderRequest request, caf::actor asker) override {
        if (is_dead) return;
        later.push_back([this, request = std::move(request), asker = std::move(asker)] {
            // The request is on its way even should we die.
            ++provider.calls[request.intent];
            provider.payloads[request.intent].insert(request.payload);
            if (provider.accepted[request.intent] > 0)
                provider.after_accepted.insert(request.intent);
            if (provider.silent.contains(request.channel)) return;
            const auto outcome = provider.answer(request);
            if (outcome.kind == actors::ProviderOutcome::Kind::accepted)
                ++provider.accepted[request.intent];
            if (!is_dead) caf::anon_send(asker, actors::ProviderAnswered{request.intent, outcome});
        });
    }

    std::uint64_t loads = 0, lookups = 0, readings = 0;

private:
    struct Reader {
        std::uint64_t position = 0;
        caf::actor actor;
        Timestamp wanted = journeys::timestamp_min;
    };

    void commit(const actors::FlushRequest& request, Disk::Partition& partition) {
        ++disk.flushes;
        partition.sequence = request.sequence;
        partition.watermark = std::max(partition.watermark, request.watermark);
        if (request.publication != 0) partition.publication = request.publication;
        for (const auto& released : request.released) {
            std::erase_if(partition.parked, [&](const actors::ParkedRecord& parked) {
                return parked.customer == released.customer && parked.offset <= released.through;
            });
            partition.customers[released.customer].quarantined.clear();
        }
        for (const auto& write : request.customers) {
            auto& row = partition.customers[write.customer];
            if (write.revision > row.revision) {
                ++disk.rows_written;
                // As PostgreSQL's index wants it: too early is allowed, until that time has passed.
                const bool may_stay = row.wake_at > clock_;
                row = {write.block, write.revision, write.applied,
                       may_stay ? std::min(row.wake_at, write.wake_at) : write.wake_at,
                       row.quarantined};
            }
            for (const auto& effect : write.effects) perform(effect, write, request);
            for (const auto id : write.granted_at_once)
                if (disk.outbox.at(id).state == IntentState::claimed) ++disk.granted_at_once;
        }
        for (const auto& note : request.attempts)
            if (const auto row = disk.outbox.find(note.intent);
                row != disk.outbox.end() && row->second.state == IntentState::claimed) {
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
        }
    }
    void perform(const journeys::Effect& effect, const actors::CustomerWrite& write,
                 const actors::FlushRequest& request) {
        if (const auto* opened = std::get_if<journeys::IntentOpened>(&effect)) {
            ++disk.opened_in_rows[opened->id];
            auto& row = disk.outbox[opened->id];
            row.intent = *opened;
            row.customer = write.customer;
            row.state = IntentState::pending;
        } else if (const auto* granted = std::get_if<journeys::IntentGranted>(&effect)) {
            auto& row = disk.outbox[granted->id];
            row.state = IntentState::claimed;
            row.address = granted->address;
            row.payload = granted->payload;
            row.epoch = request.epoch;
            row.attempts = 0;
            row.failed = false;
        } else if (const auto* recalled = std::get_if<journeys::IntentRecalled>(&effect)) {
            auto& row = disk.outbox[recalled->id];
            if (row.state == IntentState::pending) row.state = IntentState::recalled;
        } else if (const auto* settled = std::get_if<journeys::IntentSettled>(&effect)) {
            disk.outbox[settled->id].state = settled->state;
        } else if (const auto* transfer = std::get_if<journeys::TransferOut>(&effect)) {
            Record record;
            record.customer = transfer->to;
            record.body = transfer->transfer;
            write_moved(std::move(record));
        } else if (const auto* forward = std::get_if<journeys::ForwardOut>(&effect)) {
            Record record = forward->record;
            record.customer = forward->to;
            record.forwarded_from = forward->id;
            write_moved(std::move(record));
        }
    }
    void write_moved(Record record) {
        this->write(std::move(record));
        answer([this] { publish_log(); });
    }

    struct Slow {
        Timestamp due;
        std::function<void()> what;
    };

    Timestamp& clock_;
    std::map<actors::Partition, Reader> readers_;
    std::vector<Slow> slow_; ///< Flushes that are not at their end.
};

} // namespace support
