#include "runtime/fitting/evaluation.hpp"

#include "journeys/ids.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace runtime::fitting {
namespace {

using journeys::Error;
using journeys::ErrorCode;
using Json = nlohmann::ordered_json;

Error refuse(std::string why) { return Error{ErrorCode::invalid_argument, std::move(why)}; }

std::optional<std::size_t> column(const Table& table, const std::string& name) {
    const auto found = std::ranges::find(table.header, name);
    if (found == table.header.end()) return std::nullopt;
    return static_cast<std::size_t>(found - table.header.begin());
}

std::optional<double> number(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

struct Log {
    std::vector<std::string> names;
    std::vector<Decision> decisions; ///< Without what a policy does.
};

journeys::Result<Log> read(const Table& table, const EvaluationQuestion& question) {
    const auto action = column(table, question.action), reward = column(table, question.reward);
    const auto propensity = column(table, question.propensity);
    if (!action) return refuse("there is no column " + question.action + " of actions");
    if (!reward) return refuse("there is no column " + question.reward + " of rewards");
    if (!propensity && !question.propensity_value)
        return refuse("there is no column " + question.propensity +
                      " of propensities, without which no other policy can be judged");
    Log log;
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        const auto& row = table.rows[i];
        const auto where = "row " + std::to_string(i + 1) + ": ";
        Decision decision;
        const auto known = std::ranges::find(log.names, row[*action]);
        decision.action = static_cast<std::size_t>(known - log.names.begin());
        if (known == log.names.end()) log.names.push_back(row[*action]);
        const auto paid = number(row[*reward]);
        if (!paid) return refuse(where + "\"" + row[*reward] + "\" is no reward");
        decision.reward = *paid;
        const auto chance =
            question.propensity_value ? question.propensity_value : number(row[*propensity]);
        if (!chance || !(*chance > 0) || *chance > 1)
            return refuse(where + "a propensity is above 0 and at most 1");
        decision.propensity = *chance;
        log.decisions.push_back(decision);
    }
    if (log.decisions.empty()) return refuse("the log is empty");
    return log;
}

/// Means by action, drawn towards the mean of all by as many decisions as a wild guess is worth.
std::vector<double> shrunken_means(const std::vector<Decision>& decisions, std::size_t actions) {
    constexpr double prior = 20;
    double all = 0;
    std::vector<double> sums(actions), counts(actions);
    for (const auto& d : decisions) {
        sums[d.action] += d.reward;
        counts[d.action] += 1;
        all += d.reward / static_cast<double>(decisions.size());
    }
    for (std::size_t i = 0; i < actions; ++i)
        sums[i] = (sums[i] + prior * all) / (counts[i] + prior);
    return sums;
}

/// What an action earns: the chance that it earns anything, by a logistic regression for each
/// action, times what a reward is on average.
struct RewardModel {
    std::vector<journeys::models::Logistic> by_action;
    double scale = 1;

