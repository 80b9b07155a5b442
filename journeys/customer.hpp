/// One person and all that is remembered of them. Plain data with stated bounds; what it means is
/// in `profile.hpp` (what events do to it) and `engine.hpp` (what journeys do with it).
#pragma once

#include "journeys/ids.hpp"
#include "journeys/lifecycle.hpp"
#include "journeys/models/purchases.hpp"
#include "journeys/money.hpp"
#include "journeys/reason.hpp"
#include "journeys/record.hpp"
#include "journeys/result.hpp"
#include "journeys/time.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace journeys {

/// The bounds of what a customer remembers; the oldest goes first.
namespace bounds {
inline constexpr std::size_t carts = 4;
inline constexpr Duration cart_age = std::chrono::hours{24 * 30};
inline constexpr std::size_t cart_lines = 100;
inline constexpr std::size_t orders = 20;
inline constexpr std::size_t order_ids = 64; ///< Hashes of older orders, so that none counts twice.
inline constexpr std::size_t session_products = 20;
inline constexpr std::size_t counter_exact = 64;
inline constexpr std::size_t counter_hours = 24 * 31; ///< Beyond, older ones become spans.
inline constexpr std::size_t ended_keys = 256;        ///< Per journey.
inline constexpr std::size_t dedup_ring = 128;        ///< Beyond it only those of the last while,
inline constexpr Duration dedup_recent = std::chrono::hours{2}; ///< which the log has no index of,
inline constexpr std::size_t dedup_ring_max = 4096;             ///< and never more than this.
inline constexpr std::size_t sends = 128;
inline constexpr std::size_t runs = 64;
inline constexpr std::size_t entered_by_risk = 64;
inline constexpr std::size_t goal_watches = 64;
inline constexpr std::size_t decisions = 256; ///< Whose reward may still come.
inline constexpr std::size_t rewarded = 256;  ///< Decisions whose reward may still be taken back,
inline constexpr Duration rewarded_age = std::chrono::hours{24 * 100}; ///< as long as this.
inline constexpr std::size_t dates = 64; ///< Journeys by a date, those of high priority first.
inline constexpr std::size_t trait_bytes = 16 * 1024;
inline constexpr std::size_t run_bytes = 8 * 1024;
inline constexpr std::size_t entry_events = 20; ///< `run.events`, within `run_bytes`.
inline constexpr std::size_t transfers = 64;
inline constexpr std::size_t known_ids = 64;
inline constexpr std::size_t consents = 64;
inline constexpr std::size_t address_bytes = 2048; ///< An index of PostgreSQL takes 2,704 at most.
inline constexpr std::size_t refusals = 64;        ///< One a journey.
inline constexpr std::size_t suppressions = 32;
inline constexpr std::size_t text_bytes = 1024; ///< Of one text in a cart, an order or a session.
inline constexpr std::size_t newest_bytes = 8 * 1024; ///< Of the properties kept of one event.
} // namespace bounds

struct CartLine {
    std::string product_id, sku, name, category, url, image_url;
    Money price;
    std::int64_t quantity = 0; ///< 0: removed; kept so that an older edit cannot bring it back.
    Timestamp changed_at{};
};

struct Cart {
    std::string id; ///< The producer's, or one made here.
    bool made_here = false;
    std::vector<CartLine> lines;
    std::string currency;
    bool mixed_currencies = false; ///< Then it has no value.
    Timestamp updated_at{};
    Timestamp emptied_at{}; ///< Of the newest whole replacement: older single edits do not count.
    bool ordered = false;
    std::string checkout_id;      ///< Joins a later order to this cart.
    std::string order_id;         ///< The same, by the order that its checkout named.
    bool joined_by_guess = false; ///< That checkout named no cart; this one seemed to be meant.

    Money value() const; ///< Sum of price times quantity over the lines that are there.
    bool is_empty() const;
};

enum class OrderStatus : std::uint8_t { placed, cancelled, refunded };

struct OrderLine {
    std::string product_id, sku, name, category;
    Money price;
    std::int64_t quantity = 1;
};

struct Order {
    std::string id;
    std::vector<OrderLine> items;
    Money total;    ///< What was paid, by `total`, else `revenue`, else `value`.
    Money refunded; ///< Part of it that went back.
    std::string currency;
    Timestamp placed_at{};
    OrderStatus status = OrderStatus::placed;
    std::string coupon;
    std::string cart_id;    ///< The cart that it named; empty: its products left every cart.
    Timestamp changed_at{}; ///< Of the newest event about it: older ones only fill gaps.
    bool confirmed = false; ///< It was seen completed or updated, not only cancelled or refunded.
};

struct Session {
    std::string id; ///< Empty before the first.
    Timestamp started_at{};
    Timestamp last_at{};
    std::int64_t views = 0, events = 0;
    std::vector<std::string> products; ///< Newest first.
    std::vector<std::string> categories;
    std::string referrer, campaign;
    bool end_announced = false; ///< `Session Ended` was made.
};

