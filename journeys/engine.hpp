/// The rules of journeys: what records, time and channels do to a customer.
///
/// Pure: the same customer, record and catalogue give the same customer and effects, on every
/// machine and at every time. Nothing here reads a clock; every instant comes from the log or the
/// caller.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/effect.hpp"
#include "journeys/record.hpp"

#include <optional>

namespace journeys {

/// What applying one record came to; for counters.
enum class Applied : std::uint8_t { applied, duplicate, late, forwarded };

/// Applies `record` to `customer`: first the timers due before `record.accepted_at`, oldest first;
/// then the state; then exits of open runs; waits that it resumes or restarts; goals; entries.
///
/// Exits come before steps: an event that meets an exit rule recalls the run's intents and takes no
/// further step of it. An offset at or below `customer.applied` has no effect (replay is harmless).
Applied apply(Customer& customer, const Record& record, const Catalog& catalog, Effects& effects);

/// Fires the customer's timers with `due <= closed`, oldest first.
/// `closed`: no record accepted at or before it is still to come.
/// At most `limit` of them; true where more are due.
bool fire(Customer& customer, Timestamp closed, const Catalog& catalog, Effects& effects,
          int limit = 64);

/// What `wake_at` says of one whom only an event or a publication can move on: later than all due
/// times, and yet one, so that a publication finds whoever waits.
inline constexpr Timestamp when_published = timestamp_max - std::chrono::hours{24};

/// When time next changes this customer; `no_time` where it never does, `when_published` where only
/// a publication may. May be too early, never too late.
Timestamp wake_at(const Customer& customer, const Catalog& catalog);

/// What a customer says to a channel that is free for their intent.
struct HandOver {
    enum class Verdict : std::uint8_t {
        grant,    ///< Effects hold the `IntentGranted`; caps are spent.
        suppress, ///< Will not be sent; the run has gone on.
        defer,    ///< Not now; a timer of the run brings it back.
        gone,     ///< No such intent is pending here (any more).
    } verdict = Verdict::gone;
};

/// The second check of a send, at the moment of truth. `now` is the service's clock: at least the
/// newest record's `accepted_at`.
HandOver hand_over(Customer& customer, IntentId intent, Timestamp now, const Catalog& catalog,
                   Effects& effects);

/// Whether a grant still stands, asked in memory right before the request is written.
bool is_granted(const Customer& customer, IntentId intent);
/// Whether a run waits for the intent's outcome; a revoked one does, too.
bool is_awaited(const Customer& customer, IntentId intent);

} // namespace journeys
