#include "runtime/fitting/report.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

namespace runtime::fitting {
namespace {

using journeys::Error;
using journeys::ErrorCode;
using journeys::models::History;
using journeys::models::Purchases;
using Json = nlohmann::ordered_json;

using ByCustomer = std::map<std::string, Purchases>;

journeys::Timestamp midnight(std::int32_t day) {
    return std::chrono::sys_days{std::chrono::days{day}};
}

std::string day_text(std::int32_t day) {
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
    char text[32];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
    return text;
}

std::vector<History> histories_of(const ByCustomer& customers, std::int32_t end) {
    std::vector<History> histories;
    histories.reserve(customers.size());
    for (const auto& [id, purchases] : customers)
        histories.push_back(purchases.history(midnight(end)));
    return histories;
}

__attribute__((format(printf, 1, 2))) std::string print(const char* format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return text;
}

/// The least value of the upper `share` of them. Precondition: not empty.
double upper_cut(std::vector<double> values, double share) {
    const auto at =
        std::min(values.size() - 1,
                 static_cast<std::size_t>((1 - share) * static_cast<double>(values.size())));
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(at));
    return values[at];
}

journeys::models::Quintiles quintiles(const std::vector<double>& values) {
    return {upper_cut(values, .8), upper_cut(values, .6), upper_cut(values, .4),
            upper_cut(values, .2)};
}

journeys::models::ModelSet model_set(const Report& report, const OrderTable& table,
                                     const ByCustomer& customers) {
    journeys::models::ModelSet set;
    set.purchases = report.usable();
    set.fitted_until = day_text(report.calibration_end);
    if (!table.currencies.empty()) set.currency = table.currencies.front();
    std::vector<double> values, recency, orders, spends;
    for (const auto& [id, purchases] : customers) {
        const auto h = purchases.history(midnight(report.calibration_end));
        if (const auto value = set.purchases.clv(h)) values.push_back(*value);
        recency.push_back((h.T - h.t_x) * 7);
        orders.push_back(h.x + 1);
        journeys::Money spend = purchases.folded_spend;
        for (const auto& day : purchases.days) spend += day.spend;
        spends.push_back(spend.to_double());
    }
    if (!values.empty()) set.cuts.vip_clv = upper_cut(std::move(values), vip_share);
    set.cuts.recency_days = quintiles(recency);
    set.cuts.orders = quintiles(orders);
    set.cuts.spend = quintiles(spends);
    set.cuts.has_rfm = true;
    return set;
}

/// What practice asks for before a prediction is shown to anybody.
void warn_of_little_data(Report& report, const std::vector<History>& histories,
                         std::int32_t last_order) {
    auto& warnings = report.warnings;
    if (report.customers < 500)
        warnings.push_back(print("only %zu customers have ordered; below 500 expect wide errors",
                                 report.customers));
    if (report.calibration_end - report.first_day < 180)
        warnings.push_back(print(
            "the orders span %d days; below 180 few customers can have shown that they stopped",
            report.calibration_end - report.first_day));
    if (report.calibration_end - last_order > 30)
        warnings.push_back(print("the newest order is %d days old: is the file complete?",
                                 report.calibration_end - last_order));
    if (std::ranges::none_of(histories, [](const History& h) { return h.x >= 2; }))
        warnings.push_back("nobody has ordered on three days");
    if (std::abs(report.correlation) > 0.3)
        warnings.push_back(print(
            "how often people order and how much they spend are correlated (%.2f); the model of "
            "spend takes it for 0, so values are biased",
            report.correlation));
}

void warn_of_spend(Report& report, const ModelFit& spend) {
    if (spend.identifiable) return;
    report.warnings.push_back("spend not identifiable: " + spend.why +
                              ". Nobody's value is told, and nobody is a VIP");
}

Json parameters_of(const ModelFit& fit) {
    Json json = Json::object();
    for (std::size_t i = 0; i < fit.names.size(); ++i)
        json[fit.names[i]] = fit.estimate.parameters[i];
    return json;
}

Json errors_of(const ModelFit& fit) {
    if (fit.estimate.standard_errors.empty()) return nullptr;
    Json json = Json::object();
    for (std::size_t i = 0; i < fit.names.size(); ++i)
        json[fit.names[i]] = fit.estimate.standard_errors[i];
    return json;
}

std::string lines_of(const ModelFit& fit) {
    std::string text = print("%-12s ln L %.3f\n", std::string{to_text(fit.kind)}.c_str(),
                             fit.estimate.log_likelihood);
    for (std::size_t i = 0; i < fit.names.size(); ++i) {
        text += print("  %-6s %12.6g", fit.names[i].c_str(), fit.estimate.parameters[i]);
        text += fit.estimate.standard_errors.empty()
                    ? "   standard error unknown: the maximum is flat or at a bound\n"
                    : print("   ± %.3g\n", fit.estimate.standard_errors[i]);
    }
    return text;
}

} // namespace

