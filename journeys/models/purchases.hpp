/// When a customer bought and for how much, by days: what their history for the models is made of.
#pragma once

#include "journeys/models/history.hpp"
#include "journeys/money.hpp"
#include "journeys/time.hpp"

#include <cstdint>
#include <vector>

namespace journeys::models {

struct PurchaseDay {
    std::int32_t day = 0; ///< Days since 1970, UTC.
    std::int32_t orders = 0;
    Money spend; ///< Net of refunds.
    bool operator==(const PurchaseDay&) const = default;
};

/// The same orders give the same value in whatever order they come and go: late ones, several of a
/// day, taken back and put in again. In order each costs O(1).
///
/// Bounded: beyond `days_max` the days after the first are folded into a sum, the oldest first. An
/// order that then arrives for the folded time adds to that sum but is no further day, as nothing
/// tells whether its day is there.
struct Purchases {
    static constexpr std::size_t days_max = 256;

    std::vector<PurchaseDay> days; ///< The first one, and the newest; oldest first.
    std::int64_t folded_days = 0;  ///< Between the first and the second of `days`.
    std::int32_t folded_until = 0; ///< The newest of them.
    Money folded_spend;

    bool empty() const { return days.empty(); }
    Timestamp first_day() const; ///< Its midnight. Precondition: not empty.
    /// As of `now`; all zero where there is no purchase.
    History history(Timestamp now) const;
    bool operator==(const Purchases&) const = default;
};

std::int32_t day_of(Timestamp at);

/// An order that counts: placed at `day`, and what it came to.
void add_order(Purchases& purchases, std::int32_t day, Money spend);
/// Takes back what `add_order` of the same day and amount put in.
void remove_order(Purchases& purchases, std::int32_t day, Money spend);
/// All of `other` too, as if its orders had been of the same customer.
void unite(Purchases& purchases, const Purchases& other);

} // namespace journeys::models
