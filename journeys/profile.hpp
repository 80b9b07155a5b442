/// What events say about a person: traits, consent, carts, orders, sessions, counters, and what was
/// seen before.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/effect.hpp"
#include "journeys/event.hpp"

#include <vector>

namespace journeys {

/// Notes the message in the dedup ring. False where it was seen within `window` (measured on
/// `accepted_at` and `written`): then it must have no second effect. An event without deduplication
/// is always new.
bool remember_message(Customer& customer, const Event& event, Duration window);
/// Lets go of what the ring need not hold at `now`: see `bounds::dedup_ring`.
void trim_dedup(Customer& customer, Timestamp now);

/// Whether an event that the ring does not hold may have been seen before it: something fell out of
/// the ring, and this is not newer. Then the closed log must be asked before the event is
/// dispatched.
bool may_be_older_duplicate(const Customer& customer, const Event& event);

/// Whether what happened at `time` is older than `max_lateness`: it opens, restarts and resumes
/// nothing.
bool is_too_late(const Customer& customer, Timestamp time, Timestamp accepted_at,
                 const Catalog& catalog);

/// How an event stands in time to what the customer has already seen.
struct Observed {
    bool late = false;               ///< Older than the newest event seen.
    bool too_late = false;           ///< As `is_too_late`.
    bool permission_changed = false; ///< A consent or suppression is not what it was.
    std::vector<Event>
        made_here; ///< `Profile Changed`, `Consent Changed`, and `Session Ended` before it.
};

/// Takes `event` into the state of `customer`: `now`, first and last seen, traits, consent, zone
/// and locale, session, carts, orders, counters, newest events. Late events count in history,
/// orders and counters, remove from carts what an order bought, and edit cart lines only where
/// newer (rules 7, 8 and 11 of the language). Appends the timeline entries of what changed
/// (consent).
Observed observe(Customer& customer, const Event& event, Timestamp accepted_at,
                 const Catalog& catalog, Effects& effects);

/// An event made here: it counts and is remembered as newest, and changes nothing else.
void observe_made_here(Customer& customer, const Event& event, const Catalog& catalog);

/// Sets one consent where `consent.at` is not older than what is known; says so on the timeline
/// where it changed. True where it changed.
bool set_consent(Customer& customer, Consent consent, Effects& effects);

/// Notes a message that was handed over, for caps and `last_sent`; bounded.
void spend(Customer& customer, SendMark mark);

/// Makes `Session Ended` where the session has been idle for `session_idle` at `at`; else nothing.
std::optional<Event> end_session(Customer& customer, Timestamp at, const Catalog& catalog);

/// The cart changed last, or null. Carts older than their bound count as gone.
const Cart* current_cart(const Customer& customer);
const Cart* find_cart(const Customer& customer, std::string_view cart_id);

/// Occurrences of `name` after `since`: exact to 64, then by hour. `property` empty: all of them;
/// else only those whose packed property equals `value` (exact to 64).
std::int64_t count(const Customer& customer, std::string_view name, Timestamp since,
                   std::string_view property = {}, PackedView value = {});
/// When `name` last happened; nothing where it is not remembered.
std::optional<Timestamp> last(const Customer& customer, std::string_view name);

/// An order's revenue, net of what went back.
Money net(const Order& order);

/// An event that the runtime of journeys makes itself. `hash_seed` makes its message hash unique
/// and stable.
Event make_event(const Customer& customer, std::string name, std::string properties, Timestamp at,
                 std::uint64_t hash_seed);

} // namespace journeys