/// How often something happened; kept only for names that a journey counts.
struct Counter {
    std::string name;
    struct Occurrence {
        Timestamp at{};
        std::string properties; ///< Packed; only those that a journey reads by `count` or `recent`.
    };
    std::vector<Occurrence> newest; ///< Oldest first.
    struct Hour {
        std::int64_t hour = 0; ///< Hours since 1970.
        std::uint32_t count = 0;
    };
    std::vector<Hour> hours; ///< Occurrences older than those in `newest`; oldest first.
};

/// The newest event of each name that some exit, wait or goal mentions, for runs that are imported
/// later.
struct NewestEvent {
    std::string name;
    Timestamp at{};
    std::string properties; ///< Packed; only what journeys read.
};

enum class ConsentState : std::uint8_t {
    never,
    subscribed,
    unsubscribed,
    pending, ///< Subscribed where that must be confirmed (double opt-in), and was not yet.
};

struct Consent {
    std::string channel;
    std::string topic; ///< Empty: every topic of the channel that has no state of its own.
    ConsentState state = ConsentState::never;
    Timestamp at{};
    std::string source{};       ///< Who said so: `identify`, `import`, `journey ID`, …
    std::string text_version{}; ///< Of the words that were agreed to, as the shop names them.
};

/// An address that must not be used any more. Bound to the address: a new one is not concerned.
struct Suppression {
    std::string channel;
    std::uint64_t address = 0; ///< `address_hash` of it; 0: whatever the channel's address is.
    std::string reason{};      ///< `bounce`, `complaint`, `stop`, `import`.
    Timestamp at{};
};

/// A message that a provider was given, or that counts as if: for caps and `last_sent`.
struct SendMark {
    Timestamp at{};
    std::string channel, topic;
    IntentId intent;
    bool capped = true; ///< False for transactional ones, which no cap counts.
};

/// Where the intent of a run's send step stands.
enum class Sending : std::uint8_t {
    none,
    deferred, ///< Held by quiet hours or a cap until `due`.
    pending,  ///< In the outbox; waits for the channel.
    granted,  ///< Handed over; the outcome is not known yet.
    revoked,  ///< Was granted, and must not be sent any more; the channel says whether it was.
};

struct SentStep {
    std::string step;
    Timestamp scheduled{}; ///< When the run reached the step.
    Timestamp at{};        ///< When it was handed over.
    IntentState state = IntentState::accepted;
    // The first time that the provider reported it; zero: not yet. Opens and clicks of people only.
    Timestamp delivered_at{}, opened_at{}, clicked_at{};
};

/// The code that a run was given of a pool: one, however many of its messages carry it.
struct RunCoupon {
    std::string pool, code;
    Timestamp expires_at = no_time;
};

/// One customer's way through one journey.
struct Run {
    RunId id;
    std::string journey;
    std::uint64_t version = 0;
    std::string key;
    std::string cart_id; ///< Where the journey's key reads `cart.id`: that cart.
    CustomerId customer_at_entry;
    Timestamp entered_at{};
    std::uint64_t entry_message = 0; ///< The message that opened it neither ends nor resumes it.
    std::string
        event; ///< Packed {name, properties, timestamp}: what opened it, cut to what is read.
    std::string last_event; ///< The same of what last resumed or restarted a wait; empty: none.
    bool held_out = false;

    std::uint16_t step = 0; ///< Index into the journey's flat steps: where it stands.
    Timestamp
        base{}; ///< From where the step's own time counts: the entry event, or the previous due.
    Timestamp due = no_time;        ///< When time moves it on.
    Timestamp wait_limit = no_time; ///< `at_most` of a wait that restarts; of one for an event, a
                                    ///< condition or a date: when it was met while it was held.
    Timestamp step_reached{};       ///< When the step began.
    Sending sending = Sending::none;
    IntentId intent; ///< While `sending` is not none.
    Timestamp expires_at = no_time;
    Timestamp last_hand_over{}; ///< Zero: none yet.
    std::string frozen_data;    ///< Packed; the send's data, from the first hand-over on.
    std::vector<SentStep> sent;
    /// As `event`: those that would have opened it again while it was open. Oldest first; kept only
    /// where the journey reads them.
    std::vector<std::string> events{};
    std::vector<RunCoupon> coupons{}; ///< One a pool.
};

/// An ended run, for `reentry` and late goals.
struct EndedRun {
    std::string journey;
    std::uint64_t key_hash = 0;
    Timestamp entered_at{};
    Timestamp ended_at{};
};

/// A goal that still may be reached: opened by a send, or by the instant at which a held-out one
/// would have left.
struct GoalWatch {
    std::string journey;
    std::uint64_t version = 0;
    RunId run;
    std::string key;
    std::uint16_t goal = 0; ///< Index into the journey's goals.
    bool held_out = false;
    Timestamp from{}, until{};
};

