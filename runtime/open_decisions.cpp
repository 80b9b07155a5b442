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
/// By then nobody asks with a state from before it was applied.
constexpr auto kept_behind_state = std::chrono::minutes{1};
constexpr auto swept_every = std::chrono::minutes{1};

} // namespace

bool OpenDecisions::Open::is_in(const Customer& customer) const {
    // The ring is short: later states hold what they do not remember by its hash any more.
    return (held_by && customer.revision >= *held_by) ||
           std::ranges::find(customer.dedup, event.message_hash) != customer.dedup.end();
}

OpenDecisions::Stripe& OpenDecisions::stripe_of(const journeys::CustomerId& customer) {
    return stripes_[journeys::hash(customer) % stripes_.size()];
}

Event OpenDecisions::take(const Customer& customer, const journeys::Catalog& catalog,
                          const std::function<Event(const Customer&)>& decide) {
    auto& stripe = stripe_of(customer.id);
    const std::scoped_lock lock{stripe.mutex};
    auto& known = stripe.open[customer.id];
    std::optional<Customer> then;
    for (const auto& open : known) {
        if (open.is_in(customer)) continue;
        if (!then) then = customer;
        journeys::observe_made_here(*then, open.event, catalog);
    }
    auto made = decide(then ? *then : customer);
    const auto now = made.time;
    for (auto& open : known) {
        if (!open.is_in(customer)) continue;
        if (!open.held_by) open.held_at = now;
        open.held_by = std::min(open.held_by.value_or(customer.revision), customer.revision);
    }
    std::erase_if(known, [&](const Open& open) {
        return open.held_by && now - open.held_at >= kept_behind_state;
    });
    known.push_back({.event = made, .held_by = std::nullopt});
    // Of those who asked once and never again nothing else would let go.
    if (now - stripe.swept_at >= swept_every) {
        stripe.swept_at = now;
        for (auto& [id, one] : stripe.open)
            std::erase_if(
                one, [&](const Open& open) { return now - open.event.time >= forgotten_after; });
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
                  [&](const Open& open) { return open.event.message_hash == message_hash; });
    if (found->second.empty()) stripe.open.erase(found);
}

} // namespace runtime
