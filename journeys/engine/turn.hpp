/// One transition of one customer, while it happens: what the parts of the engine share.
///
///   engine.cpp     records and timers in, in their order
///   entries.cpp    which journeys an event opens
///   becoming.cpp   which journeys a condition opens that turned true
///   exits.cpp      which runs an event ends
///   waits.cpp      what arms, restarts and resumes a wait
///   steps.cpp      a run goes on until it must wait
///   sends.cpp      permission, hand-over, outcome
///   goals.cpp      what a message achieved
///   decisions.cpp  the next best action, and what came of it
///   lifecycle.cpp  stage and churn risk
///   dates.cpp      the timers of journeys by a date
///   versions.cpp   what a publication does to open runs
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/effect.hpp"
#include "journeys/engine.hpp"
#include "journeys/environment.hpp"
#include "journeys/policy.hpp"
#include "journeys/reason.hpp"

#include <deque>
#include <string>
#include <string_view>

namespace journeys::engine {

/// Runs are named by their id, never by address or index: ending one moves the others.
class Turn {
public:
    Turn(Customer& customer, const Catalog& catalog, Effects& effects);

    // engine.cpp
    Applied take(const Record& record);
    /// Fires what is due at or before `closed`; at most `limit`, true where more is due.
    bool fire_due(Timestamp closed, int limit);
    /// An event that nobody did: it is met, and no sign of life.
    Applied take_copy(const Event& copy, Timestamp accepted_at);
    /// An event meets the customer: exits, waits, goals, entries; then what it made happen here.
    void meet(const Event& event, bool late, bool too_late);

    void meet_what_was_made();

    // exits.cpp
    void meet_exits(const Event& event);
    /// Looks at the exit rules that name no event. True where one ended the run.
    bool meet_timeless_exits(RunId run);
    /// An import: rules that an event newer than the run's entry would have met.
    void meet_exits_of_the_past(RunId run);
    enum class Ending { exit, end };
    void end_run(RunId run, Ending ending, std::string_view reason);

    // waits.cpp
    void meet_waits(const Event& event, bool too_late);
    /// Sets the run's due time for the wait it stands at, or sends it on where there is nothing to
    /// wait for.
    void begin_wait(Run& run, const Journey& journey, const Step& step);
    /// What the wait was for has come at `at`: the run goes on to `next`. While its journey is
    /// paused it stands still, and goes on from that instant once the journey does; until then
    /// `wait_limit` says that it was met, which these waits have no other use for.
    void leave_wait(Run& run, StepIndex next, Timestamp at);
    void wait_is_over(RunId run);

    // steps.cpp
    /// Goes on from `step` until the run waits, sends or ends. `base`: from where the step's time
    /// counts.
    void go_on(RunId run, StepIndex step, Timestamp base);
    void update(const Run& run, const Step& step, const Update& change);

    // sends.cpp
    /// Stands at a send: opens its intent, defers it, or suppresses it and says so. True where the
    /// run goes on.
    bool reach_send(Run& run, const Journey& journey, const Step& step);
    Permission may_send(const Run& run, const Journey& journey, const Step& step);
    void suppress(const Run& run, const Journey& journey, const Step& step, Reason reason);
    void defer(Run& run, const Step& step, const Deferred& deferred);
    HandOver hand_over(IntentId intent);
    /// Gives the run a code of the send's pool, where it has none yet; else why it goes without.
    Permission give_coupon(Run& run, const Send& send);
    /// The send's data as a packed map; nothing where an expression fails.
    std::optional<std::string> evaluate_data(const Run& run, const Send& send);
    void settle(const Settled& settled);
    /// What a provider reported afterwards tells what became of an intent.
    void learn(const Event& reported);
    /// Takes back what may not be sent any more: the person has withdrawn consent, or the address
    /// is of no use. Of what is granted the channel asks before it writes.
    void withdraw();
    /// Takes back what is on its way to a provider.
    void recall(Run& run, Reason reason);

