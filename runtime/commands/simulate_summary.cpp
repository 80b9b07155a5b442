#include "runtime/commands/simulate_summary.hpp"

#include "journeys/local_time.hpp"
#include "journeys/packed.hpp"
#include "runtime/columns.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <set>
#include <sstream>

namespace runtime {
namespace {

/// 1204331 -> 1,204,331.
std::string grouped(std::int64_t number) {
    auto digits = std::to_string(number < 0 ? -number : number);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > 0; at -= 3)
        digits.insert(static_cast<std::size_t>(at), 1, ',');
    return (number < 0 ? "−" : "") + digits;
}
std::string grouped(std::uint64_t number) { return grouped(static_cast<std::int64_t>(number)); }

std::string signed_count(std::uint64_t number, const char* sign) {
    return number == 0 ? "0" : sign + grouped(number);
}

/// 2 h 15 m
std::string span_text(journeys::Duration span) {
    auto minutes = std::chrono::duration_cast<std::chrono::minutes>(span).count();
    if (minutes < 0) minutes = -minutes;
    if (minutes == 0) return std::to_string(std::abs(span.count()) / 1000) + " s";
    std::string text;
    if (minutes >= 1440) text = std::to_string(minutes / 1440) + " d ";
    if (minutes >= 60) text += std::to_string(minutes / 60 % 24) + " h ";
    return text + std::to_string(minutes % 60) + " m";
}

/// `1–14 Mar 2026`, with month and year only where they differ.
std::string span_of_days(journeys::Timestamp first, journeys::Timestamp last) {
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    using std::chrono::floor;
    const std::chrono::year_month_day from{floor<std::chrono::days>(first)},
        to{floor<std::chrono::days>(last)};
    const auto month = [](const auto& day) {
        return std::string{" "} + months[static_cast<unsigned>(day.month()) - 1];
    };
    const auto year = [](const auto& day) {
        return ' ' + std::to_string(static_cast<int>(day.year()));
    };
    const auto end = std::to_string(static_cast<unsigned>(to.day())) + month(to) + year(to);
    if (from == to) return end;
    auto begin = std::to_string(static_cast<unsigned>(from.day()));
    if (from.year() != to.year()) return begin + month(from) + year(from) + " – " + end;
    if (from.month() != to.month()) return begin + month(from) + " – " + end;
    return begin + "–" + end;
}

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts) all += (all.empty() ? "" : ", ") + text;
    return all.empty() ? "–" : all;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::string first_word(const std::string& line) {
    const auto from = line.find_first_not_of(" -{");
    if (from == std::string::npos) return "";
    return line.substr(from, line.find_first_of(": ", from) - from);
}

constexpr std::size_t changed_lines_named = 3;

/// The first lines of `text` that `than` does not have.
std::string other_lines(const std::string& text, const std::string& than, const char* word) {
    const auto there = lines_of(than);
    const std::set<std::string> known{there.begin(), there.end()};
    std::string where;
    std::size_t named = 0, number = 0;
    for (const auto& line : lines_of(text)) {
        ++number;
        if (known.contains(line) || first_word(line).empty() || named == changed_lines_named)
            continue;
        ++named;
        where +=
            (where.empty() ? word : ", line ") + std::to_string(number) + ' ' + first_word(line);
    }
    return where;
}

std::string head(const SimulationSummary& summary) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.1f s", summary.took.count());
    std::string text = summary.before_name;
    if (!summary.after_name.empty()) text += " → " + summary.after_name;
    if (summary.first != journeys::Timestamp{})
        text += " · " + span_of_days(summary.first, summary.last);
    text += " · " + grouped(summary.events) + " events of " + grouped(summary.customers) +
            " customers · " + seconds + " · nothing was sent";
    return wrapped({}, text, 2);
}

