/// What the core asks of the world, in order. Plain values; performing them is the flush's
/// business.
#pragma once

#include "journeys/closed_set.hpp"
#include "journeys/definition.hpp"
#include "journeys/ids.hpp"
#include "journeys/record.hpp"
#include "journeys/time.hpp"

#include <string>
#include <variant>
#include <vector>

namespace journeys {

enum class EntryKind : std::uint8_t {
    enter,
    no_entry,
    exit,
    end,
    wait,
    restart,
    send,
    defer,
    suppress,
    settle,
    decide,    ///< `intent` is the decision's id; `until`: how long its reward may come.
    reward,    ///< Of the decision `intent`; at most one, and one more for each that is taken back.
    take_back, ///< The order that rewarded `intent` is undone: `reason` is `whole` or `part`;
               ///< `until`: when that became known. `forgotten`: the customer has more open
               ///< decisions than are waited for, so nobody knows what came of this one.
    update,
    call,
    goal,
    consent,
    stage, ///< The lifecycle; `version` is the model's.
    linked,
    merged,
    moved,
};
inline constexpr auto all_entry_kinds = values_of<EntryKind, 21>();

std::string_view to_text(EntryKind kind);

/// One line of a customer's timeline. `simulate` prints those of its closed set of kinds.
struct TimelineEntry {
    EntryKind kind;
    Timestamp at{};
    std::string journey; ///< Empty where no journey is concerned.
    std::uint64_t version = 0;
    std::string key, step, channel, template_name, topic;
    std::string reason;
    IntentId intent;
    std::string data;      ///< Packed; of `send`, `call`, `update`, `goal`, `decide`, `reward`,
                           ///< `take_back` (what is left of its `value`); of a `suppress` that an
                           ///< error caused `error`, with `expression`, `line` and `name` (of the
                           ///< data), or with `template`.
    Timestamp until{};     ///< Of `wait`, `restart` and `defer`: until when.
    bool held_out = false; ///< Of `goal`: which arm reached it.
    /// Of `no_entry`: which of the version's `enter.when` was not met, from 1; 0: another reason.
    std::uint32_t condition = 0;
};

/// An intent that may be sent now: a new row of the outbox, or one that comes back after a
/// deferral.
struct IntentOpened {
    IntentId id;
    std::string journey, key, step, channel, template_name, topic;
    std::uint64_t version = 0;
    int priority = 50;
    Delivery delivery = Delivery::at_most_once;
    Timestamp at{};
    Timestamp expires_at{};
};

/// The customer's permission: from here on the row is claimed and its payload frozen.
struct IntentGranted {
    IntentId id;
    std::string address; ///< Empty where the channel needs none.
    std::string payload; ///< JSON, as the channel's adapter wants it; see `hand_over.hpp`.
    Timestamp at{};
};

/// A run was given a code of a pool: from here on nobody else is. In the flush that grants, or that
/// says why the message was left out after all.
struct CouponTaken {
    std::string pool, code;
    RunId run;
    IntentId intent; ///< Whose hand-over it was for.
    std::uint64_t lease = 0;
    Timestamp at{};
};

/// The row is taken back: suppressed, deferred, or its run ended. Harmless after the request was
/// written.
struct IntentRecalled {
    IntentId id;
    std::string reason;
};

/// The provider's answer reached the customer; `accepted` beats `unknown`.
struct IntentSettled {
    IntentId id;
    IntentState state = IntentState::unknown;
    std::string detail;
    Timestamp at{};
};

/// The customer has become a tombstone; `transfer` goes to the winner's log.
struct TransferOut {
    CustomerId to;
    Transfer transfer;
};

/// A tombstone passes a record on to where the customer went.
struct ForwardOut {
    CustomerId to;
    std::uint64_t id = 0; ///< Deterministic; the winner's log takes it once.
    Record record;
};

/// All rows of the customer are to be deleted.
struct Erased {
    CustomerId customer;
};

using Effect = std::variant<TimelineEntry, IntentOpened, IntentGranted, IntentRecalled,
                            IntentSettled, TransferOut, ForwardOut, Erased, CouponTaken>;
using Effects = std::vector<Effect>;

} // namespace journeys
