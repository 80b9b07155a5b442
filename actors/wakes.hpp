/// Who of a partition's customers is due when, as far as it must know.
#pragma once

#include "actors/messages.hpp"
#include "actors/shard.hpp"
#include "actors/timer_wheel.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <unordered_map>
#include <variant>

namespace actors {

/// Hints for those who are awake and for those who sleep, what the store was asked for and is to be
/// asked next, and how many may be woken at once. All instants are of the log's clock but where
/// `now` is said, which is the pacer's.
class Wakes {
public:
    /// A customer in memory, or one who sleeps; whether anything is due the customer alone knows.
    struct Next {
        std::variant<Slot, journeys::CustomerId> who;
        journeys::Timestamp due{};
    };

    explicit Wakes(const PartitionSettings& settings) : settings_(settings) {}

    void add(Slot awake, journeys::Timestamp due) { wheel_.add(due, {awake, nullptr}); }
    /// Takes the place of what was known of them.
    void add(const journeys::CustomerId& sleeping, journeys::Timestamp due);
    /// The earliest who is due at `closed`, taken out; nothing, too, where no more may be woken.
    std::optional<Next> pop(journeys::Timestamp closed);
    /// When there is something to do next, be it to ask the store; `no_time`: never.
    journeys::Timestamp next() const { return std::min(wheel_.next(), ask_at_); }

    // How many are woken.
    void woken() { ++in_flight_, ++since_noted_; }
    void answered() { --in_flight_; }
    std::size_t in_flight() const { return in_flight_; }
    bool has_room() const {
        return since_noted_ < settings_.wakes_per_tick &&
               in_flight_ < settings_.wakes_in_flight_max;
    }
    /// For whoever leaves room to those who are due.
    bool has_ample_room() const {
        return since_noted_ < settings_.wakes_per_tick &&
               in_flight_ <= settings_.wakes_in_flight_max / 2;
    }
    struct Noted {
        std::uint64_t woken = 0;
        journeys::Duration latest{}; ///< Of those who were due in `pop`.
    };
    /// Since it was asked last; as many may be woken again.
    Noted note();

    // What the store knows of those who sleep.
    /// Whether it is to be asked for those before `ask`'s answer.
    bool must_ask(journeys::Timestamp closed, journeys::Timestamp now) const;
    journeys::Timestamp ask(journeys::Timestamp closed);
    /// It answered; `next` is the first it has left out, where the answer is not empty.
    void found(const Due& due, journeys::Timestamp now);
    /// What is stored may be due earlier than it was: the store is asked once more soon.
    void changed(journeys::Timestamp at);
    /// The store is not asked again for who is due then.
    bool has_asked_for(journeys::Timestamp due) const { return due < asked_until_; }

private:
    struct Hint {
        Slot slot;
        const journeys::CustomerId* sleeping = nullptr;
    };
    struct Sleeper {
        journeys::Timestamp due{};
        std::uint32_t hints = 0; ///< That name this entry; it goes with the last of them.
    };

    const PartitionSettings& settings_;
    TimerWheel<Hint> wheel_;
    std::unordered_map<journeys::CustomerId, Sleeper> sleeping_;

    std::size_t in_flight_ = 0, since_noted_ = 0;
    journeys::Duration latest_{};

    journeys::Timestamp asked_until_ = journeys::timestamp_min;
    journeys::Timestamp ask_at_ = journeys::timestamp_min;
    journeys::Timestamp not_before_{}; ///< By the pacer's clock.
    bool is_asking_ = false;
};

} // namespace actors
