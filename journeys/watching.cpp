#include "journeys/watching.hpp"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <vector>

namespace journeys {
namespace {

std::string percent(double share) {
    char text[16];
    std::snprintf(text, sizeof text, "%.0f %%", share * 100);
    return text;
}

/// The most frequent reasons, `capped 41 · consent 12`.
std::string reasons_of(const DayOfSends& day) {
    constexpr std::size_t named = 3;
    std::vector<std::pair<std::uint64_t, Reason>> all;
    for (const auto reason : all_reasons)
        if (const auto count = day.suppressed[static_cast<std::size_t>(reason)];
            count > 0 && reason != Reason::holdout)
            all.emplace_back(count, reason);
    std::ranges::stable_sort(all, std::greater{}, [](const auto& one) { return one.first; });
    if (all.size() > named) all.resize(named);
    std::string text;
    for (const auto& [count, reason] : all)
        text += (text.empty() ? "" : " · ") + std::string{to_text(reason)} + ' ' +
                std::to_string(count);
    return text;
}

std::string expected(const Watch& watch) {
    std::string text;
    if (watch.sends_min) text = "at least " + std::to_string(*watch.sends_min);
    if (watch.sends_max)
        text +=
            (text.empty() ? "" : ", ") + std::string{"at most "} + std::to_string(*watch.sends_max);
    return text;
}

} // namespace

std::uint64_t DayOfSends::not_sent() const {
    std::uint64_t all = 0;
    for (const auto count : suppressed) all += count;
    return all - suppressed[static_cast<std::size_t>(Reason::holdout)];
}

double DayOfSends::share_not_sent() const {
    const auto all = sent + not_sent();
    return all == 0 ? 0 : static_cast<double>(not_sent()) / static_cast<double>(all);
}

std::string_view to_text(Alarm alarm) {
    switch (alarm) {
    case Alarm::none: return "";
    case Alarm::silent: return "silent";
    case Alarm::flooding: return "flooding";
    case Alarm::suppressed: return "suppressed";
    }
    return "";
}

Alarm alarm_of(const Watch& watch, const DayOfSends& day, Duration live_for) {
    const auto sent = static_cast<std::int64_t>(day.sent);
    if (watch.sends_max && sent > *watch.sends_max) return Alarm::flooding;
    if (watch.suppressed_below && day.sent + day.not_sent() >= watched_messages_min &&
        day.share_not_sent() >= *watch.suppressed_below)
        return Alarm::suppressed;
    if (watch.sends_min && sent < *watch.sends_min && live_for >= std::chrono::hours{24})
        return Alarm::silent;
    return Alarm::none;
}

std::string told(const Watch& watch, const DayOfSends& day, Alarm alarm) {
    const auto sent = std::to_string(day.sent) + " sent in 24 hours";
    const auto share = percent(day.share_not_sent()) + " not sent";
    switch (alarm) {
    case Alarm::none: break;
    case Alarm::silent:
        return sent + ", at least " + std::to_string(*watch.sends_min) + " are expected" +
               (day.not_sent() > 0 ? "; not sent: " + reasons_of(day) : "");
    case Alarm::flooding:
        return sent + ", at most " + std::to_string(*watch.sends_max) + " are expected";
    case Alarm::suppressed:
        return share + " in 24 hours, below " + percent(*watch.suppressed_below) +
               " is expected: " + reasons_of(day);
    }
    auto text = sent;
    if (const auto words = expected(watch); !words.empty()) text += " (" + words + ')';
    if (watch.suppressed_below)
        text += ", " + share + " (below " + percent(*watch.suppressed_below) + ')';
    return text;
}

} // namespace journeys
