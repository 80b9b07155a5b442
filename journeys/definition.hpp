/// A journey as marketing wrote it, checked and compiled. Immutable; shared between threads.
///
/// The steps of all blocks stand in one flat list. `next` says where a run goes after a step, so a
/// run's place is one number, and what follows a branch is found without a stack.
#pragma once

#include "journeys/cel/program.hpp"
#include "journeys/choice.hpp"
#include "journeys/time.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace journeys {

/// The index of a step in `Journey::steps`; `end_of_run` where the run completes.
using StepIndex = std::uint16_t;
inline constexpr StepIndex end_of_run = 0xffff;

/// How often an expression was evaluated, was met, and ended in an error: for the journey's page
/// and `check --against`. Relaxed counters that all threads share; no part of any decision.
struct ExpressionCounts {
    std::atomic<std::uint64_t> evaluated = 0, met = 0, failed = 0;
};

struct Expression {
    std::shared_ptr<const cel::Program> program;
    unsigned line = 0; ///< Of the file, for reasons and counts.
    /// The file's own `vars`, packed; null where it has none. They stand above those of all files.
    std::shared_ptr<const std::string> vars;
    std::shared_ptr<ExpressionCounts> counts = std::make_shared<ExpressionCounts>();
};

/// A zone for local times: the customer's own, or a fixed IANA name.
struct ZoneChoice {
    bool of_customer = true;
    std::string name;
};

struct WaitFor {
    Duration duration{};
    std::vector<std::string> restart_on;
    std::optional<Duration> at_most; ///< Of all restarts together, from the wait's first beginning.
};

struct WaitUntilTime {
    std::chrono::minutes time{};
    std::uint8_t weekdays = 0x7f; ///< Bit 0 is Sunday, as in `getDayOfWeek`.
    ZoneChoice zone;
};

struct WaitUntilDate {
    Expression date;
    Duration offset{};
    std::optional<std::chrono::minutes> time; ///< Of that day in `zone`; none: the instant itself.
    ZoneChoice zone;
    enum class Past : std::uint8_t { exit, go_on, skip } past = Past::exit;
    StepIndex after_skip =
        end_of_run; ///< The next wait of the same list, or what follows the list.
};

struct WaitForEvent {
    std::vector<std::string> events;
    std::optional<Expression> when;
    std::optional<Duration> at_most; ///< None only where the loader proved another end.
    StepIndex then = end_of_run, timeout = end_of_run; ///< Both lead on to what follows the wait.
};

struct WaitForCondition {
    Expression condition;
    std::optional<Duration> at_most;
    StepIndex then = end_of_run, timeout = end_of_run;
};

/// Until the customer's risk passes `risk`; a purchase moves it, and so does another model. Without
/// a model, or where the risk never gets there, only `at_most` or an exit ends it.
struct WaitUntilRisk {
    double risk = 0;
    std::optional<Duration> at_most;
};

enum class Purpose : std::uint8_t { marketing, transactional };
enum class Delivery : std::uint8_t { at_most_once, at_least_once };
enum class OnQuietHours : std::uint8_t { defer, ignore, drop };
enum class OnCap : std::uint8_t { drop, defer, ignore };

/// A message (`send`) or a plain request (`call`: no consent, no quiet hours, no cap).
struct Send {
    std::string channel, template_name, topic, from;
    std::vector<std::pair<std::string, Expression>> data;
    std::string coupon; ///< The pool of which the run is given a code; empty: of none.
    std::optional<Expression> when;
    bool is_checked_late = false; ///< `when` asks for products, which only a hand-over does.
    Purpose purpose = Purpose::marketing;
    Delivery delivery = Delivery::at_most_once;
    OnQuietHours quiet_hours = OnQuietHours::defer;
    OnCap capped = OnCap::drop;
    Duration expires = std::chrono::hours{24};
    bool is_call = false;
    bool at_best_hour =
        false; ///< Waits, at most a day, for the hour at which the person is active.
};

struct Branch {
    struct Arm {
        std::optional<Expression> when; ///< None: otherwise.
        StepIndex first = end_of_run;
    };
    std::vector<Arm> arms;
};

struct Split {
    struct Variant {
        std::string name;
        double weight = 0; ///< Percent; all add up to 100.
        StepIndex first = end_of_run;
    };
    std::vector<Variant> variants;
};

/// What counts as a decision's success: this event, so long after it.
struct RewardRule {
    std::string event;
    Duration within{};
};

/// The next best action. What `actions.yaml` says of the actions is read when the step is reached;
/// their own steps stand in the journey, behind this one.
struct Decide {
    struct Way {
        std::string action;
        StepIndex first = end_of_run; ///< Of the action's steps, else of what follows the decision.
    };
    std::vector<Way> ways;
    DecisionPolicy policy = DecisionPolicy::best;
    std::optional<RewardRule> reward; ///< None: as `actions.yaml` has it.
};

