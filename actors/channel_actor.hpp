/// Hands intents to one provider, at the pace that it and we allow, and tells the log what came of
/// it.
#pragma once

#include "actors/lead.hpp"
#include "actors/messages.hpp"
#include "actors/permits.hpp"
#include "actors/shard.hpp"

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace actors {

struct ChannelSettings {
    std::string name;
    bool deduplicates =
        false; ///< The provider honours our key: an unknown outcome may be tried again.
    std::size_t concurrency = 16; ///< Calls at a time.
    double rate = 0;              ///< A second; 0: no limit.
    double burst = 1;
    double per_minute = 0; ///< 0: no limit. A whole minute's worth may go at once after a pause.
    int attempts_max = 0;  ///< Of calls that were certainly not accepted; 0: until it expires.
    int breaker_after = 5; ///< Failures in a row.
    journeys::Duration breaker_open = std::chrono::seconds{5};
    journeys::Duration breaker_open_max = std::chrono::minutes{2};
    journeys::Duration backoff = std::chrono::milliseconds{500};
    journeys::Duration backoff_max = std::chrono::minutes{5};
    journeys::Duration claim_age_max = std::chrono::seconds{10};
    std::uint64_t seed = 0; ///< Of the jitter.
    /// Intents in memory. What is opened beyond stays in the outbox, and is read back when half of
    /// them are gone.
    std::size_t queue_max = 100'000;
};

/// One per channel, an island: its queue, its pace, its breaker.
///
/// An intent is queued when its row is committed; where the queue is full it waits in the outbox.
/// When it may go, the customer is asked; what they grant comes back by the flush, as committed.
/// A call that certainly came to nothing is noted in the row before the next one, and the note is
/// taken back before that one is written: so a process that begins with what this one has left
/// knows what it may call without calling twice. Where that may happen anyway nothing is noted.
///
/// Where the channel has lent a place, the customer grants in the transition that opens the intent,
/// and the channel hears of both at once. Then they are asked once more, in memory, and the request
/// is written. From then on its bytes are frozen. The outcome goes into the log, by which the
/// customer learns of it; the intent is forgotten once that is appended.
class ChannelActor : public caf::event_based_actor {
public:
    ChannelActor(caf::actor_config& config, const Ports& ports, ChannelSettings settings,
                 std::shared_ptr<Permits> permits, std::shared_ptr<Pulse> pulse);

protected:
    caf::behavior make_behavior() override;
    void on_exit() override;

private:
    enum class State : std::uint8_t {
        queued,     ///< Waits for its turn: to be asked for, or, with a payload, to be tried again.
        asking,     ///< The customer was asked for permission.
        beginning,  ///< The row's note is being taken back.
        waiting,    ///< Granted, with a token: for one of the calls to end.
        confirming, ///< Granted; the customer is asked once more.
        calling,    ///< The request is with the provider.
        settling,   ///< The outcome is on its way into the log.
        dead,       ///< Attempts are used up; an operator may try again until it expires.
    };
    /// What the row says of the last call.
    enum class Row : std::uint8_t {
        open,      ///< It may have been written.
        failing,   ///< That it came to nothing is on its way into the row.
        failed,    ///< That it came to nothing.
        reopening, ///< That the next one may be written is on its way into the row.
    };
    struct Item {
        journeys::IntentOpened intent;
        journeys::CustomerId customer;
        journeys::CustomerId came_from; ///< Whose it was when it was offered; empty: still theirs.
        Partition partition = 0;
        caf::actor owner;
        State state = State::queued;
        std::string address, payload;
        bool is_granted = false;     ///< Address and payload are set, and frozen.
        bool must_prove = false;     ///< The claim is not this process's, too old, or was used.
        bool may_be_written = false; ///< An earlier attempt ended unknown, maybe a dead process's.
        bool is_inherited = false;   ///< As failed, and the customer has not confirmed it yet.
        Row row = Row::open;
        int attempts = 0; ///< Since an operator had it tried again.
        int calls = 0;    ///< In all, dead processes' included.
        journeys::Timestamp claimed_at{}, called_at{}, not_before{};
        std::string last_failure;
        journeys::Settled outcome;
        journeys::Timestamp settle_at = journeys::no_time; ///< When to append again.
    };
    /// Higher priority first, then the older, then by id.
    struct Turn {
        int priority;
        journeys::Timestamp opened;
        journeys::IntentId id;
        bool operator<(const Turn& other) const;
    };

    void offered(Offered& offer);
    void offered_granted(Offered& offer);
    void granted(Granted& message);
    void standing(const Standing& answer);
    void answered(const ProviderAnswered& answer);
    void moved(const Moved& answer);
    void hand_over_answered(const HandOverAnswered& answer);
    void settle(Item& item, journeys::IntentState state, std::string detail);
    /// Ends what will not be tried again: the customer gets back what the grant spent, if nothing
    /// was written.
    void give_up(Item& item, std::string detail);
    void append_settled(Item& item);
    void drop(journeys::IntentId id);
    /// Out of what its state has it in: a queue, a place.
    void leave_state(Item& item);
    /// No more attempts of our own accord; it waits for an operator, or for its end.
    void set_aside(Item& item, const std::string& detail);
    void count();
    void try_later(Item& item, journeys::Duration at_least);
    bool may_repeat(const Item& item) const;
    void note(Item& item, Row row);
    void noted(const AttemptNoted& answer);
    /// On its way to the call: once its row says that it may be written.
    void begin(Item& item);
    void wait_for_call(Item& item);
    void confirm(Item& item);
    void call(Item& item);
    void pump();
    /// Begins with what waits, as far as there are places and tokens, and lends what is left.
    void take_on(journeys::Timestamp now);
    /// Begins as many calls as there may be at a time.
    void call_waiting(journeys::Timestamp now);
    /// Intents between the question to the customer and the answer.
    std::size_t places() const;
    /// Nothing is sent any more that has outlived its step's `expires`.
    void end_expired(journeys::Timestamp now);
    /// Lends what is free where nothing waits, and calls it in where something does.
    void lend(journeys::Timestamp now);
    void call_in();
    bool take_token(journeys::Timestamp now);
    void give_tokens_back(std::size_t count);
    bool breaker_lets_through(journeys::Timestamp now, std::size_t before_it) const;
    void succeeded();
    void failed(journeys::Timestamp now);
    void tick();
    void control(ChannelControl& control);
    void leave_queue(Item& item);
    Turn turn(const Item& item) const;

    const Ports& ports_;
    ChannelSettings settings_;
    Channel& provider_;
    std::vector<caf::actor> owners_;           ///< By partition.
    std::map<Partition, caf::actor> left_out_; ///< Who has rows that found no place.
    std::unordered_map<journeys::IntentId, Item> items_;
    std::set<Turn> ready_;
    std::set<std::pair<journeys::Timestamp, journeys::IntentId>> backing_off_;
    std::set<Turn> waiting_;
    std::size_t under_way_ = 0; ///< asking, beginning, waiting, confirming, calling.
    std::size_t calling_ = 0;   ///< confirming, calling.
    std::size_t noting_ = 0;    ///< Notes that are not answered yet.
    Lead lead_;
    std::shared_ptr<Permits> permits_;
    std::shared_ptr<Pulse> pulse_;
    std::size_t lent_ = 0; ///< Places and tokens that customers have, or may take.
    std::set<journeys::IntentId> settling_, dead_;
    /// Granted ones that wait: when each of them must end.
    std::set<std::pair<journeys::Timestamp, journeys::IntentId>> ends_;
    /// Fills at `rate` a second, up to `most`; a rate of 0 never runs dry.
    struct Bucket {
        double rate = 0, most = 1, left = 1;
        journeys::Timestamp at{};
        /// `held`: how many of `most` are lent out.
        bool has_one(journeys::Timestamp now, double held);
    };
    Bucket by_second_, by_minute_;
    journeys::Timestamp hold_until_{};
    int failures_ = 0;
    bool breaker_is_open_ = false, paused_ = false, draining_ = false;
    journeys::Timestamp breaker_until_{};
    journeys::Duration breaker_span_{};
    std::function<void()> drained_;
    ChannelCounts counts_;
};

} // namespace actors
