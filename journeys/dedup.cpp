#include "journeys/mutant.hpp"
#include "journeys/profile.hpp"

#include <algorithm>

namespace journeys {
namespace {

void forget(Customer& customer, std::size_t index) {
    customer.dedup.erase(customer.dedup.begin() + static_cast<std::ptrdiff_t>(index));
    customer.dedup_written.erase(customer.dedup_written.begin() +
                                 static_cast<std::ptrdiff_t>(index));
}

} // namespace

bool remember_message(Customer& customer, const Event& event, Duration window) {
    if (is_mutant(Mutant::no_dedup)) return true;
    if (!event.deduplicate) return true; // Nobody can send a messageId again that the server made.
    const auto seen = std::ranges::find(customer.dedup, event.message_hash);
    const auto arrived = std::max(customer.accepted_at, event.written);
    if (seen != customer.dedup.end()) {
        const auto index = static_cast<std::size_t>(seen - customer.dedup.begin());
        if (arrived - customer.dedup_written[index] <= window) return false;
        forget(customer, index);
    }
    customer.dedup.push_back(event.message_hash);
    customer.dedup_written.push_back(event.written);
    trim_dedup(customer, arrived);
    return true;
}

void trim_dedup(Customer& customer, Timestamp now) {
    auto& written = customer.dedup_written;
    const auto count = written.size();
    std::size_t gone = 0;
    while (count - gone > bounds::dedup_ring &&
           (count - gone > bounds::dedup_ring_max || written[gone] <= now - bounds::dedup_recent))
        customer.dedup_evicted = std::max(customer.dedup_evicted, written[gone++]);
    written.erase(written.begin(), written.begin() + static_cast<std::ptrdiff_t>(gone));
    customer.dedup.erase(customer.dedup.begin(),
                         customer.dedup.begin() + static_cast<std::ptrdiff_t>(gone));
}

bool may_be_older_duplicate(const Customer& customer, const Event& event) {
    if (!event.deduplicate || customer.dedup_evicted == Timestamp{}) return false;
    if (event.written > customer.dedup_evicted) return false;
    return std::ranges::find(customer.dedup, event.message_hash) == customer.dedup.end();
}

} // namespace journeys