struct Update {
    std::vector<std::pair<std::string, Expression>> set;
    struct Unsubscribe {
        std::string channel, topic;
    };
    std::optional<Unsubscribe> unsubscribe;
};

struct ExitStep {
    std::string reason;
};

struct Step {
    std::string
        path; ///< Its name, or indexes and branch labels: `3.when0.1`. Unique in the journey.
    bool named = false;
    unsigned line = 0;
    bool of_action = false; ///< Stands in the file of actions.
    StepIndex next = end_of_run;
    std::variant<WaitFor, WaitUntilTime, WaitUntilDate, WaitForEvent, WaitForCondition,
                 WaitUntilRisk, Send, Branch, Split, Decide, Update, ExitStep>
        action;
};

/// Whether a run stands at the step until something comes: time, an event, a condition, a risk. A
/// message on its way is none.
bool is_wait(const Step& step);

/// What a journey is expected to do, so that its silence is noticed. Decides nothing.
struct Watch {
    std::optional<std::int64_t> sends_min, sends_max; ///< Messages handed over in 24 hours.
    std::optional<double> suppressed_below; ///< The share not sent, 0 to 1; the held-out apart.
};

enum class Status : std::uint8_t { draft, test, live, closed, paused, archived };
enum class OnPublish : std::uint8_t { pin, migrate, exit };

struct Reentry {
    enum class Kind : std::uint8_t { always, never, after } kind = Kind::always;
    Duration after{};
    bool per_customer = false; ///< Else per key.
};

/// In place of `on`: a day of the customer, such as a birthday, told by an expression that no event
/// is needed for.
struct DateEntry {
    Expression date; ///< A timestamp, or a text: `1990-05-17`, `05-17`.
    enum class Every : std::uint8_t { once, month, year } every = Every::once;
    std::chrono::days offset{};  ///< From the day to the one at which the run begins.
    std::chrono::minutes time{}; ///< Of that day, in `zone`.
    ZoneChoice zone;
};

/// In place of `on`: everybody in an audience, at instants that the file names or at an operator's
/// word.
struct AudienceEntry {
    std::string audience;
    std::optional<Timestamp> at;              ///< Once; or else, where there is one, at
    std::optional<std::chrono::minutes> time; ///< this time of these days in `zone`.
    std::uint8_t weekdays = 0x7f;
    std::string zone = "UTC";
    double pace = 200; ///< Customers a second.
    unsigned line = 0;
};

/// Beside `on`, whose events are about products: who has done one of these with the product.
struct InterestRule {
    std::vector<std::string> did;
    Duration within{};
    unsigned line = 0;
};

struct Entry {
    std::vector<std::string> on;
    std::optional<Expression> becomes;   ///< Instead of `on`: the event at which it turns true.
    std::optional<Expression> each;      ///< A list: one run for each element, as `run.item`.
    std::vector<Expression> when;        ///< All must hold.
    std::optional<double> on_churn_risk; ///< In place of `on`: when the risk rises above it.
    std::optional<DateEntry> date;
    std::optional<AudienceEntry> audience;
    std::optional<InterestRule> interested;
    std::optional<Expression> key;
    bool key_is_cart = false; ///< The key reads `cart.id`: runs belong to that cart.
    Reentry reentry;
    std::optional<Timestamp> from, until;
    double rollout = 1; ///< Share let in, 0 to 1.
};

struct ExitRule {
    std::vector<std::string> on; ///< Empty: any event.
    std::vector<Expression> when;
    std::string reason; ///< By default `exit`.
    unsigned line = 0;
};

struct Goal {
    std::vector<std::string> on;
    std::vector<Expression> when;
    Duration within{};
    std::optional<Expression> value; ///< None: the order's revenue, net of refunds.
};

struct Journey {
    std::string id, title, owner, notes, file;
    std::string actions_file; ///< Of the steps of actions; empty: there are none.
    std::vector<std::string> tags;
    std::uint64_t version = 0; ///< Content hash without title, owner, tags and notes.
    Status status = Status::draft;
    int priority = 50;
    std::string exclusive; ///< At most one open run of this group per customer; empty: of none.
    double holdout = 0;    ///< 0 to 1.
    OnPublish on_publish = OnPublish::pin;
    Entry enter;
    std::vector<ExitRule> exits;
    std::vector<Goal> goals;
    std::optional<Watch> watch; ///< No part of the version.
    std::vector<Step> steps;
    StepIndex first = end_of_run;
    std::vector<std::string>
        properties_read; ///< Of `event`, `run.event` and `run.last_event`; "*": all of them.
    bool keeps_entry_events = false; ///< Some expression reads `run.events`.

    const Step* find_step(std::string_view path) const {
        for (const auto& step : steps)
            if (step.path == path) return &step;
        return nullptr;
    }
};

using JourneyPtr = std::shared_ptr<const Journey>;

/// A version as people see it: the first 8 hexadecimal digits of the content hash.
std::string version_text(std::uint64_t version);

} // namespace journeys
