/// The sequential reference run: the core alone, one record after the other, no actors and no
/// database. `simulate` prints what it does, and every fault test compares the service with it.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"
#include "journeys/effect.hpp"
#include "journeys/engine.hpp"
#include "journeys/record.hpp"

#include <functional>
#include <map>
#include <queue>
#include <unordered_map>
#include <vector>

namespace journeys {

/// Customers, their timers, and a provider that takes everything at once: an intent is handed over
/// at the instant at which its step was reached, and accepted. Not for sharing between threads.
class Reference {
public:
    /// Called for each effect, in order, with the customer it is of.
    using Sink = std::function<void(const Customer&, const Effect&)>;

    enum class Transfers : std::uint8_t {
        made_here, ///< Links move states at once.
        recorded,  ///< A recorded log holds the transfers: a state moves where the log says so.
    };
    Reference(CatalogPtr catalog, Sink sink, Transfers transfers = Transfers::made_here);

    void use(CatalogPtr catalog) { catalog_ = std::move(catalog); }
    /// Fires every customer's timers due before the record, then applies it to its customer.
    /// Records come by rising `accepted_at`.
    Applied take(Record record);
    /// Every customer meets the catalogue in use, as of `at`: what a publication of models leads
    /// to.
    void wake_all(Timestamp at);
    /// Fires all timers with `due <= closed`, oldest first over all customers.
    void close(Timestamp closed);

    const std::unordered_map<CustomerId, Customer>& customers() const { return customers_; }
    const Customer* find(const CustomerId& id) const;

private:
    Applied apply_one(Record record);
    void perform(Customer& customer, Effects effects);
    void hand_over_all(Customer& customer, std::vector<IntentOpened> opened);
    void schedule(const Customer& customer);

    CatalogPtr catalog_;
    Sink sink_;
    Transfers transfers_;
    std::unordered_map<CustomerId, Customer> customers_;
    std::unordered_map<std::uint64_t, Transfer>
        on_the_way_;            ///< Made here, awaited by their recorded twins.
    std::vector<Record> moved_; ///< What tombstones and links gave to others, in order.
    struct Timer {
        Timestamp due;
        CustomerId customer;
        bool operator>(const Timer& other) const {
            return due != other.due ? due > other.due : customer > other.customer;
        }
    };
    std::priority_queue<Timer, std::vector<Timer>, std::greater<>>
        timers_; ///< Hints; the state decides.
    std::unordered_map<CustomerId, Timestamp>
        armed_; ///< The earliest hint of each, so that none is queued twice.
};

} // namespace journeys
