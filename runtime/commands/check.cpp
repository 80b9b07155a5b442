#include "runtime/commands/commands.hpp"

#include "runtime/event_files.hpp"
#include "runtime/publication.hpp"
#include "runtime/simulation.hpp"

#include <cstdio>
#include <memory>

namespace runtime {
namespace {

struct Options {
    std::string config = "config/sojourn.yaml";
    std::string journeys;
    std::vector<std::string> against;
    bool config_given = false;
};

void print(const char* what, const journeys::Expression& expression) {
    const auto& counts = *expression.counts;
    std::printf("  line %-4u %-8s evaluated %8llu  met %8llu  failed %6llu  %s\n", expression.line,
                what, static_cast<unsigned long long>(counts.evaluated.load()),
                static_cast<unsigned long long>(counts.met.load()),
                static_cast<unsigned long long>(counts.failed.load()),
                expression.program->text().c_str());
}

/// How often each condition was evaluated, met and failed on recorded events.
void print_counts(const journeys::Catalog& catalog) {
    for (const auto& journey : catalog.journeys()) {
        std::printf("%s\n", journey->id.c_str());
        for (const auto& condition : journey->enter.when) print("enter", condition);
        for (const auto& rule : journey->exits)
            for (const auto& condition : rule.when) print("exit", condition);
        for (const auto& goal : journey->goals)
            for (const auto& condition : goal.when) print("goal", condition);
        for (const auto& step : journey->steps) {
            if (const auto* wait = std::get_if<journeys::WaitForEvent>(&step.action);
                wait && wait->when)
                print("wait", *wait->when);
            if (const auto* wait = std::get_if<journeys::WaitForCondition>(&step.action))
                print("wait", wait->condition);
            if (const auto* send = std::get_if<journeys::Send>(&step.action); send && send->when)
                print("send", *send->when);
            if (const auto* branch = std::get_if<journeys::Branch>(&step.action))
                for (const auto& arm : branch->arms)
                    if (arm.when) print("branch", *arm.when);
        }
    }
}

int check(const Options& options) {
    std::optional<std::filesystem::path> config, journeys;
    if (!options.journeys.empty()) journeys = options.journeys;
    if (options.config_given || !journeys) config = options.config;
    const auto files = read_files(config, journeys);
    if (!files) {
        std::fprintf(stderr, "%s\n", files.error().detail.c_str());
        return exit_environment;
    }
    CompileOptions compiling;
    compiling.trial = !options.against.empty();
    if (config) compiling.directory = config->parent_path();
    const auto compiled = compile(*files, compiling);
    std::size_t errors = 0, warnings = 0;
    for (const auto& mistake : compiled.mistakes) {
        std::printf("%s\n", schema::to_text(mistake).c_str());
        ++(mistake.is_warning ? warnings : errors);
    }
    if (!compiled.catalog) {
        std::fprintf(stderr, "%zu mistakes, %zu warnings\n", errors, warnings);
        return exit_input;
    }
    std::fprintf(stderr, "%zu journeys, no mistakes, %zu warnings\n", files->journeys.size(),
                 warnings);
    if (options.against.empty()) return exit_done;

    const auto recorded = read_events({options.against.begin(), options.against.end()});
    if (!recorded) {
        std::fprintf(stderr, "%s\n", recorded.error().detail.c_str());
        return exit_environment;
    }
    simulate(compiled.catalog, recorded->records, {}, [](const auto&, const auto&) {});
    print_counts(*compiled.catalog);
    return exit_done;
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
    command->callback([options, config, &exit_code] {
        options->config_given = config->count() > 0;
        exit_code = check(*options);
    });
}

} // namespace runtime