journeys::models::PurchaseModel Report::usable() const {
    auto model = (fallback ? *fallback : fit).model();
    if (spend && spend->identifiable) model.spend = spend->spend();
    return model;
}

journeys::Result<Report> fit_and_validate(const OrderTable& table, ModelKind kind,
                                          const Periods& periods) {
    const auto fail = [](std::string why) {
        return Error{ErrorCode::invalid_argument, std::move(why)};
    };
    if (table.rows.empty()) return fail("there are no orders");
    if (table.currencies.size() > 1) {
        std::string names;
        for (const auto& currency : table.currencies)
            names += (names.empty() ? "" : ", ") + currency;
        return fail("the orders are in several currencies (" + names +
                    "), which do not add up; choose one by --currency");
    }
    const auto [first, last] = std::ranges::minmax(table.rows, {}, &OrderRow::day);
    Report report;
    report.first_day = first.day;
    report.validation_end = periods.validation_end.value_or(last.day);
    report.calibration_end = periods.calibration_end.value_or(report.validation_end);
    if (report.calibration_end < report.first_day)
        return fail("the calibration ends on " + day_text(report.calibration_end) +
                    ", before the first order of " + day_text(report.first_day));
    if (report.validation_end < report.calibration_end)
        return fail("the validation ends before the calibration");

    const auto calibration = purchases_of(table, report.calibration_end);
    const auto histories = histories_of(calibration, report.calibration_end);
    report.customers = histories.size();
    report.repeaters = static_cast<std::size_t>(
        std::ranges::count_if(histories, [](const History& h) { return h.x > 0; }));
    report.correlation = spend_correlation(histories);
    std::int32_t last_order = report.first_day;
    for (const auto& row : table.rows)
        if (row.day <= report.calibration_end) last_order = std::max(last_order, row.day);

    const bool has_spend =
        std::ranges::any_of(histories, [](const History& h) { return h.x > 0 && h.z > 0; });
    if (kind == ModelKind::gamma_gamma) {
        if (!has_spend) return fail("nobody has ordered a second time for money");
        report.fit = fit(kind, histories);
        warn_of_spend(report, report.fit);
        warn_of_little_data(report, histories, last_order);
        return report;
    }
    report.fit = fit(kind, histories);
    if (!report.fit.identifiable) {
        report.fallback = fit(ModelKind::nbd, histories);
        report.warnings.push_back("churn not identifiable: " + report.fit.why +
                                  ". P(alive) is not used; the risk is how far a customer is "
                                  "overdue by their own rhythm");
    }
    if (has_spend) report.spend = fit(ModelKind::gamma_gamma, histories);
    if (report.spend) warn_of_spend(report, *report.spend);
    warn_of_little_data(report, histories, last_order);
    if (table.returns > 0)
        report.warnings.push_back(
            print("%zu negative amounts were taken for returns: each lowers the spend of the "
                  "order before it and is no order",
                  table.returns));

    report.models = model_set(report, table, calibration);

    // Judged on orders that the parameters have not seen.
    auto cut = report.calibration_end;
    auto judged = report.usable();
    if (!periods.calibration_end) {
        cut = report.first_day + (report.validation_end - report.first_day) * 2 / 3;
        const auto earlier = histories_of(purchases_of(table, cut), cut);
        auto part = fit(kind, earlier);
        if (!part.identifiable) part = fit(ModelKind::nbd, earlier);
        judged = part.model();
    }
    if (report.validation_end > cut && report.validation_end > report.first_day) {
        report.validation = validate(
            judged,
            split(purchases_of(table, cut), purchases_of(table, report.validation_end), cut),
            (report.validation_end - cut) / 7.0);
        report.validated_until_day = cut;
    }
    return report;
}

