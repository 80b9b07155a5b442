#include "journeys/profile.hpp"

#include "journeys/carts.hpp"
#include "journeys/consents.hpp"
#include "journeys/counters.hpp"
#include "journeys/feedback.hpp"
#include "journeys/orders.hpp"
#include "journeys/sessions.hpp"
#include "journeys/traits.hpp"

#include <algorithm>

namespace journeys {
namespace {

std::optional<Event> profile_changed(Customer& customer, const Event& event) {
    const auto names = observe_traits(customer, event);
    if (names.empty()) return std::nullopt;
    PackedWriter writer;
    const auto map = writer.begin_map();
    writer.key("changed");
    const auto list = writer.begin_list();
    for (const auto& name : names) writer.string(name);
    writer.end_list(list, names.size());
    writer.end_map(map, 1);
    return make_event(customer, "Profile Changed", writer.take(), event.time, event.message_hash);
}

} // namespace

bool is_too_late(const Customer& customer, Timestamp time, Timestamp accepted_at,
                 const Catalog& catalog) {
    return std::max(accepted_at, customer.now) - time > catalog.settings().max_lateness;
}

Observed observe(Customer& customer, const Event& event, Timestamp accepted_at,
                 const Catalog& catalog, Effects& effects) {
    Observed seen;
    const bool is_first = customer.first_seen == Timestamp{};
    seen.late = !is_first && event.time < customer.now;
    customer.now = is_first ? event.time : std::max(customer.now, event.time);
    seen.too_late = is_too_late(customer, event.time, accepted_at, catalog);
    customer.first_seen = is_first ? event.time : std::min(customer.first_seen, event.time);
    customer.last_seen = std::max(customer.last_seen, event.time);

    observe_place(customer, event, seen.late);
    if (auto ended = observe_session(customer, event, catalog))
        seen.made_here.push_back(std::move(*ended));
    if (!event.traits.empty())
        if (auto changed = profile_changed(customer, event)) {
            observe_made_here(customer, *changed, catalog);
            seen.made_here.push_back(std::move(*changed));
        }
    const auto before_consents = seen.made_here.size();
    observe_consents(customer, event, catalog, seen.made_here, effects);
    seen.permission_changed = observe_feedback(customer, event, catalog, seen.made_here, effects) ||
                              seen.made_here.size() > before_consents;
    for (auto i = before_consents; i < seen.made_here.size(); ++i)
        observe_made_here(customer, seen.made_here[i], catalog);

    drop_old_carts(customer);
    observe_carts(customer, event);
    observe_orders(customer, event);
    observe_made_here(customer, event, catalog);
    return seen;
}

void observe_made_here(Customer& customer, const Event& event, const Catalog& catalog) {
    observe_counters(customer, event, catalog);
    observe_newest(customer, event, catalog);
}

void spend(Customer& customer, SendMark mark) {
    auto& sends = customer.sends;
    const auto at = std::ranges::upper_bound(sends, mark.at, {}, &SendMark::at);
    sends.insert(at, std::move(mark));
    if (sends.size() > bounds::sends) sends.erase(sends.begin());
}

Event make_event(const Customer& customer, std::string name, std::string properties, Timestamp at,
                 std::uint64_t hash_seed) {
    Event event;
    event.message_hash = std::max<std::uint64_t>(hash(name, hash_seed), 1);
    event.name = std::move(name);
    event.ids = {customer.id};
    event.time = event.written = at;
    event.properties = std::move(properties);
    return event;
}

} // namespace journeys