    // goals.cpp
    void watch_goals(const Run& run, const Journey& journey, Timestamp from);
    void meet_goals(const Event& event);

    // decisions.cpp
    /// Decides which action is taken at a step. Returns where the run goes on.
    StepIndex take_decision(const Run& run, const Journey& journey, const Step& step,
                            const Decide& decide);
    /// Says what was decided, and waits for what comes of it. `line`: where it was decided.
    void note_decision(const Event& decided, TimelineEntry line);
    /// Each decision is rewarded by the first event that it waits for.
    void meet_rewards(const Event& arrived);
    /// An import: what one of the two waited for may have happened to the other.
    void meet_rewards_of_the_past();
    /// `order`: hash of the id of the order by which; 0: by none that could be undone.
    void reward(const DecisionWatch& watch, std::string_view event, Money value,
                std::uint64_t order);
    /// An order was cancelled, given back or amended: what it rewarded is taken back as far as it
    /// is undone, and waits again where another order may still come, or has.
    void review_rewards();
    /// Beyond the bound the oldest is waited for no longer: what came of it stays unknown, and the
    /// timeline says so, or it would pass for a failure.
    void forget_decisions();
    /// Rewards it where what is remembered, orders and newest events, is what it waits for.
    bool is_met_by_the_past(const DecisionWatch& watch);
    /// The same of orders alone.
    bool is_met_by_an_order(const DecisionWatch& watch);

    // entries.cpp
    void meet_entries(const Event& event, bool late, bool too_late);
    /// Lets a customer in whom an audience's entry has reached, or says why not.
    void enter_by_audience(const Event& reached, bool late, bool too_late);
    /// Enters one journey, or says why not.
    void meet_entry(const Event& event, const Journey& journey, bool late, bool too_late);
    /// The condition that was not met: its line, and which of `enter.when` it is, from 1.
    struct Unmet {
        std::uint32_t line = 0, condition = 0;
    };
    /// Nothing where the run was opened; else why not, with the condition that was not met.
    std::optional<NoEntry> try_enter(const Event& event, const Journey& journey, bool late,
                                     bool too_late, Unmet& unmet);
    void refuse(const Journey& journey, NoEntry reason, Unmet unmet);
    /// One run of it, for `item` (packed) where the journey is entered for each element of a list.
    std::optional<NoEntry> try_enter_one(const Event& event, const Journey& journey,
                                         std::string_view item);
    /// The key of the run that the event would open; else why it has none.
    std::optional<NoEntry> find_key(const Event& event, const Journey& journey,
                                    std::string_view item, std::string& key);
    /// The elements for which `enter.each` opens runs, packed; nothing where it fails.
    std::optional<std::vector<std::string>> entry_items(const Journey& journey);
    /// Enters it whatever conditions, re-entry and roll-out say, for a trial; of a list the first.
    std::optional<NoEntry> enter_for_trial(const Event& event, const Journey& journey);
    void enter_run(const Event& event, const Journey& journey, std::string key,
                   std::string_view item);
    /// An event that its key's open run kept out is remembered there, where the journey asks.
    void keep_entry_event(Run& run, const Event& event, std::string_view item);
    /// Ends lower runs of the journey's group, or says that it may not be entered beside a higher
    /// one.
    bool takes_precedence(const Journey& journey);

    // becoming.cpp
    /// Notes which journeys' `becomes` does not hold before a transition: neither of the customer
    /// nor of `other`, with whom they are about to be united.
    void look_before(const Customer* other = nullptr);
    bool held_before(const Journey& journey, const Customer& who);
    /// Enters those whose condition holds after it.
    void enter_what_became_true(const Event& cause, bool late, bool too_late);
    /// The same where no event was applied: a `Profile Changed` is made that opens them.
    void enter_what_became_true();
    /// After an import: at most one run of each group stays.
    void keep_groups_exclusive();

