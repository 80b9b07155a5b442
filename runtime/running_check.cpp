#include "runtime/running_check.hpp"

#include "journeys/republishing.hpp"
#include "runtime/archive.hpp"
#include "runtime/columns.hpp"
#include "runtime/publications.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

namespace {

std::string_view words(journeys::OnPublish on_publish) {
    switch (on_publish) {
    case journeys::OnPublish::pin: return "pin";
    case journeys::OnPublish::migrate: return "migrate";
    case journeys::OnPublish::exit: return "exit";
    }
    return "";
}

/// Names of those that only one of the maps has, or has otherwise.
void add_differences(std::vector<std::string>& all, const std::string& what,
                     const std::map<std::string, std::string>& before,
                     const std::map<std::string, std::string>& after) {
    // The service may have been started in another folder than this command.
    const auto by_name = [](const std::map<std::string, std::string>& files) {
        std::map<std::string, std::string> made;
        for (const auto& [path, text] : files)
            made[std::filesystem::path{path}.filename().string()] = text;
        return made;
    };
    const auto olds = by_name(before), news = by_name(after);
    auto both = olds;
    both.insert(news.begin(), news.end());
    for (const auto& [name, text] : both) {
        const auto old = olds.find(name), fresh = news.find(name);
        if (old != olds.end() && fresh != news.end() && old->second == fresh->second) continue;
        all.push_back(what + ' ' + name);
    }
}

std::vector<std::string> other_changes(const Files& before, const Files& after) {
    std::vector<std::string> all;
    if (before.config != after.config) all.emplace_back("settings");
    add_differences(all, "template", before.templates, after.templates);
    add_differences(all, "table", before.tables, after.tables);
    const auto one = [&](const char* what, std::optional<FileText> Files::*file) {
        const auto text = [&](const Files& files) {
            return files.*file ? (files.*file)->text : std::string{};
        };
        if (text(before) != text(after)) all.emplace_back(what);
    };
    one("events", &Files::events);
    one("actions", &Files::actions);
    one("audiences", &Files::audiences);
    one("values", &Files::vars);
    one("coupons", &Files::coupons);
    one("models", &Files::models);
    return all;
}

std::vector<JourneyChange> journey_changes(const journeys::Catalog& before,
                                           const journeys::Catalog& after, std::size_t& same) {
    std::vector<JourneyChange> changes;
    for (const auto& journey : after.journeys()) {
        const auto* old = before.journey(journey->id);
        if (old && old->version == journey->version) {
            ++same;
            continue;
        }
        JourneyChange change{.journey = journey->id};
        change.kind = old ? JourneyChange::Kind::changed : JourneyChange::Kind::added;
        change.before = old ? old->version : 0;
        change.after = journey->version;
        change.on_publish = words(journey->on_publish);
        if (journey->status == journeys::Status::archived) change.status = "archived";
        if (journey->status == journeys::Status::paused) change.status = "paused";
        changes.push_back(std::move(change));
    }
    for (const auto& journey : before.journeys())
        if (!after.journey(journey->id))
            changes.push_back({.journey = journey->id,
                               .kind = JourneyChange::Kind::gone,
                               .before = journey->version});
    std::ranges::sort(changes, {}, &JourneyChange::journey);
    return changes;
}

void count(RunningCheck& check, const journeys::Run& run, const journeys::Catalog& after) {
    ++check.runs;
    const auto change = std::ranges::find(check.changes, run.journey, &JourneyChange::journey);
    if (change == check.changes.end()) {
        ++check.runs_of_same;
        return;
    }
    const auto fate = journeys::fate_of(run, after);
    const auto* pinned = after.version(run.journey, run.version);
    const auto step =
        pinned && run.step < pinned->steps.size() ? pinned->steps[run.step].path : std::string{"?"};
    switch (fate.kind) {
    case journeys::RunFate::Kind::stays: ++change->stays[step]; break;
    case journeys::RunFate::Kind::moves: ++change->moves[fate.wait->path]; break;
    case journeys::RunFate::Kind::ends: ++change->ends[std::string{fate.reason}]; break;
    }
}

std::uint64_t sum(const std::map<std::string, std::uint64_t>& counts) {
    std::uint64_t all = 0;
    for (const auto& [name, count] : counts) all += count;
    return all;
}

/// `first-wait 640 · second-wait 172`, the most first; of many the first five.
std::string listed(const std::map<std::string, std::uint64_t>& counts) {
    constexpr std::size_t named = 5;
    std::vector<std::pair<std::uint64_t, std::string>> sorted;
    for (const auto& [name, count] : counts) sorted.emplace_back(count, name);
    std::ranges::stable_sort(sorted, std::greater{}, [](const auto& one) { return one.first; });
    std::string text;
    for (std::size_t i = 0; i < std::min(sorted.size(), named); ++i)
        text += (i == 0 ? "" : " · ") + sorted[i].second + ' ' + std::to_string(sorted[i].first);
    if (sorted.size() > named) text += " · …";
    return text;
}

std::string runs_text(std::uint64_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + (count == 1 ? " run " : " runs ") +
           std::string{count == 1 ? one : many};
}

std::string why_stays(const JourneyChange& change) {
    if (change.kind == JourneyChange::Kind::gone) return "the file is gone: nobody enters any more";
    if (change.on_publish == "pin") return "on_publish: pin";
    return "in no wait that the new version knows by its name";
}

std::string change_text(const JourneyChange& change) {
    using Kind = JourneyChange::Kind;
    std::string text = change.kind == Kind::added  ? "new      "
                       : change.kind == Kind::gone ? "gone     "
                                                   : "changed  ";
    text += change.journey;
    if (change.kind == Kind::changed)
        text += "  " + journeys::version_text(change.before) + " → " +
                journeys::version_text(change.after);
    if (!change.status.empty()) text += ", " + change.status;
    text += '\n';
    constexpr std::size_t indent = 11;
    const auto line = [&](const std::string& what) {
        text += wrapped(std::string(indent, ' '), what, indent + 2);
    };
    if (const auto moves = sum(change.moves); moves > 0)
        line(runs_text(moves, "moves", "move") + " to the new version: " + listed(change.moves));
    if (const auto stays = sum(change.stays); stays > 0)
        line(runs_text(stays, "stays", "stay") + " on the version before (" + why_stays(change) +
             "): " + listed(change.stays));
    if (const auto ends = sum(change.ends); ends > 0)
        line(runs_text(ends, "ends", "end") + ": " + listed(change.ends));
    if (change.moves.empty() && change.stays.empty() && change.ends.empty())
        line(change.kind == Kind::added ? "nobody is in it yet" : "no open runs");
    return text;
}

} // namespace

