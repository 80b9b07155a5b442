/// What stands in the log: everything that changes a decision, in the order in which it was
/// accepted.
#pragma once

#include "journeys/event.hpp"
#include "journeys/ids.hpp"
#include "journeys/time.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace journeys {

/// The numbers are stored; they are never reused. 8 is reserved: a pause of one journey, which
/// nothing has written, for it is a publication.
enum class RecordKind : std::uint8_t {
    event = 1,
    publish = 2,  ///< From here on this publication decides. One in every partition.
    link = 3,     ///< This (weaker) id belongs to that customer. In the weaker id's partition.
    transfer = 4, ///< The state of a customer that a link ended, on its way to the winner.
    settled = 5,  ///< What a provider answered.
    forward = 6,  ///< An event that a tombstone passed on to the winner.
    erasure = 7,  ///< Forget this customer.
};

/// From here on the catalogue with this content hash decides. Its text is kept by the store.
struct Publish {
    std::uint64_t publication = 0;
    struct Version {
        std::string journey;
        std::uint64_t version = 0;
        bool operator==(const Version&) const = default;
    };
    std::vector<Version> journeys;
};

/// The record's customer (the weaker id) is `winner` from here on. `by_alias` allows two user ids.
struct Link {
    CustomerId winner;
    bool by_alias = false;
};

/// The whole state of `loser` (its flat block), to be united with the record's customer once.
struct Transfer {
    std::uint64_t id = 0; ///< Of the link that caused it; the winner remembers it.
    CustomerId loser;
    std::string state;
};

enum class IntentState : std::uint8_t { pending, claimed, accepted, rejected, unknown, recalled };

/// The provider's answer to an intent of the record's customer.
struct Settled {
    IntentId intent;
    IntentState state = IntentState::unknown; ///< accepted, rejected or unknown.
    std::string detail; ///< The provider's word, bounded; never personal data.
};

struct Erasure {};

/// What this program cannot read: a newer one has written it, or it was damaged. Its owner parks it
/// with these very bytes, so that a program that reads them applies it.
struct Unreadable {
    RecordKind kind = RecordKind::event; ///< Under which it is stored.
    std::string body;
    std::string why;
};

/// One entry of the log. `accepted_at` is set by the partition's one appender and never goes back.
struct Record {
    std::uint64_t offset = 0; ///< Dense within its partition, from 1.
    Timestamp accepted_at{};
    CustomerId customer; ///< Whose it is; of a `Publish`: nobody's (empty value).
    std::variant<Event, Publish, Link, Transfer, Settled, Erasure, Unreadable> body;
    std::uint64_t forwarded_from =
        0; ///< Of an event that a tombstone passed on: the id of the forward.

    RecordKind kind() const;
    const Event* event() const { return std::get_if<Event>(&body); }
};

using RecordPtr = std::shared_ptr<const Record>;

} // namespace journeys
