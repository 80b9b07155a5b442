/// `sojourn bench`. It stands here and not in runtime/, because no code of the product may include
/// what lies in tests/.
#include "runtime/commands/commands.hpp"

#include "tests/bench/audience_bench.hpp"
#include "tests/bench/cel_bench.hpp"
#include "tests/bench/crowd_bench.hpp"
#include "tests/bench/decide_bench.hpp"
#include "tests/bench/ingest_bench.hpp"
#include "tests/bench/interested_bench.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/models_bench.hpp"
#include "tests/bench/neighbours_bench.hpp"
#include "tests/bench/trigger_bench.hpp"

#include <CLI/Validators.hpp>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <memory>

namespace runtime {
namespace {

struct BenchOptions {
    std::string only, config = "config", folder = std::filesystem::temp_directory_path();
    bool json = false;
    int rounds = 5;
    double seconds = 4;
    std::uint32_t customers = 200'000, pace = 5'000;
};

/// What every bench of a whole service is told, as far as it can be.
template <class Options>
Options told(const BenchOptions& options, const std::filesystem::path& folder) {
    Options told;
    told.config = options.config;
    told.folder = folder;
    told.rounds = options.rounds;
    if constexpr (requires { told.seconds; }) told.seconds = options.seconds;
    if constexpr (requires { told.customers; })
        told.customers = std::min(told.customers, options.customers);
    return told;
}

int run_bench(const BenchOptions& options) {
    std::signal(SIGPIPE, SIG_IGN);
    const auto wanted = [&](const char* name) {
        return options.only.empty() || options.only == name;
    };
    if (!options.json) std::cout << bench::describe_machine() << std::endl;
    std::vector<bench::Figure> figures;
    try {
        if (wanted("cel"))
            for (auto& figure : bench::bench_cel(options.rounds))
                figures.push_back(std::move(figure));
        if (wanted("models"))
            for (auto& figure : bench::bench_models(options.rounds))
                figures.push_back(std::move(figure));
        // These begin processes of their own, so they come before anything that has threads.
        bench::CrowdOptions crowd;
        crowd.config = options.config;
        crowd.rounds = options.rounds;
        crowd.customers = options.customers;
        if (wanted("memory")) figures.push_back(bench::bench_memory(crowd));
        if (wanted("scale")) figures.push_back(bench::bench_scale(crowd));
        if (wanted("trigger")) {
            const bench::TemporaryFolder folder{options.folder};
            auto trigger = told<bench::TriggerOptions>(options, folder.path());
            figures.push_back(bench::bench_trigger(trigger));
        }
        if (wanted("ingest")) {
            const bench::TemporaryFolder folder{options.folder};
            auto ingest = told<bench::IngestOptions>(options, folder.path());
            figures.push_back(bench::bench_ingest(ingest));
        }
        if (wanted("decide")) {
            const bench::TemporaryFolder folder{options.folder};
            auto decide = told<bench::DecideOptions>(options, folder.path());
            figures.push_back(bench::bench_decide(decide));
            decide.folder = folder.path() / "at-once";
            decide.is_durable = false;
            figures.push_back(bench::bench_decide(decide));
        }
        if (wanted("audience")) {
            const bench::TemporaryFolder folder{options.folder};
            auto audience = told<bench::AudienceOptions>(options, folder.path());
            audience.pace = options.pace;
            figures.push_back(bench::bench_audience(audience));
        }
        if (wanted("interested")) {
            const bench::TemporaryFolder folder{options.folder};
            auto interested = told<bench::InterestedOptions>(options, folder.path());
            for (auto& figure : bench::bench_interested(interested))
                figures.push_back(std::move(figure));
        }
        if (wanted("neighbours")) {
            const bench::TemporaryFolder folder{options.folder};
            auto neighbours = told<bench::NeighboursOptions>(options, folder.path());
            figures.push_back(bench::bench_neighbours(neighbours));
        }
    } catch (const std::exception& error) {
        std::cerr << "sojourn: " << error.what() << '\n';
        return exit_environment;
    }
    if (options.json)
        std::cout << bench::to_json(figures) << '\n';
    else
        bench::print_table(std::cout, figures);
    return exit_done;
}

} // namespace

void add_bench(CLI::App& app, int& exit_code) {
    auto* const command =
        app.add_subcommand("bench", "Measure what the service costs beside its raw parts");
    const auto options = std::make_shared<BenchOptions>();
    command->add_option("measure,--only", options->only, "One measure instead of all")
        ->check(CLI::IsMember({"audience", "cel", "decide", "ingest", "interested", "memory",
                               "models", "neighbours", "scale", "trigger"}));
    command->add_flag("--json", options->json, "Print JSON instead of a table");
    command->add_option("--rounds", options->rounds, "How often both sides take their turn")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    command->add_option("--seconds", options->seconds, "Of load, a round and side")
        ->check(CLI::Range(0.1, 600.0))
        ->capture_default_str();
    command
        ->add_option("--customers", options->customers,
                     "Active ones, of memory and scale; of audience, ingest and trigger at most "
                     "100,000, of interested 50,000, of decide 20,000")
        ->check(CLI::Range(1'000, 5'000'000))
        ->capture_default_str();
    command->add_option("--pace", options->pace, "Of audience: customers a second")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    command->add_option("--config", options->config, "The folder of the configuration to measure")
        ->capture_default_str();
    command->add_option("--dir", options->folder, "Where its data lies meanwhile")
        ->capture_default_str();
    command->callback([options, &exit_code] { exit_code = run_bench(*options); });
}

} // namespace runtime
