/// `sojourn bench`. It stands here and not in runtime/, because no code of the product may include
/// what lies in tests/.
#include "runtime/commands/commands.hpp"

#include "tests/bench/ack_bench.hpp"
#include "tests/bench/audience_bench.hpp"
#include "tests/bench/cel_bench.hpp"
#include "tests/bench/connections_bench.hpp"
#include "tests/bench/crowd_bench.hpp"
#include "tests/bench/decide_bench.hpp"
#include "tests/bench/growth_plots.hpp"
#include "tests/bench/guarded.hpp"
#include "tests/bench/hot_customer_bench.hpp"
#include "tests/bench/idle_bench.hpp"
#include "tests/bench/inactivity_bench.hpp"
#include "tests/bench/ingest_bench.hpp"
#include "tests/bench/interested_bench.hpp"
#include "tests/bench/lateness_bench.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/memory_ingest_bench.hpp"
#include "tests/bench/models_bench.hpp"
#include "tests/bench/neighbours_bench.hpp"
#include "tests/bench/outbox_bench.hpp"
#include "tests/bench/overload_bench.hpp"
#include "tests/bench/rearm_bench.hpp"
#include "tests/bench/seven_journeys.hpp"
#include "tests/bench/simulate_bench.hpp"
#include "tests/bench/snapshot_bench.hpp"
#include "tests/bench/start_bench.hpp"
#include "tests/bench/trigger_bench.hpp"

#include <CLI/Validators.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>