std::string to_text(const Report& report) {
    std::string text = print("%zu customers, %zu of them with repeat orders, %s to %s\n\n",
                             report.customers, report.repeaters, day_text(report.first_day).c_str(),
                             day_text(report.calibration_end).c_str());
    text += lines_of(report.fit);
    if (report.fallback)
        text += "\nchurn not identifiable: " + report.fit.why + "\n" + lines_of(*report.fallback);
    if (report.spend) text += "\n" + lines_of(*report.spend);
    if (report.spend && !report.spend->identifiable)
        text += "spend not identifiable: " + report.spend->why + "\n";
    text += print("\ncorrelation of frequency and spend %.3f\n", report.correlation);
    if (!report.validation) return text;
    const auto& v = *report.validation;
    text +=
        print("\nvalidation: calibrated until %s, judged until %s (%.1f weeks), %zu customers\n",
              day_text(*report.validated_until_day).c_str(),
              day_text(report.validation_end).c_str(), v.weeks, v.customers);
    text +=
        print("  %-12s %8s %8s %12s   actual total %.0f\n", "", "MAE", "RMSE", "total", v.actual);
    const auto line = [&](const char* name, const Errors& errors) {
        text +=
            print("  %-12s %8.4f %8.3f %12.0f\n", name, errors.mae, errors.rmse, errors.predicted);
    };
    line("model", v.model);
    line("x/T rate", v.rate);
    line("zero", v.zero);
    text += "\n  repeat orders   customers   predicted   actual\n";
    for (const auto& row : v.by_x)
        text += print("  %12d%s %11zu %11.3f %8.3f\n", row.x,
                      row.x + 1 == static_cast<int>(v.by_x.size()) ? "+" : " ", row.customers,
                      row.predicted, row.actual);
    return text;
}

std::string to_json(const Report& report) {
    Json json;
    json["model"] = to_text(report.fit.kind);
    json["parameters"] = parameters_of(report.fit);
    json["standard_errors"] = errors_of(report.fit);
    json["log_likelihood"] = report.fit.estimate.log_likelihood;
    json["customers"] = report.customers;
    json["repeaters"] = report.repeaters;
    json["identifiable"] = report.fit.identifiable;
    if (report.fallback)
        json["fallback"] = {{"model", to_text(report.fallback->kind)},
                            {"parameters", parameters_of(*report.fallback)},
                            {"log_likelihood", report.fallback->estimate.log_likelihood},
                            {"why", report.fit.why}};
    if (report.spend)
        json["spend"] = {{"model", to_text(report.spend->kind)},
                         {"parameters", parameters_of(*report.spend)},
                         {"standard_errors", errors_of(*report.spend)},
                         {"log_likelihood", report.spend->estimate.log_likelihood}};
    json["correlation"] = report.correlation;
    json["calibration_end"] = day_text(report.calibration_end);
    if (report.validation) {
        const auto& v = *report.validation;
        Json by_x = Json::array();
        for (const auto& row : v.by_x)
            by_x.push_back({{"x", row.x},
                            {"customers", row.customers},
                            {"predicted", row.predicted},
                            {"actual", row.actual}});
        json["validation"] = {{"mae", v.model.mae},
                              {"rmse", v.model.rmse},
                              {"predicted", v.model.predicted},
                              {"actual", v.actual},
                              {"baseline_mae", v.rate.mae},
                              {"baseline_rmse", v.rate.rmse},
                              {"baseline_predicted", v.rate.predicted},
                              {"zero_mae", v.zero.mae},
                              {"zero_rmse", v.zero.rmse},
                              {"customers", v.customers},
                              {"from", day_text(*report.validated_until_day)},
                              {"until", day_text(report.validation_end)},
                              {"by_x", std::move(by_x)}};
    }
    json["warnings"] = report.warnings;
    return json.dump();
}

} // namespace runtime::fitting
