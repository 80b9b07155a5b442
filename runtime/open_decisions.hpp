/// Decisions that were answered, or soon will be, and that their customer's state does not hold
/// yet.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/event.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace runtime {

/// Whoever asks for a customer sees what was decided for them a moment before, so that questions at
/// the same time cannot pass a cap or a budget together. Also where they bring an older state than
/// another who asked before. For any thread.
class OpenDecisions {
public:
    /// What `decide` is given is `customer` with all that was decided since; the event that it
    /// makes is seen by the next one, at once. Those of one customer come one after the other.
    journeys::Event take(const journeys::Customer& customer, const journeys::Catalog& catalog,
                         const std::function<journeys::Event(const journeys::Customer&)>& decide);
    /// It could not be stored: nobody was told of it.
    void forget(const journeys::CustomerId& customer, std::uint64_t message_hash);

private:
    struct Open {
        journeys::Event event;
        /// The lowest of the customer's revisions that was seen to hold it; nothing: none was yet.
        std::optional<std::uint64_t> held_by;
        journeys::Timestamp held_at{}; ///< When that was first seen.

        bool is_in(const journeys::Customer& customer) const;
    };
    /// So that customers do not wait for each other.
    struct Stripe {
        std::mutex mutex;
        std::map<journeys::CustomerId, std::vector<Open>> open; ///< Guarded by `mutex`.
        journeys::Timestamp swept_at{};                         ///< As is this.
    };
    Stripe& stripe_of(const journeys::CustomerId& customer);

    std::array<Stripe, 64> stripes_;
};

} // namespace runtime
