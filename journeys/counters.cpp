#include "journeys/counters.hpp"

#include "journeys/decision.hpp"
#include "journeys/profile.hpp"
#include "journeys/properties.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

namespace journeys {
namespace {

/// Within so many hours of the newest none is joined to another.
constexpr std::int64_t hours_kept_single = 24 * 31;

std::int64_t hour_of(Timestamp at) {
    return std::chrono::floor<std::chrono::hours>(at).time_since_epoch().count();
}

bool is_given(const Counter& counter) {
    return counter.name.size() > action_decided.size() &&
           std::string_view{counter.name}.starts_with(action_decided) &&
           counter.name[action_decided.size()] == '\0';
}

void add_to(Counter::Hour& hour, std::uint32_t count) {
    constexpr auto most = std::numeric_limits<std::uint32_t>::max();
    hour.count = count > most - hour.count ? most : hour.count + count;
}

/// Two neighbours become one, at the hour of the newer, so that nothing is forgotten while it
/// counts: it counts for longer. Of those older than 31 days the two that together span the least
/// of their age, so that each of them spans about the same share of it; where there are none, the
/// oldest.
void join_two(std::vector<Counter::Hour>& hours) {
    const auto newest = hours.back().hour;
    std::size_t joined = 0;
    double least = 1;
    for (std::size_t i = 1; i + 1 < hours.size(); ++i) {
        if (newest - hours[i + 1].hour < hours_kept_single) break;
        const auto begin = hours[i - 1].hour; // What was joined to `i` before is newer than that.
        const auto share =
            static_cast<double>(hours[i + 1].hour - begin) / static_cast<double>(newest - begin);
        if (share >= least) continue;
        least = share;
        joined = i;
    }
    add_to(hours[joined + 1], hours[joined].count);
    hours.erase(hours.begin() + static_cast<std::ptrdiff_t>(joined));
}

void add_hour(Counter& counter, Counter::Hour addition) {
    auto& hours = counter.hours;
    auto at = std::ranges::lower_bound(hours, addition.hour, {}, &Counter::Hour::hour);
    if (at != hours.end() && at->hour == addition.hour)
        add_to(*at, addition.count);
    else
        hours.insert(at, addition);
    if (hours.size() > bounds::counter_hours) join_two(hours);
}

double discount_in(const Counter::Occurrence& occurrence) {
    const auto discount = PackedView{occurrence.properties}.find("discount");
    return discount.is_number() ? std::max(0.0, discount.as_double()) : 0;
}

/// What is left of an occurrence once only its hour is remembered.
std::uint32_t count_of(const Counter& counter, const Counter::Occurrence& occurrence) {
    if (counter.name != given_counter({})) return 1;
    constexpr double most = std::numeric_limits<std::uint32_t>::max();
    // Not a hundredth more for what was not quite a whole number of them.
    return static_cast<std::uint32_t>(
        std::min(most, std::ceil(discount_in(occurrence) * 100 - 1e-6)));
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
            add_hour(counter, {hour_of(occurrence.at), count_of(counter, occurrence)});
            return;
        }
        add_hour(counter, {hour_of(newest.front().at), count_of(counter, newest.front())});
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

/// The name's counter, made where it is missing.
Counter& counter_of(Customer& customer, std::string_view name, const Tracked& tracked) {
    auto& counters = customer.counters;
    const auto found = std::ranges::find(counters, name, &Counter::name);
    if (found != counters.end()) return *found;
    // Names that nothing counts any more make room, so that the names are as bounded as the
    // publication.
    if (counters.size() >= tracked.counts.size() + tracked.given.size())
        std::erase_if(counters, [&](const Counter& old) {
            return is_given(old) ? !tracked.given.contains(
                                       std::string_view{old.name}.substr(action_decided.size() + 1))
                                 : !tracked.counts.contains(old.name);
        });
    return *counters.insert(counters.end(), Counter{.name = std::string{name}});
}

/// Nobody looks further back than `window`.
void drop_old_hours(Counter& counter, Timestamp now, Duration window) {
    const auto kept =
        std::ranges::lower_bound(counter.hours, hour_of(now - window), {}, &Counter::Hour::hour);
    counter.hours.erase(counter.hours.begin(), kept);
}

void observe_given(Customer& customer, const Event& decided, const Tracked& tracked) {
    const PackedView said{decided.properties};
    const auto action = said.string_at("action");
    if (action.empty()) return; // Nothing was given.
    const auto add_to_counter = [&](std::string_view of, std::string properties) {
        if (!tracked.given.contains(of)) return;
        auto& counter = counter_of(customer, given_counter(of), tracked);
        add(counter, {decided.time, std::move(properties)});
        drop_old_hours(counter, customer.now, decisions_kept);
    };
    add_to_counter(action, {});
    const auto discount = said.find("discount");
    if (discount.is_number() && discount.as_double() > 0)
        add_to_counter({}, cut(said, std::set<std::string>{"discount"}));
}

} // namespace

std::string given_counter(std::string_view action) {
    std::string name{action_decided};
    name += '\0';
    return name.append(action);
}

Given given_since(const Customer& customer, Timestamp since, std::string_view action) {
    Given of_newest;
    if (const auto* decisions = find_counter(customer, action_decided))
        for (const auto& occurrence : decisions->newest) {
            if (occurrence.at <= since) continue;
            const auto taken = PackedView{occurrence.properties}.string_at("action");
            if (taken.empty() || (!action.empty() && taken != action)) continue;
            ++of_newest.times;
            of_newest.discounts += discount_in(occurrence);
        }
    const auto* counter = find_counter(customer, given_counter(action));
    if (!counter) return of_newest;
    Given given;
    for (const auto& occurrence : counter->newest) {
        if (occurrence.at <= since) continue;
        ++given.times;
        given.discounts += discount_in(occurrence);
    }
    for (const auto& hour : counter->hours) {
        if (hour.hour < hour_of(since)) continue;
        given.times += hour.count;
        if (action.empty()) given.discounts += hour.count / 100.0;
    }
    // Neither knows of more than there was; right after an upgrade, or where a cap is new, the
    // counter knows of less.
    return {std::max(given.times, of_newest.times), std::max(given.discounts, of_newest.discounts)};
}

void observe_counters(Customer& customer, const Event& event, const Catalog& catalog) {
    if (event.name == action_decided) observe_given(customer, event, catalog.tracked());
    const auto& counts = catalog.tracked().counts;
    const auto tracked = counts.find(event.name);
    if (tracked == counts.end()) return;
    auto& counter = counter_of(customer, event.name, catalog.tracked());
    auto kept_properties = tracked->second.properties;
    if (is_order(counter)) kept_properties.insert(order_id);
    drop_old_hours(counter, customer.now, tracked->second.window); // There may be room then.
    add(counter, {event.time, cut(PackedView{event.properties}, kept_properties)});
    drop_old_hours(counter, customer.now, tracked->second.window);
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