/// `when line 7` with what stands there: `when line 7 "cart.value >= 35"`.
std::string with_condition(const std::string& reason, const std::string& journey,
                           const SimulationSummary::Conditions& conditions) {
    constexpr std::string_view of_line = "when line ";
    if (!reason.starts_with(of_line)) return reason;
    const auto found = conditions.find({journey, reason.substr(of_line.size())});
    return found == conditions.end() ? reason : reason + " \"" + found->second + '"';
}

/// The most frequent first.
std::string reasons_text(const std::map<std::string, std::uint64_t>& reasons,
                         const std::string& journey,
                         const SimulationSummary::Conditions& conditions) {
    std::vector<std::pair<std::uint64_t, std::string>> sorted;
    for (const auto& [reason, count] : reasons) sorted.emplace_back(count, reason);
    std::ranges::stable_sort(sorted, std::greater{}, [](const auto& one) { return one.first; });
    std::string text;
    for (const auto& [count, reason] : sorted)
        text += (text.empty() ? "" : " · ") + with_condition(reason, journey, conditions) + ' ' +
                grouped(count);
    return text;
}

} // namespace

FileChanges changes_between(const std::map<std::string, std::string>& before,
                            const std::map<std::string, std::string>& after) {
    const auto by_stem = [](const std::map<std::string, std::string>& files) {
        std::map<std::string, std::string> result;
        for (const auto& [name, text] : files)
            result[std::filesystem::path{name}.stem().string()] = text;
        return result;
    };
    const auto olds = by_stem(before), news = by_stem(after);
    FileChanges changes;
    for (const auto& [name, text] : news) {
        const auto old = olds.find(name);
        if (old == olds.end()) {
            changes.added.push_back(name);
        } else if (old->second == text) {
            ++changes.same;
        } else {
            auto where = other_lines(text, old->second, "line ");
            // Where lines have only been taken out: those of the old file.
            if (where.empty()) where = other_lines(old->second, text, "without its line ");
            changes.changed.push_back(where.empty() ? name : name + " (" + where + ')');
        }
    }
    for (const auto& [name, text] : olds)
        if (!news.contains(name)) changes.removed.push_back(name);
    return changes;
}

std::string summary_text(const SimulationSummary& summary, const journeys::RunRecord& run) {
    std::map<std::pair<std::string, std::string>, std::uint64_t> sent;
    std::map<std::pair<std::string, std::string>, std::map<std::string, std::uint64_t>> reasons;
    for (const auto& [key, times] : run.sends) sent[{key.journey, key.step}] += times.size();
    for (const auto& [key, reason] : run.suppressed) ++reasons[{key.journey, key.step}][reason];
    for (const auto& [where, by_reason] : reasons) sent.try_emplace(where, 0);

    std::string text =
        head(summary) + '\n' + padded("step", 40) + padded("sent", 10, true) + "  not sent\n";
    for (const auto& [where, count] : sent) {
        std::string why;
        for (const auto& [reason, times] : reasons[where])
            why += (why.empty() ? "" : " · ") + reason + ' ' + grouped(times);
        text += wrapped(padded(where.first + " › " + where.second, 40) +
                            padded(grouped(count), 10, true) + "  ",
                        why.empty() ? "–" : why, 52);
    }
    return text + "customers  most messages in 7 days " + std::to_string(run.most_in_seven_days()) +
           '\n';
}

