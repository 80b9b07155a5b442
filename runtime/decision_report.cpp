#include "runtime/decision_report.hpp"

#include "journeys/choice.hpp"
#include "journeys/packed.hpp"
#include "runtime/decision_log.hpp"
#include "runtime/printable.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <unordered_map>

namespace runtime {
namespace {

using journeys::PackedView;

/// What is gathered while the decisions go by.
struct Sums {
    struct Action {
        ActionReport report;
        double weights = 0, squares = 0, rewards = 0;
    };
    std::map<std::string, Action> actions;
    std::unordered_map<std::string, bool> decided, held_out; ///< Customers: rewarded.
    bool explored = false;
};

void add(Sums& sums, const LoggedDecision& one, journeys::Timestamp now) {
    const PackedView data{one.data};
    const bool is_settled = one.until <= now && !one.is_forgotten;
    const bool is_rewarded = one.rewarded_at.has_value();
    if (is_settled) {
        auto& arm = one.held_out ? sums.held_out : sums.decided;
        auto& reached = arm[one.customer];
        reached = reached || is_rewarded;
    }
    if (one.held_out) return;
    if (data.string_at("policy") == journeys::to_text(journeys::DecisionPolicy::explore))
        sums.explored = true;
    const auto action = data.string_at("action");
    auto& into = sums.actions[action.empty() ? "nothing" : std::string{action}];
    ++into.report.taken;
    if (!is_settled) return;
    into.report.value += one.value;
    ++into.report.settled.people;
    if (is_rewarded) ++into.report.settled.reached;
    const auto propensity = data.find("propensity");
    const double chance = propensity.is_number() ? propensity.as_double() : 1;
    const double weight = 1 / std::clamp(chance, 1e-6, 1.0);
    into.weights += weight;
    into.squares += weight * weight;
    if (is_rewarded) into.rewards += weight;
}

journeys::Arm arm_of(const std::unordered_map<std::string, bool>& customers) {
    return {static_cast<std::int64_t>(customers.size()),
            std::ranges::count_if(customers, [](const auto& one) { return one.second; })};
}

DecisionReport made_of(const std::string& place, const Sums& sums) {
    DecisionReport report;
    report.place = place;
    report.explored = sums.explored;
    for (const auto& [action, sum] : sums.actions) {
        auto& line = report.actions.emplace_back(sum.report);
        line.action = action;
        if (sum.weights > 0) {
            line.rate = sum.rewards / sum.weights;
            line.effective = sum.weights * sum.weights / sum.squares;
        }
    }
    std::ranges::stable_sort(report.actions, std::ranges::greater{}, &ActionReport::taken);
    report.decided = arm_of(sums.decided);
    report.held_out = arm_of(sums.held_out);
    report.lift = journeys::lift(report.decided, report.held_out);
    return report;
}

template <class... Values> std::string format(const char* pattern, Values... values) {
    char text[256];
    std::snprintf(text, sizeof text, pattern, values...);
    return text;
}

std::string action_text(const ActionReport& line, bool explored) {
    auto text = format(
        "  %-24s taken %lld · settled %lld · rewarded %lld (%.1f %%) · value %.2f",
        printable(line.action.substr(0, 64)).c_str(), static_cast<long long>(line.taken),
        static_cast<long long>(line.settled.people), static_cast<long long>(line.settled.reached),
        line.settled.share() * 100, line.value);
    if (explored && line.settled.people > 0)
        text += format(" · by its chances %.1f %%, as of %.0f", line.rate * 100, line.effective);
    return text + '\n';
}

std::string arm_text(const char* name, const journeys::Arm& arm) {
    return format("  %-9s %lld customers, %lld rewarded (%.1f %%)\n", name,
                  static_cast<long long>(arm.people), static_cast<long long>(arm.reached),
                  arm.share() * 100);
}

std::string lift_text(const DecisionReport& report) {
    const auto& lift = report.lift;
    if (!lift.is_measured)
        return report.held_out.people == 0
                   ? "  lift      not measured: of nobody held out the time is over (holdout: in "
                     "actions.yaml)\n"
                   : "  lift      not measured: of nobody decided for the time is over\n";
    auto text = format("  lift      %.1f %%, 95 %% interval %.1f %% to %.1f %%",
                       lift.difference * 100, lift.interval.low * 100, lift.interval.high * 100);
    if (!lift.is_certain()) text += "; it can't be told yet whether deciding brings anything";
    return text + '\n';
}

} // namespace

journeys::Result<std::vector<DecisionReport>>
report_decisions(const std::string& conninfo, const std::string& journey, journeys::Timestamp now) {
    std::map<std::string, Sums> places;
    const auto read = read_decisions_of(conninfo, journey, [&](const LoggedDecision& one) {
        const PackedView data{one.data};
        auto place = journey.empty() ? std::string{data.string_at("surface")} : one.step;
        if (place.empty()) place = "any surface";
        add(places[std::move(place)], one, now);
    });
    if (!read) return read.error();
    std::vector<DecisionReport> reports;
    for (const auto& [place, sums] : places) reports.push_back(made_of(place, sums));
    return reports;
}

std::string report_text(const std::vector<DecisionReport>& reports) {
    std::string text;
    for (const auto& report : reports) {
        text += "\ndecided at " + printable(report.place) + '\n';
        for (const auto& line : report.actions) text += action_text(line, report.explored);
        text += arm_text("decided", report.decided) + arm_text("held out", report.held_out) +
                lift_text(report);
    }
    return text;
}

std::string report_json(const std::vector<DecisionReport>& reports) {
    using nlohmann::ordered_json;
    const auto arm = [](const journeys::Arm& people) {
        return ordered_json{
            {"customers", people.people}, {"rewarded", people.reached}, {"share", people.share()}};
    };
    auto json = ordered_json::array();
    for (const auto& report : reports) {
        ordered_json one{
            {"place", report.place}, {"explored", report.explored}, {"actions", json.array()}};
        for (const auto& line : report.actions)
            one["actions"].push_back({{"action", line.action},
                                      {"taken", line.taken},
                                      {"settled", line.settled.people},
                                      {"rewarded", line.settled.reached},
                                      {"share", line.settled.share()},
                                      {"value", line.value},
                                      {"rate", line.rate},
                                      {"effective", line.effective}});
        one["decided"] = arm(report.decided);
        one["held_out"] = arm(report.held_out);
        one["lift"] = nullptr;
        if (report.lift.is_measured)
            one["lift"] = {{"difference", report.lift.difference},
                           {"low", report.lift.interval.low},
                           {"high", report.lift.interval.high},
                           {"level", 0.95},
                           {"method", "newcombe-hybrid-score"}};
        json.push_back(std::move(one));
    }
    return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

} // namespace runtime
