#include "journeys/comparison.hpp"

#include <algorithm>
#include <optional>

namespace journeys {
namespace {

constexpr auto seven_days = std::chrono::hours{24 * 7};
constexpr std::size_t examples_max = 5;

RunRecord::Key run_of(RunRecord::Key key) {
    key.step.clear();
    return key;
}

/// The newest up to `at`, else the first after it.
const RunRecord::Ended* around(const std::vector<RunRecord::Ended>& all, Timestamp at) {
    const RunRecord::Ended* latest = nullptr;
    for (const auto& one : all)
        if (one.at <= at && (!latest || one.at >= latest->at)) latest = &one;
    return latest || all.empty() ? latest : &all.front();
}

/// Why the second run did not enter what the first did: what came of the event that entered it.
std::string why_not_entered(const RunRecord& before, const RunRecord& after,
                            const RunRecord::Key& key, Timestamp at) {
    const auto misses = after.misses.find({key.customer, key.journey});
    if (misses == after.misses.end()) return "not entered";
    Timestamp entered_at = at;
    if (const auto entered = before.entered.find(run_of(key)); entered != before.entered.end())
        for (const auto one : entered->second)
            if (one <= at) entered_at = one;
    return around(misses->second, entered_at)->what;
}

/// Why the second run did not send what the first did, in words; `at`: when the first sent it.
std::string why_not(const RunRecord& before, const RunRecord& after, const RunRecord::Key& key,
                    Timestamp at) {
    if (const auto found = after.suppressed.find(key); found != after.suppressed.end())
        return "suppressed: " + found->second;
    if (const auto ends = after.ended.find(run_of(key)); ends != after.ended.end())
        return around(ends->second, at)->what;
    if (after.entered.contains(run_of(key))) return "not reached before the events end";
    return why_not_entered(before, after, key, at);
}

/// Of a step that the second side does not have: what has become of it. Empty where it has it, or
/// nobody knows.
std::string what_became_of(const std::string& journey, const std::string& step,
                           const SendSteps& old_steps, const SendSteps& new_steps) {
    const auto olds = old_steps.journeys.find(journey);
    if (olds == old_steps.journeys.end()) return {};
    const auto old = olds->second.find(step);
    if (old == olds->second.end()) return {};
    const auto news = new_steps.journeys.find(journey);
    if (news == new_steps.journeys.end()) return "the journey is gone";
    if (news->second.contains(step)) return {};
    std::vector<std::string> alike;
    for (const auto& [name, what] : news->second)
        if (what == old->second && !olds->second.contains(name)) alike.push_back(name);
    return alike.size() == 1 ? "renamed: the step is now " + alike.front() : "the step is gone";
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
    case EntryKind::enter: entered[{who, entry.journey, entry.key, {}}].push_back(entry.at); break;
    case EntryKind::exit:
        ended[{who, entry.journey, entry.key, {}}].push_back(
            {entry.at, entry.reason + " before the send"});
        break;
    case EntryKind::end:
        ended[{who, entry.journey, entry.key, {}}].push_back(
            {entry.at, entry.reason == "completed" ? "the run takes another way"
                                                   : "the run ends before: " + entry.reason});
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

SendSteps send_steps_of(const Catalog& catalog) {
    SendSteps all;
    for (const auto& journey : catalog.journeys()) {
        auto& steps = all.journeys[journey->id];
        for (const auto& step : journey->steps)
            if (const auto* send = std::get_if<Send>(&step.action))
                steps[step.path] = send->channel + '\n' + send->template_name;
    }
    return all;
}

Comparison compare(const RunRecord& before, const RunRecord& after, const SendSteps& old_steps,
                   const SendSteps& new_steps) {
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
            const auto became = what_became_of(key.journey, key.step, old_steps, new_steps);
            const auto why = became.empty() ? why_not(before, after, key, olds[i]) : became;
            ++result.why_no_longer[where][why];
            if (became.empty() && result.examples.size() < examples_max)
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
