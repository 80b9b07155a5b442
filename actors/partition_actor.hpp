/// Owns a share of the customers: routes their records, loads and lets go of them, and knows who is
/// due next.
#pragma once

#include "actors/messages.hpp"
#include "actors/shard.hpp"
#include "actors/slab.hpp"
#include "actors/wakes.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace actors {

/// Takes the partition over, replays what its snapshots do not hold yet, then lives; ends when
/// fenced.
///
/// Records of a customer go to their actor in log order. One who sleeps is loaded first, and what
/// arrives for them meanwhile is held. A customer sleeps again when all that was sent was answered
/// and all that changed is written; nothing is lost with the actor then.
class PartitionActor : public caf::event_based_actor {
public:
    PartitionActor(caf::actor_config& config, Shard& shard);

protected:
    caf::behavior make_behavior() override;
    void on_exit() override;

private:
    enum class State : std::uint8_t {
        taking_over,
        reading_outbox,
        replaying,
        live,
        stopping,
        ended
    };

    /// Offsets that were dispatched and are not known to be written. A customer has at most two:
    /// one that the next checkpoint completes, and one for what came since; so a customer who never
    /// rests does not hold the watermark.
    struct Ticket {
        std::uint64_t first = 0; ///< 0: unused.
        std::uint32_t more = 0;  ///< Behind it, up to the last.
        std::uint32_t generation = 0;
        Links links;

        std::uint64_t last() const { return first + more; }
        void set_last(std::uint64_t last) { more = static_cast<std::uint32_t>(last - first); }
    };

    /// Of a customer who is being loaded.
    struct Held {
        journeys::CustomerId id;
        std::deque<ToCustomer> messages;
    };

    struct Entry {
        caf::actor actor;                         ///< Null while the customer is being loaded.
        const journeys::CustomerId* id = nullptr; ///< The actor's or `held`'s; null: a free place.
        std::unique_ptr<Held> held;
        std::uint32_t generation = 0;
        std::uint32_t in_flight = 0; ///< Messages that were not answered yet.
        std::uint32_t records = 0;   ///< Of them: records.
        std::uint32_t group = 0;     ///< While a batch is being sorted: place in it, from 1.
        bool changed = false;        ///< Something is not written yet.
        bool quarantined = false, waking = false;
        std::uint64_t revision = 0, through = 0; ///< The newest that the customer told us.
        journeys::Timestamp wake_at = journeys::no_time;
        journeys::Timestamp armed =
            journeys::no_time; ///< Of the hint in the wheel; `no_time`: none.
        journeys::Timestamp used{};
        Ticket tickets[2];
        Links by_use;
    };

    struct Published {
        std::uint64_t offset = 0, publication = 0;
        journeys::Timestamp accepted_at{};
    };

    void enter(State state, std::string_view why = {});
    void take_over();
    void taken_over(const TakenOver& answer);
    void open_outbox(OpenIntents& answer);
    void offer(std::vector<OutboxRow>& rows);
    void pending(PendingIntents& answer);
    void take_batch(LogBatch& batch);
    void take_closed(const LogClosed& message);
    void want_closed();
    void dispatch(std::vector<std::pair<std::uint32_t, Batch>>& groups, journeys::Timestamp closed);
    void change_catalog(const journeys::Record& record);
    void progressed(const Progressed& message);
    void persisted(const Persisted& message);
    void loaded(Loaded& message);
    void due(const Due& message);
    void begin_sweep(std::uint64_t publication);
    void sweep();
    void waiting(Waiting& message);
    void tick();
    /// Whether anything waits for the next tick, or is likely to.
    bool is_busy() const;
    void ask_hand_over(AskHandOver& ask);
    void release_asks();
    void release_walks();
    void fenced(const journeys::Error& error);
    void stop_if_drained();

    std::uint32_t find_or_load(const journeys::CustomerId& customer);
    void tell(std::uint32_t index, ToCustomer message);
    /// For a message to a customer who has nothing else to do: see `ToCustomer::hand_over_at`.
    journeys::Timestamp hand_over_at(const Entry& entry) const;
    bool has_all_acknowledged() const;
    void load_next();
    /// An actor for who was loaded, in place of `held`, whose messages are still to be sent to it.
    std::unique_ptr<Held> begin_customer(std::uint32_t index, Block block, std::string quarantined,
                                         std::uint32_t parked);
    void open_ticket(std::uint32_t index, std::uint64_t first, std::uint64_t last);
    void close_tickets(std::uint32_t index, std::uint64_t through);
    void advance_watermark();
    void tell_watermark();
    void tell_lag() const;
    std::uint64_t watermark() const;
    void arm(std::uint32_t index);
    void wake_due();
    /// Their own timer, one that the store knows of, or a publication.
    enum class Waking : std::uint8_t { timer, stored_hint, sweep };
    void note_woken();
    void wake(std::uint32_t index, Waking why);
    void become_live();
    void retry_later();
    void remember_era(const Published& next);
    void ask_due();
    void release_customers();
    void loaded_parked(LoadedParked& message);
    void passivate();
    bool may_sleep(const Entry& entry) const;
    void put_to_sleep(std::uint32_t index);
    Ticket& ticket(std::uint32_t number) { return table_[number / 2].tickets[number % 2]; }