    double expected(std::size_t action,
                    const std::vector<journeys::models::Feature>& features) const {
        return scale * by_action[action].probability(features);
    }
};

RewardModel fit_rewards(const std::vector<Decision>& decisions, const FeatureTable& context,
                        const std::vector<std::size_t>& rows, std::size_t actions) {
    RewardModel model;
    for (std::size_t action = 0; action < actions; ++action) {
        std::vector<Observation> seen;
        for (const auto row : rows) {
            if (decisions[row].action != action) continue;
            seen.push_back(context.observations[row]);
            seen.back().happened = decisions[row].reward > 0;
        }
        model.by_action.push_back(fit_logistic(seen, context.names, 10));
    }
    // What a yes is worth on average, where rewards are amounts.
    double positive = 0, sum = 0;
    for (const auto row : rows)
        if (decisions[row].reward > 0) {
            positive += 1;
            sum += decisions[row].reward;
        }
    model.scale = positive > 0 ? sum / positive : 1;
    return model;
}

std::string print(const char* format, double a, double b = 0, double c = 0) {
    char text[160];
    std::snprintf(text, sizeof text, format, a, b, c);
    return text;
}

std::string not_enough(const Judgement& judgement, double floor) {
    return print("Nothing can be said: the log is worth %.0f decisions of this policy, and %.0f "
                 "are asked for; ",
                 judgement.effective_sample_size, floor) +
           print("one decision alone weighs %.0f.", judgement.weight_max);
}

std::string not_supported(const Judgement& judgement) {
    if (judgement.unsupported > unsupported_max)
        return print("Nothing can be said: in %.0f %% of the decisions the policy would have taken "
                     "what could not be taken, as another action had a chance of 1.",
                     judgement.unsupported * 100);
    return print("Nothing can be said: on average a decision weighs %.2f and not 1, so the log "
                 "lacks what the policy would have done, or its propensities are wrong.",
                 judgement.mean_weight);
}

std::string verdict_of(const Judgement& policy, double floor) {
    if (!policy.is_enough) return not_enough(policy, floor);
    if (!policy.is_supported) return not_supported(policy);
    const auto& value = policy.doubly_robust;
    if (value.low() > policy.logged) return "It earns more than what was done.";
    if (value.high() < policy.logged) return "It earns less than what was done.";
    return "Whether it earns more or less than what was done cannot be told from this log.";
}

journeys::Result<Evaluation> evaluate_learned(const Table& table,
                                              const EvaluationQuestion& question, Log log,
                                              Evaluation evaluation) {
    if (question.context.empty())
        return refuse("a learned policy needs --context: the columns that it may look at");
    std::vector<std::string> left_out;
    for (const auto& name : table.header)
        if (std::ranges::find(question.context, name) == question.context.end() &&
            name != question.reward)
            left_out.push_back(name);
    const auto context = features_of(table, question.reward, {}, left_out);
    if (!context) return context.error();
    const auto actions = log.names.size();
    // By a hash of the row's place in the file: the same halves each time, and none of them a
    // stretch of the file, whose rows are often sorted by time. In another order there are others.
    std::vector<std::size_t> fitted, judged;
    for (std::size_t i = 0; i < log.decisions.size(); ++i)
        (journeys::hash("row", i) % 2 == 0 ? fitted : judged).push_back(i);
    std::vector<Decision> of_fitted;
    for (const auto row : fitted) of_fitted.push_back(log.decisions[row]);
    for (std::size_t action = 0; action < actions; ++action)
        if (std::ranges::none_of(of_fitted, [&](const Decision& d) { return d.action == action; }))
            return refuse("action " + log.names[action] + " occurs too seldom to learn from");
    const auto model = fit_rewards(log.decisions, *context, fitted, actions);
    const auto means = shrunken_means(of_fitted, actions);
    const auto fixed = static_cast<std::size_t>(std::ranges::max_element(means) - means.begin());

    std::vector<Decision> learned, always;
    std::vector<double> differences;
    for (const auto row : judged) {
        const auto& features = context->observations[row].features;
        std::size_t best = 0;
        for (std::size_t action = 1; action < actions; ++action)
            if (model.expected(action, features) > model.expected(best, features)) best = action;
        auto decision = log.decisions[row];
        decision.expected = model.expected(decision.action, features);
        decision.target = decision.action == best ? 1 : 0;
        decision.expected_of_policy = model.expected(best, features);
        learned.push_back(decision);
        decision.target = decision.action == fixed ? 1 : 0;
        decision.expected_of_policy = model.expected(fixed, features);
        always.push_back(decision);
        const auto& l = learned.back();
        const auto& f = always.back();
        differences.push_back(l.expected_of_policy - f.expected_of_policy +
                              (l.target - f.target) / l.propensity * (l.reward - l.expected));
    }
    if (learned.empty()) return refuse("there are too few decisions to split");
    evaluation.policy = judge_policy(learned, question.effective_samples_min);
    evaluation.fixed = judge_policy(always, question.effective_samples_min);
    evaluation.best_fixed = log.names[fixed];
    double mean = 0, square = 0;
    const auto n = static_cast<double>(differences.size());
    for (const double difference : differences) mean += difference / n;
    for (const double difference : differences) square += (difference - mean) * (difference - mean);
    evaluation.difference = Estimate95{mean, n > 1 ? std::sqrt(square / (n - 1) / n) : 0};
    const auto& d = *evaluation.difference;
    if (!evaluation.policy.is_enough)
        evaluation.verdict = not_enough(evaluation.policy, question.effective_samples_min);
    else if (!evaluation.policy.is_supported)
        evaluation.verdict = not_supported(evaluation.policy);
    else if (!evaluation.fixed->is_supported)
        evaluation.verdict = "It cannot be compared with \"" + evaluation.best_fixed +
                             "\" for all. " + not_supported(*evaluation.fixed);
    else if (d.low() > 0)
        evaluation.verdict = "It earns more than \"" + evaluation.best_fixed + "\" for all.";
    else if (d.high() < 0)
        evaluation.verdict = "It earns less than \"" + evaluation.best_fixed + "\" for all.";
    else
        evaluation.verdict = "It cannot be told from \"" + evaluation.best_fixed + "\" for all: " +
                             print("the difference of %.5f is within its error of %.5f (95 %%).",
                                   d.value, 1.96 * d.standard_error);
    return evaluation;
}

Json to_json(const Estimate95& estimate) {
    return {{"value", estimate.value},
            {"standard_error", estimate.standard_error},
            {"low", estimate.low()},
            {"high", estimate.high()}};
}

Json to_json(const Judgement& judgement) {
    return {{"decisions", judgement.decisions},
            {"logged", judgement.logged},
            {"ips", to_json(judgement.ips)},
            {"snips", to_json(judgement.snips)},
            {"doubly_robust", to_json(judgement.doubly_robust)},
            {"effective_sample_size", judgement.effective_sample_size},
            {"weight_max", judgement.weight_max},
            {"mean_weight", judgement.mean_weight},
            {"unsupported", judgement.unsupported},
            {"is_enough", judgement.is_enough},
            {"is_supported", judgement.is_supported}};
}

std::string lines_of(const Judgement& judgement) {
    std::string text = print("  decisions %.0f, effective %.0f, largest weight %.1f\n",
                             static_cast<double>(judgement.decisions),
                             judgement.effective_sample_size, judgement.weight_max) +
                       print("  mean weight %.2f, without support %.0f %%\n", judgement.mean_weight,
                             judgement.unsupported * 100);
    const auto line = [&](const char* name, const Estimate95& e) {
        char row[160];
        std::snprintf(row, sizeof row, "  %-14s %10.5f   %10.5f to %.5f\n", name, e.value, e.low(),
                      e.high());
        text += row;
    };
    line("IPS", judgement.ips);
    line("SNIPS", judgement.snips);
    line("doubly robust", judgement.doubly_robust);
    return text;
}

} // namespace

