#include "runtime/fitting/purchase_fit.hpp"

#include "journeys/models/numeric.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>

namespace runtime::fitting {
namespace {

using namespace journeys::models;

/// Customers with the same history, counted.
struct Group {
    History history;
    double customers = 0;
};

/// Sorted by x, so that what depends on x alone is worked out once per x.
std::vector<Group> grouped(std::vector<History> histories) {
    const auto key = [](const History& h) { return std::tuple{h.x, h.t_x, h.T}; };
    std::ranges::sort(histories, {}, key);
    std::vector<Group> groups;
    for (const auto& history : histories) {
        if (groups.empty() || key(groups.back().history) != key(history))
            groups.push_back({history, 0});
        groups.back().customers += 1;
    }
    return groups;
}

/// Every n-th, weighted up, so that about `most` remain.
std::vector<Group> thinned(const std::vector<Group>& groups, std::size_t most) {
    const auto every = std::max<std::size_t>(1, groups.size() / most);
    std::vector<Group> rest;
    for (std::size_t i = every / 2; i < groups.size(); i += every) rest.push_back(groups[i]);
    return rest;
}

/// Σ ln L. The same values as `BgNbd::log_likelihood`, a test says; here the gamma functions are
/// taken once per x.
double sum_of(const BgNbd& m, const std::vector<Group>& groups) {
    const double constant =
        log_gamma(m.a + m.b) - log_gamma(m.b) - log_gamma(m.r) + m.r * std::log(m.alpha);
    double sum = 0, x = -1, of_x = 0, stop_odds = 0;
    for (const auto& [h, customers] : groups) {
        if (h.x != x) {
            x = h.x;
            of_x = constant + log_gamma(m.r + x) + log_gamma(m.b + x) - log_gamma(m.a + m.b + x);
            if (m.modified) of_x += std::log(m.b + x) - std::log(m.a + m.b + x);
            stop_odds = std::log(m.a) - std::log(m.b + x - (m.modified ? 0 : 1));
        }
        const double log_now = std::log(m.alpha + h.T);
        double value = of_x - (m.r + x) * log_now;
        if (m.modified || x > 0)
            value += log1p_exp(stop_odds + (m.r + x) * (log_now - std::log(m.alpha + h.t_x)));
        sum += customers * value;
    }
    return sum;
}

template <class Model> double sum_of(const Model& model, const std::vector<Group>& groups) {
    double sum = 0;
    for (const auto& [history, customers] : groups)
        sum += customers * model.log_likelihood(history);
    return sum;
}

template <class Make> Problem problem_of(const std::vector<Group>& groups, Make make) {
    Problem problem;
    problem.log_likelihood = [&groups, make](const std::vector<double>& at) {
        return sum_of(make(at), groups);
    };
    if (groups.size() > 4000)
        problem.rough_log_likelihood = [few = thinned(groups, 2000), make](const auto& at) {
            return sum_of(make(at), few);
        };
    return problem;
}

/// Orders a week over everybody: the scale on which alpha and beta are searched.
double weeks_per_order(const std::vector<Group>& groups) {
    double orders = 0, weeks = 0;
    for (const auto& [history, customers] : groups) {
        orders += customers * (history.x + 0.5);
        weeks += customers * history.T;
    }
    return std::clamp(weeks / orders, 0.1, 1000.0);
}

BgNbd bg_of(const std::vector<double>& at, bool modified) {
    return {.r = at[0], .alpha = at[1], .a = at[2], .b = at[3], .modified = modified};
}
ParetoNbd pareto_of(const std::vector<double>& at) {
    return {.r = at[0], .alpha = at[1], .s = at[2], .beta = at[3]};
}
Nbd nbd_of(const std::vector<double>& at) { return {.r = at[0], .alpha = at[1]}; }
GammaGamma spend_of(const std::vector<double>& at) { return {.p = at[0], .q = at[1], .v = at[2]}; }

Problem make_problem(ModelKind kind, const std::vector<Group>& groups) {
    const double weeks = weeks_per_order(groups);
    Problem problem;
    switch (kind) {
    case ModelKind::bg_nbd:
    case ModelKind::mbg_nbd: {
        const bool modified = kind == ModelKind::mbg_nbd;
        problem = problem_of(groups, [modified](const auto& at) { return bg_of(at, modified); });
        problem.names = {"r", "alpha", "a", "b"};
        problem.starts = {{.5, weeks / 2, 1, 2}, {1.5, 1.5 * weeks, .3, 3}, {.3, weeks / 4, 3, 10}};
        problem.low = {1e-4, 1e-4, 1e-4, 1e-4};
        problem.high = {1e3, 1e6, 1e4, 1e4};
        break;
    }
    case ModelKind::pareto_nbd:
        problem = problem_of(groups, pareto_of);
        problem.names = {"r", "alpha", "s", "beta"};
        problem.starts = {{.5, weeks, .5, 10}, {1.5, 1.5 * weeks, 1.5, 50}, {.5, weeks / 2, .2, 3}};
        problem.low = {1e-4, 1e-4, 1e-4, 1e-4};
        problem.high = {1e3, 1e6, 1e3, 1e6};
        break;
    case ModelKind::nbd:
        problem = problem_of(groups, nbd_of);
        problem.names = {"r", "alpha"};
        problem.starts = {{.5, weeks}, {2, 2 * weeks}};
        problem.low = {1e-4, 1e-4};
        problem.high = {1e4, 1e7};
        break;
    case ModelKind::gamma_gamma: {
        double spend = 0, customers = 0;
        for (const auto& group : groups) {
            spend += group.customers * group.history.z;
            customers += group.customers;
        }
        const double mean = spend / customers;
        problem = problem_of(groups, spend_of);
        problem.names = {"p", "q", "v"};
        problem.starts = {{5, 4, mean / 2}, {1.5, 2, mean}, {12, 8, mean}};
        problem.low = {1e-3, 1e-3, mean * 1e-4};
        problem.high = {1e4, 1e4, mean * 1e4};
        break;
    }
    }
    return problem;
}

/// Twice the gain in ln L by two more parameters that is not chance at 5 %: chi-squared.
constexpr double gain_min = 5.99;

} // namespace

std::string_view to_text(ModelKind kind) {
    switch (kind) {
    case ModelKind::bg_nbd: return "bgnbd";
    case ModelKind::mbg_nbd: return "mbgnbd";
    case ModelKind::pareto_nbd: return "paretonbd";
    case ModelKind::nbd: return "nbd";
    case ModelKind::gamma_gamma: return "gammagamma";
    }
    return "";
}

std::optional<ModelKind> parse_model_kind(std::string_view text) {
    for (const auto kind : {ModelKind::bg_nbd, ModelKind::mbg_nbd, ModelKind::pareto_nbd,
                            ModelKind::nbd, ModelKind::gamma_gamma})
        if (to_text(kind) == text) return kind;
    return std::nullopt;
}

PurchaseModel ModelFit::model() const {
    const auto& at = estimate.parameters;
    switch (kind) {
    case ModelKind::bg_nbd: return {bg_of(at, false), {}};
    case ModelKind::mbg_nbd: return {bg_of(at, true), {}};
    case ModelKind::pareto_nbd: return {pareto_of(at), {}};
    case ModelKind::nbd:
    case ModelKind::gamma_gamma: break;
    }
    return {nbd_of(at), {}};
}

GammaGamma ModelFit::spend() const { return spend_of(estimate.parameters); }

ModelFit fit(ModelKind kind, const std::vector<History>& histories) {
    auto counted = histories;
    if (kind == ModelKind::gamma_gamma)
        std::erase_if(counted, [](const History& h) { return !(h.x > 0) || !(h.z > 0); });
    std::vector<Group> groups;
    if (kind == ModelKind::gamma_gamma) // By spend hardly two are equal.
        for (const auto& history : counted) groups.push_back({history, 1});
    else
        groups = grouped(std::move(counted));
    const auto problem = make_problem(kind, groups);
    ModelFit result{.kind = kind, .names = problem.names, .estimate = maximize(problem)};
    const auto refuse = [&](std::string why) {
        result.identifiable = false;
        if (result.why.empty()) result.why = std::move(why);
    };
    if (kind == ModelKind::gamma_gamma && !(result.spend().q > 1))
        refuse("by these parameters what an order costs has no mean (q is not above 1)");
    if (kind == ModelKind::nbd || kind == ModelKind::gamma_gamma) return result;

    const auto without = maximize(make_problem(ModelKind::nbd, groups));
    if (2 * (result.estimate.log_likelihood - without.log_likelihood) < gain_min)
        refuse("that some customers stop explains these orders no better than that nobody does");
    const auto model = result.model();
    double alive = 0, customers = 0;
    for (const auto& [history, count] : groups) {
        if (history.x == 0) continue;
        alive += count * *model.p_alive(history);
        customers += count;
    }
    if (customers == 0)
        refuse("nobody has ordered a second time");
    else if (alive / customers > 0.999)
        refuse("by these parameters hardly anybody ever stops");
    else if (alive / customers < 0.001)
        refuse("by these parameters everybody has stopped");
    return result;
}

double spend_correlation(const std::vector<History>& histories) {
    double n = 0, x = 0, z = 0, xx = 0, zz = 0, xz = 0;
    for (const auto& h : histories) {
        if (!(h.x > 0) || !(h.z > 0)) continue;
        n += 1;
        x += h.x;
        z += h.z;
        xx += h.x * h.x;
        zz += h.z * h.z;
        xz += h.x * h.z;
    }
    const double denominator = std::sqrt((n * xx - x * x) * (n * zz - z * z));
    return denominator > 0 ? (n * xz - x * z) / denominator : 0;
}

} // namespace runtime::fitting