std::string summary_text(const SimulationSummary& summary, const journeys::RunRecord&,
                         const journeys::Comparison& comparison) {
    const auto& changes = summary.changes;
    std::string what = joined(changes.changed) + "     new  " + joined(changes.added);
    if (!changes.removed.empty()) what += "     gone  " + joined(changes.removed);
    what += "     same  " + std::to_string(changes.same) +
            (changes.same == 1 ? " journey" : " journeys");
    std::string text = head(summary) + wrapped("changed  ", what, 9) + '\n';
    text += padded("step", 32) + padded("old", 8, true) + padded("new", 8, true) +
            padded("no longer", 11, true) + padded("added", 8, true) + "  at another time\n";
    for (const auto& step : comparison.steps) {
        text += padded(step.journey + " › " + step.step, 32) +
                padded(grouped(step.before), 8, true) + padded(grouped(step.after), 8, true) +
                padded(signed_count(step.no_longer, "−"), 11, true) +
                padded(signed_count(step.added, "+"), 8, true) + "  ";
        if (step.moved == 0)
            text += step.before > 0 && step.after > 0 ? "0" : "–";
        else
            text += grouped(step.moved) + ", median " + span_text(step.median_shift) +
                    (step.median_shift.count() >= 0 ? " later" : " earlier");
        text += '\n';
    }
    for (const auto& [where, reasons] : comparison.why_no_longer)
        text += wrapped("why no longer (" + where.first + " › " + where.second + ")  ",
                        reasons_text(reasons, where.first, summary.conditions), 11);
    text += "customers  " + grouped(comparison.customers_with_more) + " get more · " +
            grouped(comparison.customers_with_fewer) + " fewer · most in 7 days " +
            std::to_string(comparison.most_before) + " → " + std::to_string(comparison.most_after) +
            " · capped " + grouped(comparison.capped_before) + " → " +
            grouped(comparison.capped_after) + '\n';
    if (!comparison.examples.empty()) {
        std::string examples;
        for (const auto& example : comparison.examples)
            examples += (examples.empty() ? "" : " · ") + example.customer + ' ' + example.what;
        text += wrapped("look at    ", examples + "   (--customer ID shows one)", 11);
    }
    return text;
}

SimulationSummary::Conditions conditions_of(const journeys::Catalog& catalog) {
    SimulationSummary::Conditions all;
    for (const auto& journey : catalog.journeys())
        for (const auto& condition : journey->enter.when) {
            auto text = condition.program->text();
            std::ranges::replace(text, '\n', ' ');
            all[{journey->id, std::to_string(condition.line)}] = std::move(text);
        }
    return all;
}

std::string diff_lines(const journeys::RunRecord& before, const journeys::RunRecord& after) {
    std::string text;
    std::set<journeys::RunRecord::Key> keys;
    for (const auto& [key, times] : before.sends) keys.insert(key);
    for (const auto& [key, times] : after.sends) keys.insert(key);
    const auto line = [&](const char* change, const journeys::RunRecord::Key& key,
                          const journeys::Timestamp* old, const journeys::Timestamp* fresh) {
        text += std::string{"{\"change\":\""} + change + "\",\"customer\":";
        journeys::append_json_string(text, key.customer);
        text += ",\"journey\":";
        journeys::append_json_string(text, key.journey);
        text += ",\"key\":";
        journeys::append_json_string(text, key.key);
        text += ",\"step\":";
        journeys::append_json_string(text, key.step);
        if (old) text += ",\"at\":\"" + journeys::to_text(*old) + '"';
        if (fresh) text += ",\"new_at\":\"" + journeys::to_text(*fresh) + '"';
        text += "}\n";
    };
    static const std::vector<journeys::Timestamp> none;
    const auto of =
        [](const journeys::RunRecord& run,
           const journeys::RunRecord::Key& key) -> const std::vector<journeys::Timestamp>& {
        const auto found = run.sends.find(key);
        return found == run.sends.end() ? none : found->second;
    };
    for (const auto& key : keys) {
        const auto& olds = of(before, key);
        const auto& news = of(after, key);
        for (std::size_t i = 0; i < std::max(olds.size(), news.size()); ++i) {
            if (i >= news.size())
                line("no_longer", key, &olds[i], nullptr);
            else if (i >= olds.size())
                line("added", key, nullptr, &news[i]);
            else if (olds[i] != news[i])
                line("moved", key, &olds[i], &news[i]);
        }
    }
    return text;
}

} // namespace runtime
