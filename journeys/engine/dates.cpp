#include "journeys/engine/turn.hpp"

#include "journeys/date_entry.hpp"
#include "journeys/profile.hpp"

#include <algorithm>

namespace journeys::engine {
namespace {

/// The timer of that journey, or a new one; null where there is no room.
DateTimer* timer_for(Customer& customer, const Catalog& catalog, const std::string& journey) {
    auto& timers = customer.dates;
    const auto own = std::ranges::find(timers, journey, &DateTimer::journey);
    if (own != timers.end()) return &*own;
    if (timers.size() >= bounds::dates) {
        const auto gone = std::ranges::find_if(timers, [&](const DateTimer& timer) {
            const auto* today = catalog.journey(timer.journey);
            return !today || !today->enter.date;
        });
        if (gone == timers.end()) return nullptr;
        timers.erase(gone);
    }
    auto& made = timers.emplace_back();
    made.journey = journey;
    return &made;
}

} // namespace

void Turn::arm_dates(Timestamp at) {
    if (customer.forward_to || (catalog.entered_by_date().empty() && customer.dates.empty()))
        return;
    // What a file that vanished has opened is remembered: it may come back on the same day.
    for (auto& timer : customer.dates) {
        const auto* journey = catalog.journey(timer.journey);
        if (!journey || !journey->enter.date) timer.due = no_time;
    }
    const auto* const applied = std::exchange(event, nullptr);
    for (const auto* journey : catalog.entered_by_date()) {
        const auto& entry = *journey->enter.date;
        const auto given = value(entry.date, nullptr);
        // Most customers have no such date, and then nobody needs the zone.
        const auto zone = given.is_null() ? std::string{}
                          : entry.zone.of_customer
                              ? std::string{zone_of(customer, catalog.settings())}
                              : entry.zone.name;
        const auto date = calendar_day(given, zone);
        const auto own = std::ranges::find(customer.dates, journey->id, &DateTimer::journey);
        const bool is_known = own != customer.dates.end();
        if (is_known && own->due <= at) continue;
        const auto next = date ? next_occurrence(entry, *date, zone, at,
                                                 is_known ? own->last_day : DateTimer::no_day)
                               : std::nullopt;
        if (!next && !is_known) continue;
        auto* const timer = timer_for(customer, catalog, journey->id);
        if (!timer) continue;
        timer->due = next ? next->due : no_time;
        timer->day = next ? next->day : DateTimer::no_day;
    }
    event = applied;
    std::erase_if(customer.dates, [](const DateTimer& timer) {
        return timer.due == no_time && timer.last_day == DateTimer::no_day;
    });
}

void Turn::enter_by_date() {
    const auto timer = std::ranges::min_element(customer.dates, {}, &DateTimer::due);
    now = std::max(customer.now, timer->due);
    timer->last_day = timer->day; // Once each time, whether it lets them in or not.
    timer->due = no_time;
    cause_ = hash(timer->journey, static_cast<std::uint64_t>(timer->day));
    const auto* journey = catalog.journey(timer->journey);
    if (!journey || !journey->enter.date) return;
    const auto made = make_event(customer, "Date Reached",
                                 packed_texts({{"date", day_text(timer->day)}}), now, cause_);
    event = &made;
    meet_entry(made, *journey, false, false);
    event = nullptr;
}

} // namespace journeys::engine