/// A decision whose reward may still come.
struct DecisionWatch {
    IntentId id;        ///< The decision's.
    std::string action; ///< Empty: nothing was done.
    std::string reward; ///< The event that is waited for.
    Timestamp from{}, until{};
};

/// A decision that an order has rewarded: what is cancelled or given back later takes that back.
struct RewardedDecision {
    DecisionWatch watch;     ///< As it waited.
    std::uint64_t order = 0; ///< Hash of its id.
    Money value;             ///< What is left of what the order came to.
    Timestamp at{};
};

/// The newest event that a journey named and that opened no run of it.
struct Refusal {
    std::string journey;
    std::uint64_t version = 0;
    NoEntry reason = NoEntry::when;
    std::uint32_t line = 0; ///< In the journey's file, of the condition that was not met; else 0.
    Timestamp at{};
    /// Which of the version's `enter.when` that was, from 1; 0: none of them, or unknown. What the
    /// line says changes with edits that make no version; this does not.
    std::uint32_t condition = 0;
};

/// The one timer of a journey that is entered at a date, and what it has come to.
struct DateTimer {
    static constexpr std::int32_t no_day = -2'000'000; ///< Before every day that may be written.

    std::string journey;
    std::int32_t day = no_day;      ///< Since 1970; the occurrence that `due` is for.
    std::int32_t last_day = no_day; ///< The newest occurrence that came: none comes twice.
    Timestamp due = no_time;
};

/// All that is remembered of one person.
struct Customer {
    CustomerId id;
    std::vector<CustomerId> known_ids;    ///< Others that reach this customer.
    std::optional<CustomerId> forward_to; ///< A tombstone: everything that arrives goes there.
    std::vector<std::uint64_t> transfers; ///< Transfers already united.
    std::uint64_t applied = 0;            ///< Offset of the newest record that was applied.
    std::uint64_t revision = 0;           ///< Count of transitions: records, timers, grants.
    std::uint64_t publication = 0;        ///< The catalogue that it last met, for `on_publish`.

    Timestamp now{};         ///< Newest event time seen; never goes back.
    Timestamp accepted_at{}; ///< Of the newest record applied.
    Timestamp first_seen{}, last_seen{}, last_order_at{};
    std::string traits;    ///< Packed map.
    Timestamp traits_at{}; ///< Of the newest message that gave traits: older ones only fill gaps.
    std::string timezone, locale, country; ///< From context or traits; the newest word counts.
    std::vector<Consent> consents;
    std::vector<Suppression> suppressions;
    /// Opens and clicks by the hour of the person's own day, for `at: best_hour`. Empty, or 24.
    std::vector<std::uint16_t> active_hours;

    std::vector<Cart> carts; ///< The one changed last is last.
    std::uint32_t carts_made = 0;
    std::vector<Order> orders;               ///< Oldest first.
    std::vector<std::uint64_t> older_orders; ///< Hashes of ids that `orders` no longer holds.
    std::int64_t order_count = 0;            ///< Without cancelled and fully refunded ones.
    Money revenue; ///< Net of refunds; in the currency of the first order.
    std::string currency;
    models::Purchases purchases; ///< The days of the orders that count.
    Lifecycle lifecycle;
    Session session;
    std::vector<Counter> counters;
    std::vector<NewestEvent> newest_events;

    std::vector<Run> runs; ///< Open ones, oldest first.
    std::vector<EndedRun> ended;
    std::vector<GoalWatch> goals;
    std::vector<SendMark> sends;   ///< Oldest first.
    std::vector<Refusal> refusals; ///< One a journey.
    std::vector<DateTimer> dates;
    std::vector<DecisionWatch> decisions;   ///< Oldest first.
    std::vector<RewardedDecision> rewarded; ///< Oldest first.

    std::vector<std::uint64_t> dedup;     ///< Message hashes, oldest first.
    Timestamp dedup_evicted{};            ///< `written` of the newest one that fell out.
    std::vector<Timestamp> dedup_written; ///< Beside `dedup`.
};

/// The earliest timer of a journey by a date; `no_time` where there is none.
Timestamp next_date(const Customer& customer);

/// The customer as one flat block, for memory and snapshot alike, and back. The block begins with
/// its schema version; `unpack` reads this version and those before it, and refuses others by name.
inline constexpr std::uint8_t customer_schema_version = 6;
/// What the release before this one reads.
inline constexpr std::uint8_t customer_schema_version_before = 5;
std::string pack(const Customer& customer);
/// As the release before this one reads it: what that has no field for is left out.
std::string pack_for_release_before(const Customer& customer);
Result<Customer> unpack(std::string_view block);
/// The same into a customer that was used before, whose memory is used again: most of what
/// unpacking costs is allocation. After an error `customer` is of no use until the next call.
Result<void> unpack(std::string_view block, Customer& customer);
/// The same of a block that this process has packed: what it holds packed is not read through.
Result<void> unpack_own(std::string_view block, Customer& customer);

} // namespace journeys
