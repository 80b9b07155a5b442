/// What outlives a process in the simulation: disks, the provider, the clock, chance, and the
/// answers that are under way.
#pragma once

#include "actors/messages.hpp"
#include "actors/ports.hpp"
#include "tests/simulation/mutants.hpp"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace simulation {

using journeys::CustomerId;
using journeys::IntentId;
using journeys::IntentState;
using journeys::Record;
using journeys::RecordPtr;
using journeys::Timestamp;

class Process;

/// The database.
struct Disk {
    struct Row {
        actors::Block block;
        std::uint64_t revision = 0, applied = 0;
        Timestamp wake_at = journeys::no_time;
        std::string quarantined;
    };
    struct Partition {
        std::vector<RecordPtr> log; ///< In the order of their commits.
        Timestamp accepted_at = journeys::timestamp_min;
        Timestamp closed = journeys::timestamp_min;
        std::uint64_t epoch = 0, sequence = 0, watermark = 0, publication = 0;
        actors::ErasPtr eras;
        std::uint64_t swept = 0;
        std::map<CustomerId, Row> customers;
        std::vector<actors::ParkedRecord> parked;
    };
    /// What a flush has put on its way to another customer's log.
    struct Moving {
        Record record;
    };
    std::vector<Partition> partitions;
    std::map<IntentId, actors::OutboxRow> outbox;
    std::map<CustomerId, journeys::Effects> history; ///< All effects that were committed, in order.
    std::deque<Moving> moving;
    std::uint64_t moved = 0;
    std::map<std::uint64_t, journeys::CatalogPtr> publications;
    struct StoredWalk {
        actors::Walk walk;
        std::set<CustomerId> owed; ///< Whom it concerned when it began.
        bool is_over = false;
    };
    std::map<std::uint64_t, StoredWalk> walks;
};

/// One thing the world asked of a provider, and what that did.
struct Delivery {
    int accepted = 0; ///< Messages that really went out.
    int calls = 0;
    bool is_refused = false; ///< For good.
    std::set<std::string> payloads;
};

/// Chances, of 1. All of them 0 once the faults are off.
struct Faults {
    bool on = true;
    double append_fails = 0, flush_lost = 0, flush_reply_lost = 0, load_fails = 0;
    double provider_refuses = 0, provider_retries = 0, provider_times_out = 0, provider_hangs = 0;
};

/// A flush, an append, a call, an answer: something that has begun and is not over.
struct Pending {
    Process* owner = nullptr;
    bool is_outside = false; ///< Happens even though the owner stands still or is dead.
    Timestamp not_before = journeys::timestamp_min;
    std::function<void()> what;
};

class World {
public:
    World(std::uint64_t seed_, actors::Partition partitions, Mutant mutant_);

    bool happens(double probability) {
        return faults.on && std::uniform_real_distribution{0.0, 1.0}(chance) < probability;
    }
    int between(int low, int high) { return std::uniform_int_distribution{low, high}(chance); }
    /// Storage does not answer at this time.
    bool is_down() const { return faults.on && clock < down_until; }
    void put_off(Pending pending) { later.push_back(std::move(pending)); }
    /// Notes what must never be; the first one counts.
    void violate(const std::string& what) {
        if (violation.empty()) violation = what;
    }
    /// One line of the story, where somebody wants to read it.
    template <class Line> void tell(Line line) const {
        if (teller) teller(line());
    }
    std::function<void(const std::string&)> teller;

    /// Everything that happens goes into one number, so that two runs of a seed can be compared.
    void trace(std::uint64_t what) { digest = (digest ^ what) * 0x100000001b3ull; }

    actors::Partition partition_of(const CustomerId& customer) const {
        return actors::partition_of(customer,
                                    static_cast<actors::Partition>(disk.partitions.size()));
    }

    const std::uint64_t seed;
    const Mutant mutant;
    std::mt19937_64 chance;
    Timestamp clock;
    Timestamp down_until = journeys::timestamp_min;
    Faults faults;
    Disk disk;
    std::map<IntentId, Delivery> provider;
    std::vector<Pending> later;
    std::set<std::uint64_t>
        acked; ///< Message hashes whose producer was told that they are durable.
    /// Some messages cannot be applied, by a fault of the rules that is mended in the end.
    bool is_poisoned = false;
    bool is_visit_paused = false; ///< By what was published last: walks of audiences stand still.
    std::size_t parked = 0;
    int processes = 0; ///< That there ever were.
    std::string violation;
    std::uint64_t digest = 0xcbf29ce484222325ull, steps = 0;
};

} // namespace simulation