    Shard& shard_;
    State state_ = State::taking_over;
    TakenOver start_;
    std::uint64_t received_ = 0; ///< Newest offset.
    std::uint64_t received_by_last_tick_ = 0;
    std::uint64_t told_ = 0;      ///< Watermark that the flush knows.
    std::uint64_t persisted_ = 0; ///< The one that is stored.
    journeys::Timestamp closed_ = journeys::timestamp_min;
    journeys::Timestamp accepted_at_ = journeys::timestamp_min; ///< Of the newest record.
    RulebookPtr rulebook_;
    std::deque<Published> publications_; ///< From the one in force at the watermark on.
    ErasPtr eras_;                       ///< Those before it.

    Slab<Entry> table_;
    struct HashOfEntry {
        using is_transparent = void;
        Slab<Entry>* table;
        std::size_t operator()(std::uint32_t index) const { return hash((*table)[index].id); }
        std::size_t operator()(const journeys::CustomerId& id) const { return hash(&id); }
        static std::size_t hash(const journeys::CustomerId* id) { return journeys::hash(*id); }
    };
    struct IsEntry {
        using is_transparent = void;
        Slab<Entry>* table;
        bool operator()(std::uint32_t a, std::uint32_t b) const { return a == b; }
        bool operator()(const journeys::CustomerId& id, std::uint32_t index) const {
            return id == *(*table)[index].id;
        }
        bool operator()(std::uint32_t index, const journeys::CustomerId& id) const {
            return id == *(*table)[index].id;
        }
    };
    /// Places in the table, by the customer's id: 80 bytes a customer less than a map that holds
    /// the ids.
    boost::unordered_flat_set<std::uint32_t, HashOfEntry, IsEntry> index_{0, HashOfEntry{&table_},
                                                                          IsEntry{&table_}};
    struct UseLinks {
        Slab<Entry>* table;
        Links& operator()(std::uint32_t index) const { return (*table)[index].by_use; }
    };
    struct TicketLinks {
        Slab<Entry>* table;
        Links& operator()(std::uint32_t number) const {
            return (*table)[number / 2].tickets[number % 2].links;
        }
    };
    IntrusiveList<UseLinks> by_use_{UseLinks{&table_}};      ///< The one used longest ago first.
    IntrusiveList<TicketLinks> dirty_{TicketLinks{&table_}}; ///< By first offset.
    std::uint32_t generation_ = 1;                           ///< Of tickets; one a checkpoint.
    journeys::Timestamp next_generation_{};
    std::size_t active_ = 0, passivated_ = 0, in_flight_ = 0, records_ = 0;

    std::deque<std::uint32_t> to_load_;
    std::vector<std::uint32_t> loading_; ///< Asked for, in order; one request at a time.

    Wakes wakes_;
    journeys::Timestamp wanted_ = journeys::timestamp_min; ///< As the log was told last.

    /// The walk through all who wait, after a publication that does something to open runs.
    struct Sweep {
        std::uint64_t publication = 0, number = 0;
        std::uint32_t next_awake = 0;     ///< Index into the table: woken up to there.
        std::uint32_t next_unwritten = 0; ///< … and, at the end: written up to there.
        WaitingCursor cursor;
        std::deque<journeys::CustomerId> asleep; ///< Found, and to be woken.
        bool asking = false, found_all = false;
    };
    std::optional<Sweep> sweep_;
    std::uint64_t swept_ = 0, sweeps_ = 0;

    struct HeldAsk {
        std::uint64_t behind = 0; ///< The offset that must have been dispatched.
        AskHandOver ask;
    };
    std::deque<HeldAsk> asks_;
    struct HeldWalk {
        std::uint64_t behind = 0; ///< What was acknowledged when it asked.
        AskUpToDate ask;
    };
    std::vector<HeldWalk> walks_;

    /// A customer whose quarantine is to end: their actor makes place for one that begins with what
    /// was parked, once all that they have done is written.
    struct Releasing {
        Release release;
        bool asked = false;     ///< The store.
        bool ask_again = false; ///< It did not answer.
    };
    std::vector<Releasing> releasing_;
    std::vector<OutboxRow>
        outbox_; ///< Of the process before us; told to the channels when replay is done.

    journeys::Timestamp retry_at_ = journeys::no_time; ///< Of take-over, outbox or load.
    journeys::Duration retry_{};
    std::function<void()> stopped_;
};

} // namespace actors
