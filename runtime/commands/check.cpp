#include "runtime/commands/commands.hpp"

#include "journeys/expressions.hpp"
#include "runtime/columns.hpp"
#include "runtime/commands/refused_lines.hpp"
#include "runtime/database.hpp"
#include "runtime/event_files.hpp"
#include "runtime/publication.hpp"
#include "runtime/running_check.hpp"
#include "runtime/simulation.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <memory>

namespace runtime {
namespace {

struct Options {
    std::string config = "config/sojourn.yaml";
    std::string journeys;
    std::vector<std::string> against;
    bool config_given = false, running = false, json = false, log = false;
};

/// An expression of several lines as one.
std::string one_line(std::string text) {
    std::ranges::replace(text, '\n', ' ');
    return text;
}

/// How often each expression was evaluated, met and failed on recorded events.
void print_counts(const journeys::Catalog& catalog) {
    constexpr std::size_t indent = 33;
    std::printf(" evaluated        met     failed  where and expression\n");
    std::uint64_t failed = 0;
    for (const auto& journey : catalog.journeys())
        for (const auto& [role, expression, is_condition, place] :
             journeys::expressions_of(*journey)) {
            const auto& counts = *expression->counts;
            const auto met = is_condition ? std::to_string(counts.met.load()) : "-";
            const auto numbers = padded(std::to_string(counts.evaluated.load()), 10, true) + ' ' +
                                 padded(met, 10, true) + ' ' +
                                 padded(std::to_string(counts.failed.load()), 10, true);
            std::printf("%s", wrapped(numbers + ' ',
                                      ' ' + place + "  " + role + "  " +
                                          one_line(expression->program->text()),
                                      indent)
                                  .c_str());
            failed += counts.failed.load();
        }
    if (failed > 0)
        std::fprintf(
            stderr, "%llu evaluations ended in an error; a condition that does counts as not met\n",
            static_cast<unsigned long long>(failed));
}

/// The same for programs.
void print_counts_json(const journeys::Catalog& catalog, const RecordedEvents& recorded) {
    using nlohmann::ordered_json;
    ordered_json json{{"events", recorded.events},
                      {"refused", recorded.refused_count},
                      {"expressions", ordered_json::array()}};
    for (const auto& journey : catalog.journeys())
        for (const auto& [role, expression, is_condition, place] :
             journeys::expressions_of(*journey)) {
            const auto& counts = *expression->counts;
            ordered_json one{{"place", place},
                             {"where", role},
                             {"evaluated", counts.evaluated.load()},
                             {"met", nullptr},
                             {"failed", counts.failed.load()},
                             {"expression", expression->program->text()}};
            if (is_condition) one["met"] = counts.met.load();
            json["expressions"].push_back(std::move(one));
        }
    std::printf("%s\n", json.dump().c_str());
}

/// Against the database of the configuration, whose service may be running beside this.
int print_running(const Options& options, const Files& files) {
    const auto database = open_database(options.config);
    if (!database) {
        std::fprintf(stderr, "sojourn: %s\n", database.error().detail.c_str());
        return exit_environment;
    }
    const auto checked = check_running(database->conninfo, files,
                                       std::filesystem::path{options.config}.parent_path());
    if (!checked) {
        std::fprintf(stderr, "sojourn: %s\n", checked.error().detail.c_str());
        return checked.error().code == journeys::ErrorCode::invalid_journey ? exit_input
                                                                            : exit_environment;
    }
    const auto text = options.json ? running_json(*checked) + '\n' : running_text(*checked);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return exit_done;
}

int check(const Options& options) {
    std::optional<std::filesystem::path> config, journeys;
    if (!options.journeys.empty()) journeys = options.journeys;
    if (options.config_given || options.running || !journeys) config = options.config;
    const auto files = read_files(config, journeys);
    if (!files) {
        std::fprintf(stderr, "%s\n", files.error().detail.c_str());
        return exit_environment;
    }
    CompileOptions compiling;
    compiling.trial = !options.against.empty();
    if (config) compiling.directory = config->parent_path();
    compiling.now = std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now());
    compiling.read_codes = true;
    const auto compiled = compile(*files, compiling);
    std::size_t errors = 0, warnings = 0;
    for (const auto& mistake : compiled.mistakes) {
        std::fprintf(options.json ? stderr : stdout, "%s\n", schema::to_text(mistake).c_str());
        ++(mistake.is_warning ? warnings : errors);
    }
    if (!compiled.catalog) {
        std::fprintf(stderr, "%zu mistakes, %zu warnings\n", errors, warnings);
        return exit_input;
    }
    std::fprintf(stderr, "%zu journeys, no mistakes, %zu warnings\n", files->journeys.size(),
                 warnings);
    if (options.running) return print_running(options, *files);
    if (options.against.empty()) return exit_done;

    const std::vector<std::filesystem::path> event_files{options.against.begin(),
                                                         options.against.end()};
    const auto recorded = options.log ? read_log(event_files) : read_events(event_files);
    if (!recorded) {
        std::fprintf(stderr, "%s\n", recorded.error().detail.c_str());
        return exit_environment;
    }
    const int exit_code = say_refused(*recorded);
    SimulationOptions simulation;
    simulation.from_log = options.log;
    simulation.products = recorded->products;
    simulate(compiled.catalog, recorded->records, simulation, [](const auto&, const auto&) {});
    if (options.json)
        print_counts_json(*compiled.catalog, *recorded);
    else
        print_counts(*compiled.catalog);
    return exit_code;
}

} // namespace

void add_check(CLI::App& app, int& exit_code) {
    auto* const command =
        app.add_subcommand("check", "Load and type-check everything; print every mistake");
    const auto options = std::make_shared<Options>();
    auto* const config = command->add_option("--config", options->config, "The configuration")
                             ->capture_default_str();
    command->add_option("--journeys", options->journeys,
                        "A folder of journeys, or one file, instead of the configuration's");
    command->add_option("--against", options->against,
                        "Recorded events: how often each condition was met or failed");
    command->add_flag("--running", options->running,
                      "What publishing these files would do to the runs that are open: which move, "
                      "stay or end");
    command->add_flag("--log", options->log,
                      "With --against: the files are recorded logs of a service");
    command->add_flag("--json", options->json, "With --running or --against: for programs");
    command->callback([options, config, &exit_code] {
        options->config_given = config->count() > 0;
        exit_code = check(*options);
    });
}

} // namespace runtime
