/// What all actors of a partition share: ports, rules, limits, and each other's addresses.
#pragma once

#include "actors/credit.hpp"
#include "actors/observer.hpp"
#include "actors/ports.hpp"
#include "actors/pulse.hpp"
#include "actors/rules.hpp"

#include <caf/actor.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

namespace actors {

/// Notes what is being applied where a crash cannot wipe it out. Implemented with an mmapped file;
/// the slot of a partition is written by the thread of its shard alone.
class PoisonMark {
public:
    virtual ~PoisonMark() = default;
    /// `offset` 0: a timer or a hand-over of the customer.
    virtual void applying(Partition partition, std::uint64_t offset,
                          const journeys::CustomerId& customer) = 0;
    virtual void done(Partition partition) = 0;
};

/// At what the process has died again and again: parked unseen.
struct Poison {
    std::set<std::pair<Partition, std::uint64_t>> records;
    std::set<journeys::CustomerId> timers; ///< Or hand-overs.
};

/// All that actors need of the world. Everything named here outlives the actors.
struct Ports {
    EventLog* log = nullptr;
    Store* store = nullptr;
    CatalogSource* catalogs = nullptr;
    Walks* walks = nullptr; ///< Null: nobody copies anything to many.
    Pacer* pacer = nullptr;
    Observer* observer = nullptr;
    std::map<std::string, Channel*> channels;
    std::function<std::string(const journeys::Record&)>
        encode; ///< The body of a record, for `Draft::bytes`.
    /// Called after many customers were let go: gives what is free back to the system.
    std::function<void()> trim = [] {};
    PoisonMark* mark = nullptr; ///< May be null.
    Poison poison;
};

/// Spans are of the pacer's time.
struct PartitionSettings {
    std::size_t active_customers_max = 200'000;
    journeys::Duration idle_after = std::chrono::minutes{10};
    std::size_t load_batch = 1'000;
    std::size_t wakes_per_tick = 500; ///< Meters overdue timers; oldest first.
    std::size_t wakes_in_flight_max = 5'000;
    journeys::Duration timer_window = std::chrono::minutes{10}; ///< How far ahead hints are read.
    std::size_t timer_batch = 10'000;
    std::size_t trim_after = 10'000; ///< Passivations between two calls of `trim`.
    std::size_t eras_max = 8;
    /// Of a customer in quarantine. What comes beyond is left out, counted as parked all the same.
    std::uint32_t parked_max = 2'000;
    journeys::Duration retry_min = std::chrono::milliseconds{50};
    journeys::Duration retry_max = std::chrono::seconds{2};
};

struct FlushSettings {
    /// How old a change gets that nobody waits for; at most, while flushing takes its time.
    journeys::Duration checkpoint = std::chrono::seconds{5};
    journeys::Duration checkpoint_max = std::chrono::seconds{60};
    std::size_t customers_max = 1'000; ///< Of one transaction.
    std::size_t calm_max = 256;        ///< Of a checkpoint's: an intent may wait for them.
    /// How often what has become due of a checkpoint is written.
    journeys::Duration slice = std::chrono::milliseconds{100};
    std::size_t bytes_max = 8u << 20;
    journeys::Duration retry_min = std::chrono::milliseconds{50};
    journeys::Duration retry_max = std::chrono::seconds{2};
};

struct WalkSettings {
    journeys::Duration look_every = std::chrono::seconds{1}; ///< For new walks.
    std::size_t page = 2'000;                                ///< Customers asked for at a time.
    std::size_t batch_max = 500;                             ///< Copies of one append.
    /// While as many records are on their way to customers, no copy is made: producers go first.
    std::uint64_t in_flight_max = 2'000;
    journeys::Duration retry = std::chrono::milliseconds{200};
};

class Permits;
struct Scratch;

/// One partition's context. But for `scratch` immutable once its actors run, and alive until all of
/// them have ended.
struct Shard {
    Partition partition = 0;
    const Rules& rules;
    const Ports& ports;
    PartitionSettings partition_settings;
    FlushSettings flush_settings;
    Credit& credit;
    std::map<std::string, caf::actor, std::less<>> channels;
    caf::actor flush; ///< Set by the partition's actor before it spawns the first customer.
    std::shared_ptr<Scratch> scratch;
    std::map<std::string, std::shared_ptr<Permits>, std::less<>> permits; ///< By channel.
    std::shared_ptr<Pulse> pulse = std::make_shared<Pulse>();             ///< Of the thread.
};

} // namespace actors
