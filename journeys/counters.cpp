#include "journeys/counters.hpp"

#include "journeys/profile.hpp"
#include "journeys/properties.hpp"

#include <algorithm>
#include <chrono>

namespace journeys {
namespace {

std::int64_t hour_of(Timestamp at) {
    return std::chrono::floor<std::chrono::hours>(at).time_since_epoch().count();
}

void add_hour(Counter& counter, Counter::Hour addition) {
    auto at = std::ranges::lower_bound(counter.hours, addition.hour, {}, &Counter::Hour::hour);
    if (at != counter.hours.end() && at->hour == addition.hour)
        at->count += addition.count;
    else
        counter.hours.insert(at, addition);
    if (counter.hours.size() > bounds::counter_hours) counter.hours.erase(counter.hours.begin());
}

/// Browser and shop both tell of an order, and it was placed once.
bool is_order(const Counter& counter) { return counter.name == "Order Completed"; }
constexpr const char* order_id = "order_id";

/// Counts the order at the earlier of two tellings. False where it was not told of before.
bool add_to_known(Counter& counter, const Counter::Occurrence& occurrence) {
    const auto id = PackedView{occurrence.properties}.find(order_id);
    if (!id) return false;
    const auto known = std::ranges::find_if(counter.newest, [&](const auto& other) {
        const auto of_other = PackedView{other.properties}.find(order_id);
        return of_other && of_other.bytes() == id.bytes();
    });
    if (known == counter.newest.end()) return false;
    known->at = std::min(known->at, occurrence.at);
    std::ranges::stable_sort(counter.newest, {}, &Counter::Occurrence::at);
    return true;
}

void add(Counter& counter, Counter::Occurrence occurrence) {
    if (is_order(counter) && add_to_known(counter, occurrence)) return;
    auto& newest = counter.newest;
    if (newest.size() >= bounds::counter_exact) {
        if (occurrence.at < newest.front().at) {
            add_hour(counter, {hour_of(occurrence.at), 1});
            return;
        }
        add_hour(counter, {hour_of(newest.front().at), 1});
        newest.erase(newest.begin());
    }
    if (newest.empty() || newest.back().at <= occurrence.at) {
        newest.push_back(std::move(occurrence));
        return;
    }
    const auto at = std::ranges::upper_bound(newest, occurrence.at, {}, &Counter::Occurrence::at);
    newest.insert(at, std::move(occurrence));
}

const Counter* find_counter(const Customer& customer, std::string_view name) {
    const auto found = std::ranges::find(customer.counters, name, &Counter::name);
    return found == customer.counters.end() ? nullptr : &*found;
}

bool has_property(const Counter::Occurrence& occurrence, std::string_view property,
                  PackedView value) {
    const auto kept = PackedView{occurrence.properties}.find(property);
    if (!kept || !value) return !kept && !value;
    if (kept.is_number() && value.is_number()) return kept.as_double() == value.as_double();
    return kept.bytes() == value.bytes();
}

} // namespace

void observe_counters(Customer& customer, const Event& event, const Catalog& catalog) {
    const auto& counts = catalog.tracked().counts;
    const auto tracked = counts.find(event.name);
    if (tracked == counts.end()) return;
    auto counter = std::ranges::find(customer.counters, event.name, &Counter::name);
    if (counter == customer.counters.end()) {
        // Names that no journey counts any more make room, so that the names are as bounded as the
        // journeys.
        if (customer.counters.size() >= counts.size())
            std::erase_if(customer.counters,
                          [&](const Counter& old) { return !counts.contains(old.name); });
        counter = customer.counters.insert(customer.counters.end(), Counter{.name = event.name});
    }
    auto kept_properties = tracked->second.properties;
    if (is_order(*counter)) kept_properties.insert(order_id);
    add(*counter, {event.time, cut(PackedView{event.properties}, kept_properties)});
    const auto oldest = hour_of(customer.now - tracked->second.window);
    const auto kept = std::ranges::lower_bound(counter->hours, oldest, {}, &Counter::Hour::hour);
    counter->hours.erase(counter->hours.begin(), kept);
}

void observe_newest(Customer& customer, const Event& event, const Catalog& catalog) {
    const auto& tracked = catalog.tracked();
    if (!tracked.newest.contains(event.name)) return;
    auto& list = customer.newest_events;
    auto known = std::ranges::find(list, event.name, &NewestEvent::name);
    if (known == list.end()) {
        if (list.size() >= tracked.newest.size())
            std::erase_if(
                list, [&](const NewestEvent& old) { return !tracked.newest.contains(old.name); });
        known = list.insert(list.end(), NewestEvent{.name = event.name, .at = event.time});
    } else if (event.time < known->at) {
        return;
    }
    known->at = event.time;
    known->properties = cut(PackedView{event.properties}, tracked.properties);
}

std::int64_t count(const Customer& customer, std::string_view name, Timestamp since,
                   std::string_view property, PackedView value) {
    const auto* counter = find_counter(customer, name);
    if (!counter) return 0;
    const auto first =
        std::ranges::upper_bound(counter->newest, since, {}, &Counter::Occurrence::at);
    if (!property.empty())
        return std::count_if(first, counter->newest.end(), [&](const auto& occurrence) {
            return has_property(occurrence, property, value);
        });
    auto sum = static_cast<std::int64_t>(counter->newest.end() - first);
    // An hour counts whole as soon as the window reaches into it.
    auto hour = std::ranges::lower_bound(counter->hours, hour_of(since), {}, &Counter::Hour::hour);
    for (; hour != counter->hours.end(); ++hour) sum += hour->count;
    return sum;
}

std::optional<Timestamp> last(const Customer& customer, std::string_view name) {
    if (const auto* counter = find_counter(customer, name); counter && !counter->newest.empty())
        return counter->newest.back().at;
    const auto known = std::ranges::find(customer.newest_events, name, &NewestEvent::name);
    if (known != customer.newest_events.end()) return known->at;
    return std::nullopt;
}

void unite_counters(Customer& winner, Customer& loser) {
    for (auto& from : loser.counters) {
        auto to = std::ranges::find(winner.counters, from.name, &Counter::name);
        if (to == winner.counters.end()) {
            winner.counters.push_back(std::move(from));
            continue;
        }
        for (const auto& hour : from.hours) add_hour(*to, hour);
        for (auto& occurrence : from.newest) add(*to, std::move(occurrence));
    }
    for (auto& from : loser.newest_events) {
        auto to = std::ranges::find(winner.newest_events, from.name, &NewestEvent::name);
        if (to == winner.newest_events.end())
            winner.newest_events.push_back(std::move(from));
        else if (from.at > to->at)
            *to = std::move(from);
    }
}

} // namespace journeys