Result<RunningCheck> check_running(const std::string& conninfo, const Files& files,
                                   const std::filesystem::path& directory) {
    Archive archive{conninfo};
    const auto in_force = archive.publication_in_force();
    if (!in_force) return in_force.error();
    const auto stored = archive.publications();
    if (!stored) return stored.error();
    Publications publications{directory};
    Files published;
    for (const auto& text : *stored) {
        publications.add_stored(text);
        auto read = files_from_text(text);
        if (read && publication_of(*read) == *in_force) published = std::move(*read);
    }
    const auto before = publications.find(*in_force);
    if (!before || *in_force == 0)
        return Error{ErrorCode::not_found, "nothing has been published on this database yet"};
    auto now = files;
    now.rewards = published.rewards; // What was learned is the service's.
    const auto compiled = publications.add(now);
    if (!compiled.catalog) return Error{ErrorCode::invalid_journey, "the files have mistakes"};
    const auto& after = *compiled.catalog;

    RunningCheck check;
    check.publication = *in_force;
    check.changes = journey_changes(*before, after, check.same);
    check.others = other_changes(published, now);
    check.is_unchanged = check.changes.empty() && check.others.empty();
    journeys::Customer customer;
    const auto read = archive.each_snapshot([&](std::string_view block) {
        if (!journeys::unpack(block, customer)) return; // Parked, and told of elsewhere.
        if (!customer.runs.empty()) ++check.customers;
        for (const auto& run : customer.runs) count(check, run, after);
    });
    if (!read) return read.error();
    return check;
}

std::string running_text(const RunningCheck& check) {
    std::string text = "running  " + std::to_string(check.runs) + " open runs of " +
                       std::to_string(check.customers) + " customers, by the last snapshots\n";
    if (check.is_unchanged) return text + "same     the files are what runs\n";
    for (const auto& change : check.changes) text += change_text(change);
    text += "same     " + std::to_string(check.same) + " journeys, " +
            runs_text(check.runs_of_same, "", "");
    while (text.back() == ' ') text.pop_back();
    text += '\n';
    if (check.others.empty()) return text;
    std::string others;
    for (const auto& other : check.others) others += (others.empty() ? "" : ", ") + other;
    return text + wrapped("others   ", others, 9) +
           "         they reach open runs as soon as they are published\n";
}

std::string running_json(const RunningCheck& check) {
    using nlohmann::ordered_json;
    ordered_json json{{"runs", check.runs},
                      {"customers", check.customers},
                      {"unchanged", check.is_unchanged},
                      {"same", {{"journeys", check.same}, {"runs", check.runs_of_same}}},
                      {"changes", ordered_json::array()},
                      {"others", check.others}};
    for (const auto& change : check.changes) {
        using Kind = JourneyChange::Kind;
        ordered_json one{{"journey", change.journey},
                         {"change", change.kind == Kind::added  ? "new"
                                    : change.kind == Kind::gone ? "gone"
                                                                : "changed"}};
        if (change.before != 0) one["before"] = journeys::version_text(change.before);
        if (change.after != 0) one["after"] = journeys::version_text(change.after);
        if (!change.on_publish.empty()) one["on_publish"] = change.on_publish;
        one["moves"] = change.moves;
        one["stays"] = change.stays;
        one["ends"] = change.ends;
        json["changes"].push_back(std::move(one));
    }
    return json.dump();
}

} // namespace runtime
