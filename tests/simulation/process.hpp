/// One process of the service: the real actors on CAF's test coordinator, and adapters in memory
/// that stop with it.
///
/// What an adapter is asked is put off, and done at a time by chance: commits and their answers
/// apart, so that either may be lost to a crash. Its log gives offsets by its own count, as that of
/// PostgreSQL does, and delivers only what it has appended itself.
#pragma once

#include "actors/system.hpp"
#include "tests/simulation/history.hpp"
#include "tests/simulation/world.hpp"

#include <caf/scheduler/test_coordinator.hpp>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace simulation {

class Process : public actors::EventLog,
                public actors::Store,
                public actors::CatalogSource,
                public actors::Walks,
                public actors::Pacer,
                public actors::Channel,
                public actors::Observer {
public:
    Process(World& world, History& history, const actors::SystemSettings& settings);
    ~Process() override { kill(); }

    /// Ends it without any farewell. What it has sent to the database or to a provider may still
    /// happen. The object stays, so that such things have an owner.
    void kill();
    std::string name() const { return std::to_string(number_); }
    bool is_alive() const { return !is_dead_; }
    bool is_frozen = false; ///< Stands still, as by SIGSTOP; what is under way arrives meanwhile.
    /// Of the actors: how many are runnable, and one of them.
    /// Up to where this process has told the partition that nothing more is to come.
    Timestamp closed(actors::Partition partition) const {
        return owned_[partition].accepted_at - journeys::Duration{1};
    }
    std::size_t runnable() const { return scheduler().jobs.size(); }
    void run(std::size_t index);
    /// Lets a tick's span pass for the actors, and the log close what the clock has passed.
    void tick();
    actors::System& system() { return *system_; }
    /// All partitions are taken over and up to date, and no append was refused as another's.
    bool is_live() const;

    /// What of this process's life must agree with the truth, once it rests.
    struct Told {
        std::uint64_t flushes = 0; ///< That were committed.
        std::map<IntentId, int> opened;
    };
    const Told& heard() const { return heard_; } ///< What the observer was told.
    const Told& truth() const { return truth_; } ///< What was committed.

    // The log.
    void append(std::vector<actors::Draft> drafts,
                std::function<void(journeys::Result<void>)> done) override;
    void append_copies(std::vector<actors::Draft> drafts, actors::WalkProgress progress,
                       std::function<void(journeys::Result<void>)> done) override;
    void subscribe(actors::Partition partition, std::uint64_t position, caf::actor reader) override;
    void want_closed(actors::Partition partition, Timestamp at) override {
        owned_[partition].wanted = at;
    }
    void find_duplicates(actors::Partition partition, const CustomerId& customer,
                         std::vector<std::uint64_t> hashes, std::uint64_t tag,
                         caf::actor asker) override;
    void advance_watermark(actors::Partition, std::uint64_t) override {}
    std::uint64_t last_offset(actors::Partition partition) const override;
    // The store.
    void take_over(actors::Partition partition, caf::actor asker) override;
    void load(actors::Partition partition, std::vector<CustomerId> customers,
              caf::actor asker) override;
    void load_parked(actors::Partition partition, CustomerId customer, caf::actor asker) override;
    void flush(std::shared_ptr<const actors::FlushRequest> request, caf::actor asker) override;
    void find_due(actors::Partition partition, Timestamp before, std::size_t limit,
                  caf::actor asker) override;
    void find_waiting(actors::Partition partition, actors::WaitingCursor cursor, std::size_t limit,
                      std::uint64_t tag, caf::actor asker) override;
    void open_intents(actors::Partition partition, caf::actor asker) override;
    void pending_intents(actors::Partition partition, std::string channel, std::size_t limit,
                         caf::actor asker) override;
    // The walks.
    void open_walks(caf::actor asker) override;
    bool is_held(const actors::Walk& walk) const override {
        return walk.product.empty() && world_.is_visit_paused;
    }
    void next_page(actors::Walk walk, std::size_t limit, caf::actor asker) override;
    void finish(actors::WalkProgress progress) override;
    // The rest of the world.
    journeys::CatalogPtr find(std::uint64_t publication) override;
    Timestamp now() const override { return world_.clock; }
    void call(actors::ProviderRequest request, caf::actor asker) override;
    void flushed(const actors::FlushRequest& request, journeys::Duration) override;
    void partition_state(actors::Partition partition, std::string_view state,
                         std::string_view why) override;

private:
    /// A partition as this process sees it.
    struct Owned {
        std::uint64_t epoch = 0; ///< 0: not taken over.
        std::uint64_t last = 0;  ///< Offset.
        Timestamp accepted_at = journeys::timestamp_min;
        caf::actor reader;
        Timestamp wanted = journeys::timestamp_min; ///< By the reader, of the clock.
        std::uint64_t position = 0;                 ///< Of the reader.
        std::deque<RecordPtr> delivered;            ///< Appended, and not sent to the reader yet.
    };

    using Done = std::function<void(journeys::Result<void>)>;

    /// What is put off holds its askers so that they can be let go of when the process ends.
    std::shared_ptr<caf::actor> hold(caf::actor asker);
    std::shared_ptr<Done> hold(Done done);
    caf::scheduler::test_coordinator& scheduler() const;
    void later(std::function<void()> what) {
        if (is_alive()) world_.put_off({this, false, {}, std::move(what)});
    }
    void in_database(std::function<void()> what) {
        if (is_alive()) world_.put_off({this, true, {}, std::move(what)});
    }
    std::optional<journeys::Error> append_refusal() const;
    void write(const std::vector<actors::Draft>& drafts);
    void append(std::vector<actors::Draft> drafts, std::function<void()> with, Done done);
    void move_walk(const actors::WalkProgress& progress);
    void deliver(actors::Partition partition);
    void move_one();
    void commit(const actors::FlushRequest& request, Disk::Partition& partition);
    void perform(const journeys::Effect& effect, const CustomerId& customer, std::uint64_t epoch);
    actors::ProviderOutcome outcome_of(const actors::ProviderRequest& request);

    World& world_;
    History& history_;
    bool was_fenced_ = false; ///< By the log.
    int number_ = 0;          ///< Of the world's processes.
    bool is_dead_ = false; ///< CAF lets the actors finish what is in their mailboxes; nobody hears.
    std::vector<Owned> owned_;
    Told heard_, truth_;
    std::vector<std::string> states_; ///< Of the partitions.
    actors::Ports ports_;
    std::unique_ptr<actors::System> system_;
    std::vector<std::weak_ptr<caf::actor>> held_;
    std::vector<std::weak_ptr<Done>> held_dones_;
    std::set<std::string> deduplicating_; ///< Channels whose provider honours our key.
};

} // namespace simulation
