#include "runtime/journey_report.hpp"

#include "journeys/packed.hpp"
#include "runtime/columns.hpp"
#include "runtime/database_session.hpp"
#include "runtime/failure_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

namespace runtime {

using journeys::Result;

namespace {

StepReport& step_of(JourneyReport& report, const std::string& step) {
    const auto found = std::ranges::find(report.steps, step, &StepReport::step);
    if (found != report.steps.end()) return *found;
    report.steps.push_back({.step = step});
    return report.steps.back();
}

void read_counts(pqxx::work& work, JourneyReport& report) {
    const auto rows = work.exec_params(
        "SELECT kind, step, channel, reason, count(*), min(at) AS first FROM timeline "
        "WHERE journey = $1 GROUP BY kind, step, channel, reason ORDER BY first",
        report.journey);
    for (const auto& row : rows) {
        const auto kind = row[0].as<std::string>(), step = row[1].as<std::string>(),
                   reason = row[3].as<std::string>();
        const auto count = row[4].as<std::int64_t>();
        if (kind == "enter") {
            report.entered += count;
        } else if (kind == "no_entry") {
            report.not_entered[reason] += count;
        } else if (kind == "exit" || kind == "end") {
            report.ended[reason.empty() ? kind : reason] += count;
        } else if (kind == "send" || kind == "call" || kind == "suppress" || kind == "defer") {
            auto& one = step_of(report, step);
            one.channel = row[2].as<std::string>();
            if (kind == "send" || kind == "call")
                one.sent += count;
            else if (kind == "defer")
                one.deferred += count;
            else if (reason == "holdout")
                one.held_out += count;
            else
                one.not_sent[reason] += count;
        }
    }
    for (const auto& row :
         work.exec_params("SELECT step, reason, data, count(*) FROM timeline WHERE journey = $1 "
                          "AND kind = 'suppress' AND length(data) > 0 GROUP BY step, reason, data",
                          report.journey)) {
        const auto data = pqxx::binarystring{row[2]}.str();
        if (!journeys::PackedView::validate(data)) continue;
        if (const auto why = failure_text(data); !why.empty())
            step_of(report, row[0].as<std::string>()).errors[row[1].as<std::string>() + why] +=
                row[3].as<std::int64_t>();
    }
    for (const auto& row :
         work.exec_params("SELECT step, state, count(*) FROM outbox WHERE journey = $1 AND state "
                          "IN ('accepted', 'rejected', 'unknown') GROUP BY step, state",
                          report.journey)) {
        auto& one = step_of(report, row[0].as<std::string>());
        const auto state = row[1].as<std::string>();
        auto& into = state == "accepted"   ? one.accepted
                     : state == "rejected" ? one.rejected
                                           : one.unknown;
        into += row[2].as<std::int64_t>();
    }
}

std::int64_t people(pqxx::work& work, const char* where, const std::string& journey) {
    return work
        .exec_params1(std::string{"SELECT count(DISTINCT customer) FROM timeline WHERE journey = "
                                  "$1 AND "} +
                          where,
                      journey)[0]
        .as<std::int64_t>();
}

void read_goals(pqxx::work& work, JourneyReport& report) {
    report.sent.people = people(work, "kind = 'send'", report.journey);
    report.held_out.people =
        people(work, "kind = 'suppress' AND reason = 'holdout'", report.journey);
    report.sent.reached = people(work, "kind = 'goal' AND NOT held_out", report.journey);
    report.held_out.reached = people(work, "kind = 'goal' AND held_out", report.journey);
    for (const auto& row :
         work.exec_params("SELECT held_out, data FROM timeline WHERE journey = $1 AND "
                          "kind = 'goal'",
                          report.journey)) {
        const auto data = pqxx::binarystring{row[1]}.str();
        if (!journeys::PackedView::validate(data)) continue;
        const auto value = journeys::PackedView{data}.find("value");
        if (!value.is_number()) continue;
        (row[0].as<bool>() ? report.held_out_revenue : report.sent_revenue) += value.as_double();
    }
    report.lift = journeys::lift(report.sent, report.held_out);
}

std::string percent(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %%", share * 100);
    return text;
}

std::string whole(double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%.0f", std::round(number));
    return text;
}

std::string reasons(const std::map<std::string, std::int64_t>& by_reason) {
    std::vector<std::pair<std::int64_t, std::string>> sorted;
    for (const auto& [reason, count] : by_reason) sorted.emplace_back(-count, reason);
    std::ranges::sort(sorted);
    std::string text;
    for (const auto& [count, reason] : sorted)
        text += (text.empty() ? "" : " · ") + reason + ' ' + std::to_string(-count);
    return text;
}

/// The most frequent errors, and how many kinds there are beside them.
std::string first_of(const std::map<std::string, std::int64_t>& errors) {
    constexpr std::size_t shown = 3;
    std::vector<std::pair<std::int64_t, std::string>> sorted;
    for (const auto& [error, count] : errors) sorted.emplace_back(-count, error);
    std::ranges::sort(sorted);
    std::string text;
    for (std::size_t i = 0; i < std::min(sorted.size(), shown); ++i)
        text +=
            (text.empty() ? "" : " · ") + sorted[i].second + ' ' + std::to_string(-sorted[i].first);
    if (sorted.size() > shown)
        text += " · " + std::to_string(sorted.size() - shown) + " other errors";
    return text;
}

std::string lift_words(const JourneyReport& report) {
    const auto& lift = report.lift;
    if (!lift.is_measured)
        return "not measured: " + std::string{report.held_out.people == 0
                                                  ? "nobody was held out (holdout: 10% in "
                                                    "the journey's file)"
                                                  : "nobody was sent a message"};
    const auto sent = static_cast<double>(report.sent.people);
    const auto effect = lift.difference * sent;
    const auto anyway = static_cast<double>(report.sent.reached) - effect;
    std::string text = percent(lift.difference) + ", 95 % interval " + percent(lift.interval.low) +
                       " to " + percent(lift.interval.high) + " (Newcombe's hybrid score)\n";
    if (!lift.is_certain()) {
        text += "it can't be told yet whether the journey brings anything: about " + whole(effect) +
                " of the " + std::to_string(report.sent.reached) +
                " customers who reached the goal did so because of it, " +
                whole(lift.interval.low * sent) + " to " + whole(lift.interval.high * sent);
    } else if (effect > 0) {
        text += "about " + whole(effect) + " of the " + std::to_string(report.sent.reached) +
                " customers who reached the goal did so because of it, " +
                whole(lift.interval.low * sent) + " to " + whole(lift.interval.high * sent) + "; " +
                whole(anyway) + " would have anyway";
    } else {
        text += "it does harm: about " + whole(-effect) +
                " more would have reached the goal without it, " +
                whole(-lift.interval.high * sent) + " to " + whole(-lift.interval.low * sent);
    }
    return text;
}

} // namespace

Result<JourneyReport> report_journey(const std::string& conninfo, const std::string& journey) {
    DatabaseSession session{conninfo};
    JourneyReport report;
    report.journey = journey;
    auto read = session.run([&](pqxx::work& work) {
        read_counts(work, report);
        read_goals(work, report);
    });
    if (!read) return read.error();
    return report;
}

std::string report_text(const JourneyReport& report) {
    constexpr std::size_t indent = 10;
    std::string text = report.journey + "\nentered   " + std::to_string(report.entered) + '\n';
    if (!report.not_entered.empty())
        text += wrapped("not       ", reasons(report.not_entered) + " (since the service started)",
                        indent);
    if (!report.ended.empty()) text += wrapped("ended     ", reasons(report.ended), indent);
    if (!report.watch.empty())
        text += wrapped(report.is_alarming ? "WATCH     " : "watch     ", report.watch, indent);
    text += '\n';
    for (const auto& step : report.steps) {
        auto line =
            "sent " + std::to_string(step.sent) + " · held out " + std::to_string(step.held_out);
        if (step.deferred > 0) line += " · put off " + std::to_string(step.deferred);
        if (!step.not_sent.empty()) line += " · not sent: " + reasons(step.not_sent);
        text += wrapped(step.step + " (" + step.channel + ")  ", line, indent);
        if (!step.errors.empty()) text += wrapped("          ", first_of(step.errors), indent);
        if (step.accepted + step.rejected + step.unknown > 0)
            text += "          accepted " + std::to_string(step.accepted) + " · rejected " +
                    std::to_string(step.rejected) + " · unknown " + std::to_string(step.unknown) +
                    '\n';
    }
    const auto arm = [&](const char* name, const journeys::Arm& people, double revenue) {
        char line[160];
        std::snprintf(line, sizeof line,
                      "%-9s %lld customers, %lld reached the goal (%s), revenue %.2f, %.2f each\n",
                      name, static_cast<long long>(people.people),
                      static_cast<long long>(people.reached), percent(people.share()).c_str(),
                      revenue,
                      people.people > 0 ? revenue / static_cast<double>(people.people) : 0.0);
        text += line;
    };
    text += '\n';
    arm("sent", report.sent, report.sent_revenue);
    arm("held out", report.held_out, report.held_out_revenue);
    text += "lift      ";
    std::istringstream words{lift_words(report)};
    bool is_first = true;
    for (std::string line; std::getline(words, line); is_first = false)
        text += wrapped(is_first ? "" : std::string(indent, ' '), line, indent);
    return text;
}

std::string report_json(const JourneyReport& report, const std::string& decisions) {
    using nlohmann::ordered_json;
    ordered_json json{{"journey", report.journey},
                      {"entered", report.entered},
                      {"not_entered", report.not_entered},
                      {"ended", report.ended},
                      {"steps", ordered_json::array()}};
    for (const auto& step : report.steps)
        json["steps"].push_back({{"step", step.step},
                                 {"channel", step.channel},
                                 {"sent", step.sent},
                                 {"held_out", step.held_out},
                                 {"deferred", step.deferred},
                                 {"not_sent", step.not_sent},
                                 {"errors", step.errors},
                                 {"accepted", step.accepted},
                                 {"rejected", step.rejected},
                                 {"unknown", step.unknown}});
    const auto arm = [](const journeys::Arm& people, double revenue) {
        return ordered_json{{"customers", people.people},
                            {"reached", people.reached},
                            {"share", people.share()},
                            {"revenue", std::round(revenue * 10'000) / 10'000}}; // As Money has it.
    };
    json["sent"] = arm(report.sent, report.sent_revenue);
    json["held_out"] = arm(report.held_out, report.held_out_revenue);
    if (!report.watch.empty())
        json["watch"] = {{"alarm", report.is_alarming}, {"now", report.watch}};
    json["lift"] = nullptr;
    if (report.lift.is_measured)
        json["lift"] = {{"difference", report.lift.difference},
                        {"low", report.lift.interval.low},
                        {"high", report.lift.interval.high},
                        {"level", 0.95},
                        {"method", "newcombe-hybrid-score"}};
    json["decisions"] = ordered_json::parse(decisions, nullptr, false);
    return json.dump();
}

} // namespace runtime
