#include "journeys/comparison.hpp"

#include <algorithm>
#include <optional>

namespace journeys {
namespace {

constexpr auto seven_days = std::chrono::hours{24 * 7};
constexpr std::size_t examples_max = 5;

/// Why the second run did not send what the first did, in words; `at`: when the first sent it.
std::string why_not(const RunRecord& after, const RunRecord::Key& key, Timestamp at) {
    if (const auto found = after.suppressed.find(key); found != after.suppressed.end())
        return "suppressed: " + found->second;
    const auto misses = after.misses.find({key.customer, key.journey});
    if (misses == after.misses.end()) return "not entered";
    const RunRecord::Ended* latest = nullptr;
    for (const auto& miss : misses->second)
        if (miss.at <= at && (!latest || miss.at >= latest->at)) latest = &miss;
    return latest ? latest->what : misses->second.front().what;
}

} // namespace

void RunRecord::note(const CustomerId& customer, const TimelineEntry& entry) {
    const auto who = display(customer);
    switch (entry.kind) {
    case EntryKind::send:
    case EntryKind::call:
        sends[{who, entry.journey, entry.key, entry.step}].push_back(entry.at);
        steps_seen.insert({entry.journey, entry.step});
        break;
    case EntryKind::suppress:
        suppressed[{who, entry.journey, entry.key, entry.step}] = entry.reason;
        if (entry.reason == "capped") ++capped;
        break;
    case EntryKind::no_entry:
        misses[{who, entry.journey}].push_back({entry.at, entry.reason == "when"
                                                              ? "when line " + entry.step
                                                              : "not entered: " + entry.reason});
        break;
    case EntryKind::exit:
        misses[{who, entry.journey}].push_back({entry.at, entry.reason + " before the send"});
        break;
    default: break;
    }
}

std::int64_t RunRecord::most_in_seven_days() const {
    std::unordered_map<std::string, std::vector<Timestamp>> by_customer;
    for (const auto& [key, times] : sends) {
        auto& all = by_customer[key.customer];
        all.insert(all.end(), times.begin(), times.end());
    }
    std::int64_t most = 0;
    for (auto& [customer, times] : by_customer) {
        std::ranges::sort(times);
        std::size_t first = 0;
        for (std::size_t last = 0; last < times.size(); ++last) {
            while (times[last] - times[first] >= seven_days) ++first;
            most = std::max(most, static_cast<std::int64_t>(last - first + 1));
        }
    }
    return most;
}

Comparison compare(const RunRecord& before, const RunRecord& after) {
    Comparison result;
    std::map<std::pair<std::string, std::string>, StepComparison> steps;
    std::map<std::pair<std::string, std::string>, std::vector<Duration>> shifts;
    std::map<std::string, std::int64_t> balance; // Messages more (or fewer) by customer.

    std::set<RunRecord::Key> keys;
    for (const auto& [key, times] : before.sends) keys.insert(key);
    for (const auto& [key, times] : after.sends) keys.insert(key);
    static const std::vector<Timestamp> none;
    for (const auto& key : keys) {
        const auto find = [&](const RunRecord& run) -> const std::vector<Timestamp>& {
            const auto found = run.sends.find(key);
            return found == run.sends.end() ? none : found->second;
        };
        const auto& olds = find(before);
        const auto& news = find(after);
        const std::pair where{key.journey, key.step};
        auto& step = steps[where];
        step.journey = key.journey;
        step.step = key.step;
        step.before += olds.size();
        step.after += news.size();
        balance[key.customer] +=
            static_cast<std::int64_t>(news.size()) - static_cast<std::int64_t>(olds.size());
        for (std::size_t i = 0; i < std::min(olds.size(), news.size()); ++i) {
            if (olds[i] == news[i]) continue;
            ++step.moved;
            shifts[where].push_back(news[i] - olds[i]);
        }
        for (std::size_t i = news.size(); i < olds.size(); ++i) {
            ++step.no_longer;
            const auto why = why_not(after, key, olds[i]);
            ++result.why_no_longer[where][why];
            if (result.examples.size() < examples_max)
                result.examples.push_back({key.customer, "loses " + key.step + " (" + why + ")"});
        }
        if (news.size() > olds.size()) step.added += news.size() - olds.size();
    }
    for (auto& [where, step] : steps) {
        if (auto& moved = shifts[where]; !moved.empty()) {
            std::ranges::nth_element(moved,
                                     moved.begin() + static_cast<std::ptrdiff_t>(moved.size() / 2));
            step.median_shift = moved[moved.size() / 2];
        }
        result.steps.push_back(std::move(step));
    }
    for (const auto& [customer, more] : balance) {
        if (more > 0) ++result.customers_with_more;
        if (more < 0) ++result.customers_with_fewer;
    }
    result.most_before = before.most_in_seven_days();
    result.most_after = after.most_in_seven_days();
    result.capped_before = before.capped;
    result.capped_after = after.capped;
    return result;
}

} // namespace journeys