    // lifecycle.cpp
    /// Looks at stage and risk as of `at`: says what changed, opens journeys that the risk has
    /// reached, and sets the one timer for what time changes next. `cause`: order, time or models.
    void review_lifecycle(Timestamp at, std::string_view cause);
    /// Of an order that happened long before `at`, as history that is imported did, others follow:
    /// what they come to is looked at once, by a timer some minutes later, and as of then.
    void review_lifecycle_later(Timestamp at);
    void enter_by_risk(Timestamp at);
    /// The models and dates of a new publication; `at`: when it became known of, so that what the
    /// past would have opened is opened now.
    void meet_models(Timestamp at);
    /// When the risk passes the wait's; nothing where it never does.
    std::optional<Timestamp> risk_wait_due(const Run& run, const WaitUntilRisk& wait) const;
    void rearm_risk_waits();

    // dates.cpp
    /// Sets the timer of each journey by a date to what comes next after `at`. One that is due
    /// already stays: it fires first.
    void arm_dates(Timestamp at);
    /// The earliest of them has come.
    void enter_by_date();

    // versions.cpp
    /// What it does to open runs, at its place in the log. True where it is new to the customer.
    bool adopt_publication();

    // What all of them use.
    Run* find(RunId id);
    const Journey* journey_of(const Run& run) const {
        return catalog.version(run.journey, run.version);
    }
    /// The journey's word of today on whether its runs may move.
    bool is_held(const Run& run) const;
    Met look(const Expression& condition, const Run* run);
    bool is_met(const Expression& condition, const Run* run) {
        return look(condition, run) == Met::yes;
    }
    bool all_met(const std::vector<Expression>& conditions, const Run* run);
    cel::Value value(const Expression& expression, const Run* run);
    TimelineEntry entry(EntryKind kind, const Run& run) const;
    void say(TimelineEntry line) { effects.emplace_back(std::move(line)); }
    /// Makes an event of our own, if anybody would notice it.
    void announce(std::string_view name, std::string properties);
    /// The event as a run keeps it: only the properties that the journey reads, at most 8 KiB.
    /// `item`: packed, kept beside it; empty: none.
    std::string cut(const Event& event, const Journey& journey, std::string_view item = {}) const;
    Status status_of(const Journey& journey) const;

    Customer& customer;
    const Catalog& catalog;
    Effects& effects;
    Timestamp now{}; ///< The instant of evaluation.
    Timestamp received_at{};
    const Event* event = nullptr;
    bool permission_changed = false; ///< Then `meet_what_was_made` withdraws.

private:
    Evaluator& evaluator_;
    std::deque<Event> made_here_;
    std::vector<const Journey*> not_yet_; ///< Whose `becomes` has not held in this transition.
    int entries_left_ = 0; ///< How many journeys the event may still open, chained ones included.
    std::uint64_t made_count_ = 0;
    std::uint64_t cause_ = 0; ///< Message hash of what everything in this turn comes from.
    const RunCoupon* coupon_ = nullptr; ///< What `coupon` is while data is evaluated.
    std::string failure_; ///< Packed: the error for which the next message is left out; else empty.
};

/// One event opens at most this many journeys in a chain.
inline constexpr int entries_per_event = 8;
/// Events made here that one event may lead to.
inline constexpr int made_here_per_event = 64;
/// Elements of a list for which one event enters a journey; the rest is left out.
inline constexpr std::size_t items_per_entry = 50;
/// Timers that fire before one record; what is due beyond fires as the clock goes on.
inline constexpr int timers_per_record = 10'000;

bool contains(const std::vector<std::string>& names, std::string_view name);

/// What an event brought: of an order its revenue, net of refunds; else its own `revenue`, `total`
/// or `value`.
Money value_of(const Customer& customer, const Event& event);

/// Shorthand for a flat map of texts.
std::string
packed_texts(std::initializer_list<std::pair<std::string_view, std::string_view>> texts);

} // namespace journeys::engine
