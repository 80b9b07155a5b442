#include "journeys/models/purchases.hpp"

#include <algorithm>

namespace journeys::models {
namespace {

bool is_folded(const Purchases& purchases, std::int32_t day) {
    return purchases.folded_days > 0 && day > purchases.days.front().day &&
           day <= purchases.folded_until;
}

void fold_second(Purchases& purchases) {
    const auto second = purchases.days.begin() + 1;
    purchases.folded_days += 1;
    purchases.folded_spend += second->spend;
    purchases.folded_until = std::max(purchases.folded_until, second->day);
    purchases.days.erase(second);
}

/// The place of `day`, or where it would stand. Searched from the end: most orders are the newest.
std::vector<PurchaseDay>::iterator find(std::vector<PurchaseDay>& days, std::int32_t day) {
    auto at = days.end();
    while (at != days.begin() && std::prev(at)->day >= day) --at;
    return at;
}

void add(Purchases& purchases, const PurchaseDay& more) {
    auto& days = purchases.days;
    if (!days.empty() && is_folded(purchases, more.day)) {
        purchases.folded_spend += more.spend;
        return;
    }
    const auto at = find(days, more.day);
    if (at != days.end() && at->day == more.day) {
        at->orders += more.orders;
        at->spend += more.spend;
        return;
    }
    const bool is_first = at == days.begin();
    days.insert(at, more);
    // What was the first lies before all that is folded.
    if (is_first && purchases.folded_days > 0) fold_second(purchases);
    while (days.size() > Purchases::days_max) fold_second(purchases);
}

} // namespace

std::int32_t day_of(Timestamp at) {
    return static_cast<std::int32_t>(
        std::chrono::floor<std::chrono::days>(at).time_since_epoch().count());
}

Timestamp Purchases::first_day() const {
    return std::chrono::sys_days{std::chrono::days{days.front().day}};
}

History Purchases::history(Timestamp now) const {
    if (days.empty()) return {};
    History history;
    history.x = static_cast<double>(days.size() - 1) + static_cast<double>(folded_days);
    history.t_x = (days.back().day - days.front().day) / 7.0;
    history.T = std::max(Weeks{now - first_day()}.count(), history.t_x);
    Money spend = folded_spend;
    for (std::size_t i = 1; i < days.size(); ++i) spend += days[i].spend;
    if (history.x > 0) history.z = spend.to_double() / history.x;
    return history;
}

void add_order(Purchases& purchases, std::int32_t day, Money spend) {
    add(purchases, {day, 1, spend});
}

void remove_order(Purchases& purchases, std::int32_t day, Money spend) {
    auto& days = purchases.days;
    if (days.empty()) return;
    if (is_folded(purchases, day)) {
        purchases.folded_spend = purchases.folded_spend - spend;
        return;
    }
    const auto at = find(days, day);
    if (at == days.end() || at->day != day) return;
    at->orders -= 1;
    at->spend = at->spend - spend;
    // The first day stays as the origin while the day after it is not known.
    const bool is_origin = at == days.begin() && purchases.folded_days > 0;
    if (at->orders <= 0 && !is_origin) days.erase(at);
}

void unite(Purchases& purchases, const Purchases& other) {
    if (other.empty()) return;
    if (purchases.empty()) {
        purchases = other;
        return;
    }
    const auto folded_until = std::max(purchases.folded_until, other.folded_until);
    const bool any_folded = purchases.folded_days + other.folded_days > 0;
    if (any_folded) { // Days up to there are known as numbers only, so they add up as numbers.
        purchases.folded_days += other.folded_days;
        purchases.folded_spend += other.folded_spend;
        purchases.folded_until = folded_until;
        auto days = std::move(purchases.days);
        days.insert(days.end(), other.days.begin(), other.days.end());
        std::ranges::stable_sort(days, {}, &PurchaseDay::day);
        purchases.days = {days.front()};
        for (std::size_t i = 1; i < days.size(); ++i) {
            auto& last = purchases.days.back();
            if (days[i].day == last.day) {
                last.orders += days[i].orders;
                last.spend += days[i].spend;
            } else {
                purchases.days.push_back(days[i]);
            }
        }
        while (purchases.days.size() > 1 && purchases.days[1].day <= folded_until)
            fold_second(purchases);
        while (purchases.days.size() > Purchases::days_max) fold_second(purchases);
        return;
    }
    for (const auto& day : other.days) add(purchases, day);
}

} // namespace journeys::models
