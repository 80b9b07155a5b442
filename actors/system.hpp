/// The actors of this process, put together: partitions spread over shards, and the channels.
#pragma once

#include "actors/channel_actor.hpp"
#include "actors/shard.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <atomic>
#include <memory>
#include <vector>

namespace actors {

struct SystemSettings {
    Partition partitions = 8;
    unsigned shards = 1; ///< Threads for customers; CAF's stealing among workers is never used.
    std::size_t max_throughput =
        256;              ///< Messages that an actor may take before others get their turn.
    bool testing = false; ///< On CAF's test coordinator, with one shard.
    /// How often actors look around; real time.
    std::chrono::milliseconds tick{20};
    Credit::Limits credit;
    PartitionSettings partition;
    FlushSettings flush;
    WalkSettings walks;
    std::vector<ChannelSettings> channels;
    const Rules* rules = nullptr; ///< As a rule `&product_rules()`.
};

/// A thread that has spawned an actor holds on to the logger of its actor system, and in CAF 0.17
/// that system's destructor waits for the logger: so whoever spawns from a thread of their own lets
/// go of it behind it.
void let_go_of_logger();

/// Each shard is a CAF actor system with one worker: in CAF 0.17 a steal walks the whole run queue.
class System {
public:
    /// `ports` and whatever it names must outlive the system.
    System(const Ports& ports, SystemSettings settings);
    ~System();
    System(const System&) = delete;
    System& operator=(const System&) = delete;

    /// Takes all partitions over. Returns at once.
    void start();
    /// From then on customers can be asked for.
    bool has_started() const { return started_; }

    /// An orderly stop in three parts (see runtime/stop_system.hpp): channels finish what they have
    /// begun, partitions write what is unwritten, the actors end. `done` is called from an actor's
    /// thread.
    void drain_channels(std::function<void()> done);
    void stop_partitions(std::function<void()> done);
    /// Blocks until all actors have ended; the destructor calls it too. Nothing may be asked
    /// afterwards.
    void end();

    const Credit& credit() const { return *credit_; }
    /// The same, for who may outlive the system.
    std::shared_ptr<const Credit> shared_credit() const { return credit_; }
    Partition partitions() const { return settings_.partitions; }
    const caf::actor& partition(Partition partition) const { return partitions_.at(partition); }
    const caf::actor& channel(const std::string& name) const { return channels_.at(name); }
    /// Null where there is none.
    const caf::actor* find_channel(std::string_view name) const {
        const auto found = channels_.find(name);
        return found == channels_.end() ? nullptr : &found->second;
    }
    caf::actor_system& shard(unsigned index) { return *shards_.at(index)->system; }
    /// The one that holds the customer, so that whoever asks is answered on the same thread.
    caf::actor_system& shard_of(const journeys::CustomerId& customer) {
        return shard(partition_of(customer, partitions()) % static_cast<unsigned>(shards_.size()));
    }

    /// Tries a customer in quarantine again with all that was parked. `done` gets why it did not
    /// help, or nothing; from an actor's thread.
    void release(journeys::CustomerId customer, std::function<void(std::string)> done);
    /// Asks for a customer's block; `asker` gets a `CustomerState`. Nobody is known before `start`.
    void query(journeys::CustomerId customer, caf::actor asker);

private:
    void tick(unsigned shard, std::vector<caf::actor> told, std::shared_ptr<Pulse> pulse);
    void stop_walks();
    struct ActorSystem {
        caf::actor_system_config config;
        std::unique_ptr<caf::actor_system> system;
    };

    const Ports& ports_;
    SystemSettings settings_;
    std::shared_ptr<Credit> credit_;
    std::vector<std::unique_ptr<ActorSystem>> shards_;
    std::vector<std::unique_ptr<Shard>> contexts_;
    std::vector<caf::actor> partitions_;
    std::map<std::string, caf::actor, std::less<>> channels_;
    caf::actor walks_;
    std::vector<caf::actor> tickers_;
    std::atomic<bool> started_{false};
    std::map<std::string, std::shared_ptr<Permits>, std::less<>> permits_;
};

} // namespace actors
