#include "runtime/commands/commands.hpp"

#include "journeys/local_time.hpp"
#include "runtime/commands/refused_lines.hpp"
#include "runtime/commands/simulate_summary.hpp"
#include "runtime/event_files.hpp"
#include "runtime/imports/product_table.hpp"
#include "runtime/printable.hpp"
#include "runtime/publication.hpp"
#include "runtime/simulation.hpp"
#include "schema/timeline_json.hpp"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <set>

namespace runtime {
namespace {

struct Options {
    std::string journeys, config, models, rewards, products, until, diff, customer;
    std::vector<std::string> events;
    std::optional<std::uint64_t> seed;
    bool summary = false, log = false;
};

/// Compiles a folder of journeys, empty: the configuration's, or says what is wrong with it and
/// answers null.
journeys::CatalogPtr load(const Options& options, const std::string& folder, Files& files,
                          journeys::IdentityRules& identity, std::shared_ptr<ProductShelf>& shelf) {
    std::optional<std::filesystem::path> config, journeys;
    if (!options.config.empty()) config = options.config;
    if (!folder.empty()) journeys = folder;
    auto read = read_files(config, journeys);
    if (!read) {
        std::fprintf(stderr, "%s\n", read.error().detail.c_str());
        return nullptr;
    }
    files = std::move(*read);
    if (!options.models.empty()) {
        auto models = read_file(options.models);
        if (!models) {
            std::fprintf(stderr, "%s\n", models.error().detail.c_str());
            return nullptr;
        }
        files.models = {options.models, std::move(*models)};
    }
    if (!options.rewards.empty()) {
        auto rewards = read_file(options.rewards);
        if (!rewards) {
            std::fprintf(stderr, "%s\n", rewards.error().detail.c_str());
            return nullptr;
        }
        files.rewards = std::move(*rewards);
    }
    CompileOptions compiling;
    compiling.trial = true;
    compiling.seed = options.seed;
    if (config) compiling.directory = config->parent_path();
    shelf = std::make_shared<ProductShelf>();
    if (!options.products.empty()) {
        std::ifstream table{options.products, std::ios::binary};
        if (!table) {
            std::fprintf(stderr, "%s: cannot be read\n", options.products.c_str());
            return nullptr;
        }
        const auto products = read_product_table(table, options.products);
        if (!products) {
            std::fprintf(stderr, "%s\n", products.error().detail.c_str());
            return nullptr;
        }
        shelf = *products;
    }
    compiling.products = shelf;
    auto compiled = compile(files, compiling);
    for (const auto& mistake : compiled.mistakes)
        std::fprintf(stderr, "%s\n", schema::to_text(mistake).c_str());
    if (compiled.config) identity = compiled.config->identity;
    return compiled.catalog;
}

int simulate_command(const Options& options) {
    SimulationOptions simulation;
    simulation.from_log = options.log;
    if (!options.until.empty()) {
        simulation.until = journeys::parse_timestamp(options.until, true);
        if (!simulation.until) {
            std::fprintf(stderr, "--until: \"%s\" is no time; write it as 2026-03-02T10:00:00Z\n",
                         options.until.c_str());
            return exit_usage;
        }
    }
    if (options.journeys.empty() && options.config.empty()) {
        std::fprintf(stderr, "--journeys or --config: one of them says which journeys\n");
        return exit_usage;
    }
    const auto started = std::chrono::steady_clock::now();
    Files files;
    journeys::IdentityRules identity;
    const auto catalog = load(options, options.journeys, files, identity, simulation.shelf);
    if (!catalog) return exit_input;
    const std::vector<std::filesystem::path> event_files{options.events.begin(),
                                                         options.events.end()};
    const auto recorded = options.log ? read_log(event_files) : read_events(event_files, identity);
    if (!recorded) {
        std::fprintf(stderr, "%s\n", recorded.error().detail.c_str());
        return exit_environment;
    }
    simulation.products = recorded->products;
    const int exit_code = say_refused(*recorded);

    const auto wanted = [&](const journeys::CustomerId& id) {
        return options.customer.empty() || journeys::display(id) == options.customer ||
               journeys::to_text(id) == options.customer;
    };
    journeys::RunRecord before;
    const bool prints_lines = options.diff.empty() && !options.summary;
    const auto customers =
        simulate(catalog, recorded->records, simulation,
                 [&](const journeys::CustomerId& customer, const journeys::TimelineEntry& entry) {
                     if (!wanted(customer)) return;
                     if (!prints_lines) return before.note(customer, entry);
                     if (!schema::is_simulated(entry.kind)) return;
                     const auto line = printable(schema::to_json_line(customer, entry));
                     std::fwrite(line.data(), 1, line.size(), stdout);
                     std::fputc('\n', stdout);
                 });
    if (prints_lines) return exit_code;

    SimulationSummary summary;
    summary.before_name = options.journeys.empty() ? options.config : options.journeys;
    summary.events = recorded->events;
    summary.customers = customers;
    if (!recorded->records.empty()) {
        summary.first = recorded->records.front().accepted_at;
        summary.last = recorded->records.back().accepted_at;
    }
    for (const auto& said : recorded->products) {
        if (summary.first == journeys::Timestamp{} || said.at < summary.first)
            summary.first = said.at;
        summary.last = std::max(summary.last, said.at);
    }
    journeys::RunRecord after;
    journeys::SendSteps new_steps;
    Files other;
    if (!options.diff.empty()) {
        const auto changed = load(options, options.diff, other, identity, simulation.shelf);
        if (!changed) return exit_input;
        simulate(changed, recorded->records, simulation,
                 [&](const auto& customer, const auto& entry) {
                     if (wanted(customer)) after.note(customer, entry);
                 });
        summary.after_name = options.diff;
        summary.changes = changes_between(files.journeys, other.journeys);
        summary.conditions = conditions_of(*changed);
        new_steps = send_steps_of(*changed);
    }
    summary.took = std::chrono::steady_clock::now() - started;
    const auto text =
        options.diff.empty() ? summary_text(summary, before)
        : options.summary
            ? summary_text(summary, before,
                           journeys::compare(before, after, send_steps_of(*catalog), new_steps))
            : diff_lines(before, after);
    const auto shown = printable_lines(text);
    std::fwrite(shown.data(), 1, shown.size(), stdout);
    return exit_code;
}

} // namespace

void add_simulate(CLI::App& app, int& exit_code) {
    auto* const command = app.add_subcommand(
        "simulate", "Run recorded events through journeys under a virtual clock; nothing is sent");
    const auto options = std::make_shared<Options>();
    command->add_option("--journeys", options->journeys,
                        "A folder of journeys, or one file; else those of the configuration");
    command->add_option("--events", options->events, "Recorded messages, one JSON value a line")
        ->required();
    command->add_option(
        "--config", options->config,
        "Check and decide as this configuration says; else all permissions count as granted");
    command->add_option(
        "--models", options->models,
        "Fitted models, as `fit --out` writes them; else those of the configuration");
    command->add_option("--rewards", options->rewards,
                        "What was learned of actions, as `export --rewards` writes it; else their "
                        "priors count");
    command->add_option("--products", options->products,
                        "A table of products, as for `import products`; else product() is null");
    command->add_option(
        "--until", options->until,
        "Where the clock stops; by default just before timers due at the last event's instant");
    command->add_option("--seed", options->seed, "Of holdouts and splits");
    command->add_option("--diff", options->diff,
                        "A second folder: what it would send more, less or at another time");
    command->add_flag("--summary", options->summary, "For people");
    command->add_option("--customer", options->customer, "Only this customer");
    command->add_flag("--log", options->log, "The files are recorded logs of a service");
    command->callback([options, &exit_code] { exit_code = simulate_command(*options); });
}

} // namespace runtime