namespace {

/// How well a column tells who gains by any other action than the control, in a randomised test.
journeys::Result<double> qini_of(const Table& table, const EvaluationQuestion& question,
                                 const Log& log) {
    if (question.control.empty())
        return refuse("uplift needs --control: the action that does nothing");
    const auto score = column(table, question.qini);
    if (!score) return refuse("there is no column " + question.qini + " of scores");
    std::vector<double> scores, responses, chances(log.names.size());
    std::vector<bool> treated;
    for (std::size_t i = 0; i < log.decisions.size(); ++i) {
        const auto& decision = log.decisions[i];
        const auto value = number(table.rows[i][*score]);
        if (!value)
            return refuse("row " + std::to_string(i + 1) + ": \"" + table.rows[i][*score] +
                          "\" is no score");
        auto& chance = chances[decision.action];
        if (chance == 0) chance = decision.propensity;
        if (std::abs(chance - decision.propensity) > 1e-9)
            return refuse("uplift is read from a randomised test, and the chance of " +
                          log.names[decision.action] + " was not always the same");
        scores.push_back(*value);
        treated.push_back(log.names[decision.action] != question.control);
        responses.push_back(decision.reward);
    }
    return qini(scores, treated, responses);
}

/// The rows that were decided on one surface.
journeys::Result<Table> of_surface(const Table& table, const std::string& surface) {
    const auto at = column(table, "surface");
    if (!at) return refuse("there is no column surface, by which rows could be left out");
    Table kept{table.header, {}};
    for (const auto& row : table.rows)
        if (row[*at] == surface) kept.rows.push_back(row);
    if (kept.rows.empty()) return refuse("no decision was on the surface " + surface);
    return kept;
}

} // namespace

