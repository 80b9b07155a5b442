#include "runtime/commands/commands.hpp"

#include "runtime/fitting/report.hpp"
#include "schema/timestamp_text.hpp"

#include <CLI/Validators.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

namespace runtime {
namespace {

struct Options {
    std::string orders, model = "mbgnbd", calibration_end, validation_end, currency;
    bool json = false;
};

std::optional<std::int32_t> parse_day(const std::string& text) {
    const auto at = schema::parse_producer_time(text);
    if (!at) return std::nullopt;
    return journeys::models::day_of(*at);
}

int fit_orders(const Options& options) {
    fitting::Periods periods;
    for (auto [text, day] : {std::pair{&options.calibration_end, &periods.calibration_end},
                             std::pair{&options.validation_end, &periods.validation_end}}) {
        if (text->empty()) continue;
        *day = parse_day(*text);
        if (*day) continue;
        std::fprintf(stderr, "\"%s\" is no date: 2024-05-31\n", text->c_str());
        return exit_usage;
    }
    std::ifstream file{options.orders};
    if (!file) {
        std::fprintf(stderr, "%s: cannot be read\n", options.orders.c_str());
        return exit_environment;
    }
    const auto table = fitting::read_orders(file, options.orders, options.currency);
    if (!table) {
        std::fprintf(stderr, "%s\n", table.error().detail.c_str());
        return exit_input;
    }
    const auto report =
        fitting::fit_and_validate(*table, *fitting::parse_model_kind(options.model), periods);
    if (!report) {
        std::fprintf(stderr, "%s: %s\n", options.orders.c_str(), report.error().detail.c_str());
        return exit_input;
    }
    for (const auto& warning : report->warnings)
        std::fprintf(stderr, "warning: %s\n", warning.c_str());
    const auto text = options.json ? fitting::to_json(*report) + "\n" : fitting::to_text(*report);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return exit_done;
}

} // namespace

void add_fit(CLI::App& app, int& exit_code) {
    auto* const command =
        app.add_subcommand("fit", "Fits the purchase models to orders, and judges the fit");
    const auto options = std::make_shared<Options>();
    command
        ->add_option("--orders", options->orders,
                     "CSV with a header: customer_id, date and amount; currency is looked at, "
                     "other columns are not")
        ->required();
    command->add_option("--model", options->model, "bgnbd | mbgnbd | paretonbd | nbd | gammagamma")
        ->check(CLI::IsMember({"bgnbd", "mbgnbd", "paretonbd", "nbd", "gammagamma"}))
        ->capture_default_str();
    command->add_option(
        "--calibration-end", options->calibration_end,
        "Fits to orders up to this day; else to all, and the last third of the time only judges");
    command->add_option("--validation-end", options->validation_end,
                        "The last day that judges; by default the last day of the orders");
    command->add_option("--currency", options->currency, "Takes only orders in this currency");
    command->add_flag("--json", options->json, "One JSON object");
    command->callback([options, &exit_code] { exit_code = fit_orders(*options); });
}

} // namespace runtime
