#include "runtime/commands/commands.hpp"

#include "runtime/database.hpp"
#include "runtime/event_files.hpp"
#include "runtime/fitting/drift.hpp"
#include "runtime/fitting/report.hpp"
#include "runtime/fitting/service_orders.hpp"
#include "runtime/fitting/session_samples.hpp"
#include "runtime/fitting/table_features.hpp"
#include "schema/model_json.hpp"
#include "schema/timestamp_text.hpp"

#include <CLI/Validators.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

namespace runtime {
namespace {

struct Options {
    std::string orders, sessions, config = "config/sojourn.yaml";
    std::string model = "mbgnbd", calibration_end, validation_end, currency, out;
    std::string label;
    std::vector<std::string> categories, left_out;
    bool json = false;
};

int complain(const std::string& what, int exit_code) {
    std::fprintf(stderr, "%s\n", what.c_str());
    return exit_code;
}

std::optional<std::int32_t> parse_day(const std::string& text) {
    const auto at = schema::parse_producer_time(text);
    if (!at) return std::nullopt;
    return journeys::models::day_of(*at);
}

/// The models that `file` holds already, so that a fit of one part keeps the other; none where
/// there is no such file.
journeys::Result<std::optional<journeys::models::ModelSet>> models_in(const std::string& file) {
    std::optional<journeys::models::ModelSet> none;
    std::error_code error;
    if (file.empty() || !std::filesystem::exists(file, error)) return none;
    const auto text = read_file(file);
    if (!text) return text.error();
    auto models = schema::parse_models(*text);
    if (!models) return journeys::Error{models.error().code, file + ": " + models.error().detail};
    return std::optional{std::move(*models)};
}

/// Whole or not at all: a service may be reading it.
int write_models(const journeys::models::ModelSet& models, const std::string& file) {
    const auto unfinished = file + ".new";
    std::ofstream out{unfinished};
    out << schema::to_json(models);
    out.close();
    std::error_code error;
    if (out) std::filesystem::rename(unfinished, file, error);
    return !out || error ? complain(file + ": cannot be written", exit_environment) : exit_done;
}

int fit_orders(const Options& options) {
    fitting::Periods periods;
    for (auto [text, day] : {std::pair{&options.calibration_end, &periods.calibration_end},
                             std::pair{&options.validation_end, &periods.validation_end}}) {
        if (text->empty()) continue;
        *day = parse_day(*text);
        if (!*day) return complain('"' + *text + "\" is no date: 2024-05-31", exit_usage);
    }
    if (!options.out.empty() && options.model == "gammagamma")
        return complain(
            "--out: gammagamma alone tells of no orders; it is fitted beside the other models",
            exit_usage);
    auto before = models_in(options.out);
    if (!before) return complain(before.error().detail, exit_input);

    journeys::Result<fitting::OrderTable> table{fitting::OrderTable{}};
    const auto source = options.orders.empty() ? options.config : options.orders;
    if (options.orders.empty()) {
        auto database = open_database(options.config);
        if (!database) return complain(database.error().detail, exit_environment);
        table = fitting::orders_in(database->conninfo, options.currency);
        if (!table) return complain(table.error().detail, exit_environment);
        if (table->rows.empty())
            return complain(source +
                                ": there are no orders in the stored state of any customer. It "
                                "lags behind the log by a checkpoint: after an import try "
                                "again in a minute",
                            exit_input);
    } else {
        std::ifstream file{options.orders};
        if (!file) return complain(options.orders + ": cannot be read", exit_environment);
        table = fitting::read_orders(file, options.orders, options.currency);
        if (!table) return complain(table.error().detail, exit_input);
    }
    auto report =
        fitting::fit_and_validate(*table, *fitting::parse_model_kind(options.model), periods);
    if (!report) return complain(source + ": " + report.error().detail, exit_input);
    for (const auto& warning : report->warnings)
        std::fprintf(stderr, "warning: %s\n", warning.c_str());
    const auto text = options.json ? fitting::to_json(*report) + "\n" : fitting::to_text(*report);
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (*before && !options.json)
        if (const auto drift = fitting::drift_of(**before, *table, report->validation_end))
            std::printf("\n%s", fitting::to_text(*drift).c_str());
    if (options.out.empty()) return exit_done;
    if (*before) report->models.intent = std::move((*before)->intent);
    return write_models(report->models, options.out);
}

void print(const fitting::Quality& quality, const journeys::models::Logistic* model, bool json) {
    if (json) {
        nlohmann::ordered_json out{{"auc", quality.auc},
                                   {"brier", quality.brier},
                                   {"log_loss", quality.log_loss},
                                   {"accuracy", quality.accuracy},
                                   {"rate", quality.rate}};
        for (const auto& part : quality.calibration)
            out["calibration"].push_back({{"predicted", part.predicted},
                                          {"happened", part.happened},
                                          {"count", part.count}});
        if (model) {
            out["intercept"] = model->intercept;
            for (std::size_t i = 0; i < model->names.size(); ++i)
                out["weights"][model->names[i]] = model->weights[i];
        }
        std::printf("%s\n", out.dump().c_str());
        return;
    }
    std::printf("on folds that were not fitted to: AUC %.4f  Brier %.4f  log loss %.4f  accuracy "
                "%.4f  rate %.4f\n\n"
                "  predicted   happened      count\n",
                quality.auc, quality.brier, quality.log_loss, quality.accuracy, quality.rate);
    for (const auto& part : quality.calibration)
        std::printf("  %9.4f  %9.4f  %9zu\n", part.predicted, part.happened, part.count);
    if (!model) return;
    std::printf("\n  %-20s %9.4f\n", "intercept", model->intercept);
    for (std::size_t i = 0; i < model->names.size(); ++i)
        std::printf("  %-20s %9.4f\n", model->names[i].c_str(), model->weights[i]);
}

int fit_table(const Options& options) {
    std::ifstream file{options.sessions};
    if (!file) return complain(options.sessions + ": cannot be read", exit_environment);
    if (options.label.empty())
        return complain("--label: name the column that says whether there was an order",
                        exit_usage);
    const auto table = fitting::read_table(file, options.sessions);
    if (!table) return complain(table.error().detail, exit_input);
    const auto features =
        fitting::features_of(*table, options.label, options.categories, options.left_out);
    if (!features) return complain(options.sessions + ": " + features.error().detail, exit_input);
    std::vector<bool> happened;
    for (const auto& each : features->observations) happened.push_back(each.happened);
    const auto positive = std::ranges::count(happened, true);
    if (positive == 0 || positive == static_cast<std::ptrdiff_t>(happened.size()))
        return complain(options.sessions + ": " + options.label + " is everywhere the same",
                        exit_input);
    print(fitting::judge(fitting::cross_validated(*features, 10, 3), happened), nullptr,
          options.json);
    return exit_done;
}

int fit_sessions(const Options& options) {
    if (options.sessions.ends_with(".csv")) return fit_table(options);
    auto models = models_in(options.out);
    if (!models) return complain(models.error().detail, exit_input);
    const auto recorded = read_events({options.sessions});
    if (!recorded) return complain(recorded.error().detail, exit_environment);
    const auto samples = fitting::session_samples(recorded->records);
    std::fprintf(stderr, "%zu sessions, %zu of them with an order, %zu events looked at\n",
                 samples.session_count, samples.with_order, samples.observations.size());
    const bool has_both =
        std::ranges::any_of(samples.observations, &fitting::Observation::happened) &&
        !std::ranges::all_of(samples.observations, &fitting::Observation::happened);
    if (!has_both)
        return complain(options.sessions + ": there must be sessions with an order and without",
                        exit_input);
    if (samples.with_order < 100)
        std::fprintf(stderr,
                     "warning: only %zu sessions with an order; the weights will be uncertain\n",
                     samples.with_order);
    const auto fit = fitting::fit_intent(samples);
    print(fit.quality, &fit.model, options.json);
    if (options.out.empty()) return exit_done;
    journeys::models::ModelSet set;
    set.has_purchases = false;
    if (*models) set = std::move(**models);
    set.intent = fit.model;
    return write_models(set, options.out);
}

} // namespace

void add_fit(CLI::App& app, int& exit_code) {
    auto* const command =
        app.add_subcommand("fit", "Fits models to orders or sessions, and judges the fit. Without "
                                  "--orders and --sessions: to the "
                                  "customers of the service");
    const auto options = std::make_shared<Options>();
    auto* const orders = command->add_option("--orders", options->orders,
                                             "CSV with a header: customer_id, date and amount; "
                                             "currency is looked at, other columns are not");
    auto* const sessions = command->add_option("--sessions", options->sessions,
                                               "Recorded events, for the chance of an order in a "
                                               "session; or a .csv of sessions, only to judge");
    orders->excludes(sessions);
    command->add_option("--config", options->config, "The service's configuration")
        ->capture_default_str();
    command->add_option("--model", options->model, "bgnbd | mbgnbd | paretonbd | nbd | gammagamma")
        ->check(CLI::IsMember({"bgnbd", "mbgnbd", "paretonbd", "nbd", "gammagamma"}))
        ->capture_default_str();
    command->add_option(
        "--calibration-end", options->calibration_end,
        "Fits to orders up to this day; else to all, and the last third of the time only judges");
    command->add_option("--validation-end", options->validation_end,
                        "The last day that judges; by default the last day of the orders");
    command->add_option("--currency", options->currency, "Takes only orders in this currency");
    command->add_option("--label", options->label,
                        "Of a .csv: the column that says whether there was an order");
    command
        ->add_option("--categories", options->categories, "Of a .csv: numbers that are only names")
        ->delimiter(',');
    command->add_option("--without", options->left_out, "Of a .csv: columns that are left out")
        ->delimiter(',');
    command->add_option("--out", options->out,
                        "Writes the models to this file, for a configuration's models.file; what "
                        "else it holds stays");
    command->add_flag("--json", options->json, "One JSON object");
    command->callback([options, &exit_code] {
        exit_code = options->sessions.empty() ? fit_orders(*options) : fit_sessions(*options);
    });
}

} // namespace runtime