namespace runtime {
namespace {

struct BenchOptions {
    std::string only, config = "config", folder = std::filesystem::temp_directory_path();
    bool json = false, lists = false, all_journeys = false;
    std::optional<std::string> plots; ///< The folder that pictures go to.
    std::string only_plot;            ///< Of `names_of_growth`; empty: all.
    int rounds = 5;
    double seconds = 4;
    std::optional<std::uint32_t> customers; ///< As many as the bench is made for.
    std::optional<std::size_t> messages_max;
    std::uint32_t pace = 5'000;
};

using Figures = std::vector<bench::Figure>;
/// One measure; `folder` is empty, and is removed behind it.
struct Measure {
    const char* name;
    std::function<Figures(const BenchOptions& options, const std::filesystem::path& folder)> run;
};

/// What every bench is told, as far as it can be.
template <class Options>
Options told(const BenchOptions& options, const std::filesystem::path& folder) {
    Options told;
    told.rounds = options.rounds;
    if constexpr (requires { told.config; }) told.config = options.config;
    if constexpr (requires { told.folder; }) told.folder = folder;
    if constexpr (requires { told.seconds; }) told.seconds = options.seconds;
    if constexpr (requires { told.customers; })
        told.customers = std::min(told.customers, options.customers.value_or(told.customers));
    if constexpr (requires { told.messages_max; })
        told.messages_max = options.messages_max.value_or(told.messages_max);
    return told;
}

Figures in_list(bench::Figure figure) {
    Figures all;
    all.push_back(std::move(figure));
    return all;
}
Figures in_list(Figures figures) { return figures; }

/// A bench that is told what every bench is told, and no more.
template <class Options, class Run>
Measure plain(const char* name, Run run, std::function<void(Options&)> change = {}) {
    return {name, [run, change](const BenchOptions& options, const std::filesystem::path& folder) {
                auto telling = told<Options>(options, folder);
                if (change) change(telling);
                return in_list(run(telling));
            }};
}

/// These may have more customers than they are made for.
Measure crowd(const char* name, bench::Figure (*run)(const bench::CrowdOptions&),
              std::uint32_t customers) {
    return {name, [run, customers](const BenchOptions& options, const std::filesystem::path&) {
                bench::CrowdOptions crowd;
                crowd.config = options.config;
                crowd.rounds = options.rounds;
                crowd.customers = options.customers.value_or(customers);
                return in_list(run(crowd));
            }};
}

/// In the order in which they run.
std::vector<Measure> measures() {
    using namespace bench;
    using std::filesystem::path;
    return {
        {"cel", [](const BenchOptions& options, const path&) { return bench_cel(options.rounds); }},
        {"models",
         [](const BenchOptions& options, const path&) { return bench_models(options.rounds); }},
        plain<RearmOptions>("rearm", bench_rearm),
        plain<SimulateOptions>("simulate", bench_simulate),
        // These begin processes of their own, so they come before anything that has threads.
        crowd("memory", bench_memory, 200'000),
        crowd("scale", bench_scale, 1'000'000),
        crowd("sleepers", bench_sleepers, 200'000),
        plain<ConnectionsOptions>("connections", bench_connections),
        plain<MemoryIngestOptions>("memory-ingest-singles", bench_memory_ingest),
        plain<MemoryIngestOptions>("memory-ingest", bench_memory_ingest,
                                   [](MemoryIngestOptions& batches) {
                                       batches.connections = 1;
                                       batches.frame_messages = 100;
                                       batches.in_flight = 64;
                                       batches.goal = 1.5;
                                   }),
        plain<TriggerOptions>("trigger", bench_trigger),
        plain<IngestOptions>("ingest", bench_ingest),
        plain<IngestOptions>("ingest-singles", bench_ingest,
                             [](IngestOptions& singles) {
                                 singles.connections = 64;
                                 singles.frame_messages = 1;
                                 singles.goal = 0.6;
                             }),
        plain<AckOptions>("ack", bench_ack),
        plain<SnapshotOptions>("snapshot", bench_snapshot),
        plain<OutboxOptions>("outbox", bench_outbox,
                             [](OutboxOptions& outbox) {
                                 if (const char* folder = std::getenv("NODE_GRAPHILE"))
                                     outbox.peer = folder;
                             }),
        {"start",
         [](const BenchOptions& options, const path& folder) {
             return in_list(bench_start({.config = options.config,
                                         .folder = folder,
                                         .rounds = options.rounds,
                                         .customers = options.customers.value_or(1'000'000)}));
         }},
        plain<HotCustomerOptions>("hot-customer", bench_hot_customer),
        plain<OverloadOptions>("overload", bench_overload),
        plain<IdleOptions>("idle", bench_idle),
        plain<LatenessOptions>("lateness", bench_lateness),
        plain<LatenessOptions>("lateness-many", bench_lateness,
                               [](LatenessOptions& many) {
                                   many.customers *= 10;
                                   many.goal_ms = 1'500;
                               }),
        plain<InactivityOptions>("inactivity", bench_inactivity),
        {"decide",
         [](const BenchOptions& options, const path& folder) {
             auto decide = told<DecideOptions>(options, folder);
             Figures figures;
             figures.push_back(bench_decide(decide));
             decide.folder = folder / "at-once";
             decide.is_durable = false;
             figures.push_back(bench_decide(decide));
             return figures;
         }},
        {"audience",
         [](const BenchOptions& options, const path& folder) {
             auto audience = told<AudienceOptions>(options, folder);
             audience.pace = options.pace;
             return in_list(bench_audience(audience));
         }},
        plain<InterestedOptions>("interested", bench_interested),
        plain<NeighboursOptions>("neighbours", bench_neighbours),
    };
}

std::vector<std::string> names_of_measures() {
    std::vector<std::string> names;
    for (const auto& measure : measures()) names.emplace_back(measure.name);
    std::ranges::sort(names);
    return names;
}

void plot(const BenchOptions& options, const std::filesystem::path& folder) {
    bench::GrowthOptions growth;
    growth.config = options.config;
    growth.folder = folder;
    growth.plots = *options.plots;
    growth.only = options.only_plot;
    growth.seconds = options.seconds;
    growth.customers = options.customers.value_or(growth.customers);
    growth.messages_max = options.messages_max.value_or(growth.messages_max);
    for (const auto& file : bench::plot_growth(growth)) std::cout << file.string() << std::endl;
}

void print(const BenchOptions& options, const Figures& figures) {
    if (options.json)
        std::cout << bench::to_json(figures) << '\n';
    else
        bench::print_table(std::cout, figures);
}

/// All that was asked for, on this folder. What was measured before one fails is printed.
int measure_all(BenchOptions options, const std::filesystem::path& folder) {
    Figures figures;
    try {
        if (!options.all_journeys && std::filesystem::exists(options.config)) {
            const auto config = folder / "config";
            bench::copy_with_seven_journeys(options.config, config);
            options.config = config;
        }
        if (options.plots) {
            std::filesystem::create_directory(folder / "plots");
            plot(options, folder / "plots");
            return exit_done;
        }
        for (const auto& measure : measures()) {
            if (!options.only.empty() && options.only != measure.name) continue;
            const auto own = folder / measure.name;
            std::filesystem::create_directory(own);
            for (auto& figure : measure.run(options, own)) figures.push_back(std::move(figure));
            std::error_code ignored;
            std::filesystem::remove_all(own, ignored);
        }
    } catch (const std::exception& error) {
        if (!figures.empty()) print(options, figures);
        std::cerr << "sojourn: " << error.what() << '\n';
        return exit_environment;
    }
    print(options, figures);
    return exit_done;
}

int run_bench(const BenchOptions& options) {
    std::signal(SIGPIPE, SIG_IGN);
    if (options.lists) {
        for (const auto& name : names_of_measures()) std::cout << name << '\n';
        return exit_done;
    }
    if (!options.json) std::cout << bench::describe_machine() << std::endl;
    try {
        return bench::guarded(options.folder, [&](const std::filesystem::path& folder) {
            return measure_all(options, folder);
        });
    } catch (const std::exception& error) {
        std::cerr << "sojourn: " << error.what() << '\n';
        return exit_environment;
    }
}

} // namespace

void add_bench(CLI::App& app, int& exit_code) {
    auto* const command =
        app.add_subcommand("bench", "Measure what the service costs beside its raw parts");
    const auto options = std::make_shared<BenchOptions>();
    command->add_option("measure,--only", options->only, "One measure instead of all")
        ->check(CLI::IsMember(names_of_measures()));
    command->add_flag("--list", options->lists, "Name the measures and end");
    command
        ->add_option("--plot", options->plots,
                     "Draw how costs grow instead, as SVG into this folder")
        ->excludes("--only");
    command->add_option("--only-plot", options->only_plot, "One measure's pictures instead of all")
        ->needs("--plot")
        ->check(CLI::IsMember(bench::names_of_growth()));
    command->add_flag("--json", options->json, "Print JSON instead of a table");
    command->add_option("--rounds", options->rounds, "How often both sides take their turn")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    command->add_option("--seconds", options->seconds, "Of load, a round and side")
        ->check(CLI::Range(0.1, 600.0))
        ->capture_default_str();
    command
        ->add_option(
            "--customers", options->customers,
            "Of memory, scale, sleepers, start and plots; the others take at most as many as "
            "they are made for, which is the default, and lateness-many ten times as many")
        ->check(CLI::Range(1'000, 5'000'000));
    command
        ->add_option("--messages-max", options->messages_max,
                     "Of one load, which bounds the disk whatever the speed: 1 to 4 KB each; by "
                     "default 400,000 to 2,000,000. Also one that --seconds would make longer ends "
                     "there")
        ->check(CLI::Range(1'000, 1'000'000'000));
    command->add_option("--pace", options->pace, "Of audience: customers a second")
        ->check(CLI::Range(1, 10'000))
        ->capture_default_str();
    command->add_option("--config", options->config, "The folder of the configuration to measure")
        ->capture_default_str();
    command->add_flag("--all-journeys", options->all_journeys,
                      "All of its journeys; otherwise seven: browse-, cart- and checkout-abandon, "
                      "post-purchase, price-conscious, replenishment, win-back");
    command->add_option("--dir", options->folder, "Where its data lies meanwhile")
        ->capture_default_str();
    command->callback([options, &exit_code] { exit_code = run_bench(*options); });
}

} // namespace runtime
