/// A whole system of actors on CAF's test coordinator, in an in-memory world with a clock of its
/// own.
#pragma once

#include "actors/system.hpp"
#include "tests/support/world.hpp"

#include <caf/scheduler/test_coordinator.hpp>

#include <optional>

namespace support {

inline const Timestamp noon{std::chrono::sys_days{std::chrono::year{2026} / 3 / 2} +
                            std::chrono::hours{12}};

inline CustomerId user(std::string value) {
    return {journeys::IdNamespace::user, std::move(value)};
}

class ActorFixture {
public:
    explicit ActorFixture(actors::Partition partitions = 2);
    ~ActorFixture();

    /// Starts a process on what the disk holds. With `random`: answers and actors come in an order
    /// by chance.
    void start();
    /// Ends it without any farewell.
    void crash();
    /// Ends it in order.
    bool stop();

    const Record& append(Record record);
    void track(const CustomerId& customer, std::string name, std::string message_id = {});
    void publish(std::uint64_t publication, journeys::CatalogPtr catalog);
    /// Lets everything happen that needs no time to pass.
    void settle();
    /// Lets `span` pass, in steps of `step`; the log closes behind each.
    void pass(journeys::Duration span, journeys::Duration step = std::chrono::seconds{1});
    /// One thing that may happen next, by chance; false where nothing is left to happen.
    bool happen_by_chance();

    std::optional<journeys::Customer> stored(const CustomerId& customer) const;
    caf::scheduler::test_coordinator& scheduler() {
        return dynamic_cast<caf::scheduler::test_coordinator&>(system->shard(0).scheduler());
    }
    std::vector<IntentState> outbox() const;

    Timestamp clock = noon;
    Disk disk;
    Provider provider;
    actors::Rules rules;
    actors::SystemSettings settings;
    actors::Poison poison;
    actors::Observer silent;
    actors::Observer* observer = &silent;
    std::vector<std::unique_ptr<World>>
        worlds; ///< Of every process there was; the last one is alive.
    std::vector<std::unique_ptr<actors::Ports>> ports;
    std::unique_ptr<actors::System> system;
    std::mt19937_64* chance = nullptr;
    std::uint64_t messages = 0;

    World& world() { return *worlds.back(); }
};

/// Enters on `Product Added`; leaves at `Order Completed`; mails after 45 minutes, again a day
/// later.
journeys::JourneyPtr cart_journey(std::uint64_t version = 1,
                                  journeys::Duration wait = std::chrono::minutes{45},
                                  journeys::Delivery delivery = journeys::Delivery::at_most_once);
journeys::CatalogPtr catalog_of(std::uint64_t publication,
                                std::vector<journeys::JourneyPtr> journeys);

} // namespace support
