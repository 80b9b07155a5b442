/// Holds one customer; their records, timers and channels meet here, one at a time, so they cannot
/// race.
#pragma once

#include "actors/messages.hpp"
#include "actors/permits.hpp"
#include "actors/shard.hpp"

#include <deque>
#include <memory>
#include <string>

namespace actors {

/// Everything a handler needs arrives in its message; what it led to goes to the flush as one
/// `Commit`, and nothing leaves before that is committed. Its state is one flat block, decoded
/// while it is needed.
///
/// An exception out of the rules, or a state or a record that can't be read, quarantines the
/// customer: what was applied before stands, everything later is parked in order, up to a bound,
/// and the partition goes on. An operator's release tries it all again, under the publication of
/// that day.
class CustomerActor : public caf::event_based_actor {
public:
    /// `block`: null for a customer that the store does not know.
    CustomerActor(caf::actor_config& config, const Shard& shard, Slot slot, journeys::CustomerId id,
                  Block block, std::string quarantined, std::uint32_t parked = 0);

    const journeys::CustomerId& customer_id() const { return id_; }

protected:
    caf::behavior make_behavior() override;

private:
    /// A batch that waits for the log to say which of its events it has seen before.
    struct Lookup {
        bool waits = true;
        ToCustomer message; ///< Holds the records that are still to be applied.
        std::deque<ToCustomer> held;
        std::vector<std::pair<std::uint64_t, std::uint64_t>> asked; ///< (offset, hash).
        std::vector<std::uint64_t> answered, seen; ///< Offsets asked about; the duplicates of them.
        journeys::Duration retry{};                ///< 0: the last question was answered.
    };

    void take(ToCustomer& message);
    void perform(ToCustomer& message);
    void begin_replay(ToCustomer& message);
    void end_replay(Commit& commit);
    void perform_or_quarantine(ToCustomer& message, Commit& commit);
    void seen_before(const SeenBefore& answer);
    /// The state, in the memory that all customers of the partition use for it.
    journeys::Customer& decode() const;
    /// The block that is theirs from now on, which is stored, too.
    Block encode(const journeys::Customer& customer);
    void work(ToCustomer& message, journeys::Customer& customer, Commit& commit);
    /// False where the rest of the batch has to wait; `commit` then holds what could be applied.
    bool apply(Batch& batch, const Rulebook& rulebook, journeys::Customer& customer,
               Commit& commit);
    /// When the store says that the customer wakes, or earlier: as of the publication that they
    /// have met. `timestamp_min` where that is today's, and the store knows.
    journeys::Timestamp stored_wake_at_most(const journeys::Customer& customer,
                                            const Rulebook& rulebook) const;
    /// Grants what the message has opened and its channel has a place for; the permits go with it.
    void hand_over_at_once(journeys::Timestamp now, const Rulebook& rulebook,
                           journeys::Customer& customer, CustomerWrite& write,
                           std::vector<Permit>& permits);
    journeys::HandOver hand_over(journeys::IntentId intent, journeys::Timestamp now,
                                 const Rulebook& rulebook, journeys::Customer& customer) const;
    /// What goes to the flush of what the message has led to.
    journeys::Effects take_effects() const;
    bool must_ask_the_log(const journeys::Customer& customer, const journeys::Record& record) const;
    void ask_the_log(const Batch& batch, std::size_t from, const journeys::Customer& customer);
    void send_lookup();
    void fire(journeys::Timestamp closed, const Rulebook& rulebook, journeys::Customer& customer,
              journeys::Effects& effects) const;
    /// Brings a customer who has slept through publications to the one of today: each in its turn
    /// fires what was due in its time, and is met, as if they had been awake.
    void catch_up(const Rulebook& rulebook, journeys::Customer& customer,
                  journeys::Effects& effects) const;
    void park(const ToCustomer& message, Commit& commit);
    void refuse_poisoned_timer() const;
    void answer_parked(const ToCustomer& message);

    const Shard& shard_;
    journeys::CustomerId id_;
    Block block_;
    Slot slot_;
    bool is_own_block_ = false;                ///< Packed here, and not read from the store.
    std::uint32_t parked_ = 0;                 ///< Records, by now.
    std::unique_ptr<std::string> quarantined_; ///< Why; null while all is well.
    /// While parked records are tried again: whom to tell.
    std::unique_ptr<std::function<void(std::string)>> replaying_;
    std::unique_ptr<Lookup> lookup_;
};

} // namespace actors
