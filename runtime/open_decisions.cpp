#include "runtime/open_decisions.hpp"

#include "journeys/ids.hpp"
#include "journeys/profile.hpp"

#include <algorithm>

namespace runtime {
namespace {

using journeys::Customer;
using journeys::Event;

/// By then what was stored is applied, or the process has far worse to care for.
constexpr auto forgotten_after = std::chrono::minutes{10};
constexpr auto swept_every = std::chrono::minutes{1};

bool is_applied(const Customer& customer, const Event& event) {
    return std::ranges::find(customer.dedup, event.message_hash) != customer.dedup.end();
}

} // namespace

OpenDecisions::Stripe& OpenDecisions::stripe_of(const journeys::CustomerId& customer) {
    return stripes_[journeys::hash(customer) % stripes_.size()];
}

Event OpenDecisions::take(const Customer& customer, const journeys::Catalog& catalog,
                          const std::function<Event(const Customer&)>& decide) {
    auto& stripe = stripe_of(customer.id);
    const std::scoped_lock lock{stripe.mutex};
    auto& open = stripe.open[customer.id];
    std::erase_if(open, [&](const Event& event) { return is_applied(customer, event); });
    Event made;
    if (open.empty()) {
        made = decide(customer);
    } else {
        auto then = customer;
        for (const auto& event : open) journeys::observe_made_here(then, event, catalog);
        made = decide(then);
    }
    open.push_back(made);
    // Of those who asked once and never again nothing else would let go.
    if (made.time - stripe.swept_at >= swept_every) {
        stripe.swept_at = made.time;
        for (auto& [id, events] : stripe.open)
            std::erase_if(events, [&](const Event& event) {
                return made.time - event.time >= forgotten_after;
            });
        std::erase_if(stripe.open, [](const auto& one) { return one.second.empty(); });
    }
    return made;
}

void OpenDecisions::forget(const journeys::CustomerId& customer, std::uint64_t message_hash) {
    auto& stripe = stripe_of(customer);
    const std::scoped_lock lock{stripe.mutex};
    const auto found = stripe.open.find(customer);
    if (found == stripe.open.end()) return;
    std::erase_if(found->second,
                  [&](const Event& event) { return event.message_hash == message_hash; });
    if (found->second.empty()) stripe.open.erase(found);
}

} // namespace runtime
