/// What providers report of messages, as events of the customer: sent, delivered, opened, clicked,
/// bounced, complained, unsubscribed. The names are Segment's, so producers that pass them on are
/// understood, too.
///
/// Properties that are read, all of them optional:
///
///   intent        the message's id, as 32 hexadecimal digits
///   channel       of the settings; else every channel of the kind that the name says
///   topic         of `Unsubscribed`; else the whole channel
///   machine       true: opened or clicked by a programme (Apple's privacy proxy, a scanner)
///   bounce_type   `hard`: the address does not exist; anything else is passing
///   stop          true, of `Unsubscribed`: the address itself must not be used any more
///   address       `address_hash` of where the message went; else the customer's address of today;
///                 where they have none, and for what the person said of a channel whose addresses
///                 are neither e-mail nor telephone (device tokens come and go), the whole channel
///   source        who said so, of `Unsubscribed`, for the consent; else `provider`
///   settles       true: the ledger does not know yet what became of the message
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/effect.hpp"
#include "journeys/event.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace journeys {

enum class FeedbackKind : std::uint8_t {
    sent, ///< Handed on by the provider: it left, and no more is known.
    delivered,
    opened,
    clicked,
    failed, ///< Taken by the provider and not sent, or not delivered for a passing reason.
    bounced,
    complained,
    unsubscribed,
    resubscribed,
};

struct Feedback {
    FeedbackKind kind;
    bool of_email = true; ///< What the name says; `SMS Delivered` and its like do not.
    std::string_view channel, topic;
    IntentId intent; ///< Zero: none was named.
    bool machine = false, permanent = false, stop = false, settles = false;
    bool refused = false; ///< Told by the answer that refused the message: nothing left.
    std::uint64_t address = 0;
};

/// Nothing for an event that is no feedback. Views into `event`.
std::optional<Feedback> feedback_of(const Event& event);
/// The event's name for a kind: `Email Opened`, `SMS Delivered`, `Unsubscribed`.
std::string_view feedback_name(FeedbackKind kind, bool of_email);

/// Takes what `event` reports into consents, suppressions, the sent steps of open runs and the
/// hours of activity. True where something may not be sent any more, or may again.
bool observe_feedback(Customer& customer, const Event& event, const Catalog& catalog,
                      std::vector<Event>& made_here, Effects& effects);

/// Bounded; the newer stays where one is known. False where it was known.
bool suppress_address(Customer& customer, Suppression suppression);
void unite_suppressions(Customer& winner, const Customer& loser);
void unite_active_hours(Customer& winner, const Customer& loser);

} // namespace journeys