journeys::Result<Evaluation> evaluate(const Table& all, const EvaluationQuestion& question) {
    std::optional<Table> kept;
    if (!question.surface.empty()) {
        auto found = of_surface(all, question.surface);
        if (!found) return found.error();
        kept = std::move(*found);
    }
    const auto& table = kept ? *kept : all;
    auto read_log = read(table, question);
    if (!read_log) return read_log.error();
    auto& log = *read_log;
    Evaluation evaluation;
    evaluation.actions = log.names;
    evaluation.decisions = log.decisions.size();
    if (!question.control.empty()) {
        const auto control = std::ranges::find(log.names, question.control);
        if (control == log.names.end()) return refuse("no decision was " + question.control);
        std::vector<std::size_t> actions;
        std::vector<double> rewards;
        for (const auto& d : log.decisions) {
            actions.push_back(d.action);
            rewards.push_back(d.reward);
        }
        evaluation.arms = compare_arms(actions, rewards, log.names,
                                       static_cast<std::size_t>(control - log.names.begin()));
    }
    if (!question.qini.empty()) {
        auto found = qini_of(table, question, log);
        if (!found) return found.error();
        evaluation.qini = *found;
    }
    if (question.policy == "learned")
        return evaluate_learned(table, question, std::move(log), std::move(evaluation));

    constexpr std::string_view always = "always:";
    std::optional<std::size_t> fixed;
    if (question.policy.starts_with(always)) {
        const auto named = std::ranges::find(log.names, question.policy.substr(always.size()));
        if (named == log.names.end())
            return refuse("no decision was " + question.policy.substr(always.size()));
        fixed = static_cast<std::size_t>(named - log.names.begin());
    } else if (question.policy != "uniform") {
        return refuse("a policy is uniform, always:ACTION or learned; found " + question.policy);
    }
    // The model of rewards is fitted to the other half, so that no decision is judged by itself.
    std::vector<Decision> halves[2];
    for (std::size_t i = 0; i < log.decisions.size(); ++i)
        halves[i % 2].push_back(log.decisions[i]);
    const std::vector<double> means[2] = {shrunken_means(halves[1], log.names.size()),
                                          shrunken_means(halves[0], log.names.size())};
    for (std::size_t i = 0; i < log.decisions.size(); ++i) {
        auto& d = log.decisions[i];
        const auto& expected = means[i % 2];
        d.target =
            fixed ? (d.action == *fixed ? 1 : 0) : 1.0 / static_cast<double>(log.names.size());
        d.expected = expected[d.action];
        if (fixed)
            d.expected_of_policy = expected[*fixed];
        else
            for (const double each : expected)
                d.expected_of_policy += each / static_cast<double>(expected.size());
    }
    evaluation.policy = judge_policy(log.decisions, question.effective_samples_min);
    evaluation.verdict = verdict_of(evaluation.policy, question.effective_samples_min);
    return evaluation;
}

std::string to_text(const Evaluation& evaluation) {
    std::string text = print("%.0f decisions", static_cast<double>(evaluation.decisions)) +
                       print(" of %.0f actions", static_cast<double>(evaluation.actions.size())) +
                       print(", %.5f a decision as it was done\n\n", evaluation.policy.logged);
    for (const auto& arm : evaluation.arms) {
        char row[200];
        std::snprintf(row, sizeof row, "  %-20s %8zu  mean %10.6f  effect %+10.6f ± %.6f\n",
                      arm.name.c_str(), arm.count, arm.mean.value, arm.effect.value,
                      arm.effect.standard_error);
        text += row;
    }
    if (!evaluation.arms.empty()) text += '\n';
    if (evaluation.qini)
        text += print("Qini %.6f: above 0 who has a high score gains more by being treated than "
                      "others\n\n",
                      *evaluation.qini);
    text += "policy\n" + lines_of(evaluation.policy);
    if (evaluation.fixed)
        text += "\"" + evaluation.best_fixed + "\" for all\n" + lines_of(*evaluation.fixed);
    return text + "\n" + evaluation.verdict + "\n";
}

std::string to_json(const Evaluation& evaluation) {
    Json json;
    json["decisions"] = evaluation.decisions;
    json["policy"] = to_json(evaluation.policy);
    if (evaluation.fixed) {
        json["fixed"] = to_json(*evaluation.fixed);
        json["fixed"]["action"] = evaluation.best_fixed;
        json["difference"] = to_json(*evaluation.difference);
    }
    if (!evaluation.arms.empty()) {
        Json arms = Json::array();
        for (const auto& arm : evaluation.arms)
            arms.push_back({{"action", arm.name},
                            {"count", arm.count},
                            {"mean", to_json(arm.mean)},
                            {"effect", to_json(arm.effect)}});
        json["arms"] = std::move(arms);
    }
    if (evaluation.qini) json["qini"] = *evaluation.qini;
    json["verdict"] = evaluation.verdict;
    return json.dump();
}

} // namespace runtime::fitting
