#include "tests/bench/ingest_bench.hpp"

#include "tests/bench/loaded_pipeline.hpp"
#include "tests/bench/loaded_service.hpp"

#include <algorithm>
#include <sstream>

namespace bench {
namespace {

constexpr double warm_up_seconds = 3;

Producing producing(const IngestOptions& options) {
    return {.connections = options.connections,
            .frame_messages = options.frame_messages,
            .seconds = options.seconds,
            .frames_max = options.messages_max / options.frame_messages};
}

class Ours {
public:
    explicit Ours(const IngestOptions& options)
        : options_(options), service_(options.config, options.folder / "ours"),
          load_(options.customers, 1) {}

    /// Every customer is active afterwards, or nearly so.
    void warm_up() { service_.bring_in(load_, options_.customers, options_.messages_max); }
    double round() {
        const auto run = service_.run(producing(options_), frames_of(load_));
        cpu_micros.push_back(run.cpu_micros());
        postgres_micros.push_back(run.postgres_micros());
        producer_micros.push_back(run.sent.cpu / run.events() * 1e6);
        acked_rate.push_back(run.events() / run.sent.took);
        active = service_.service().metric("sojourn_active_customers");
        applied_rate.push_back(run.events() / run.applied_after);
        return run.sustained_rate();
    }

    std::vector<double> cpu_micros, postgres_micros, producer_micros, acked_rate, applied_rate;
    double active = 0;

private:
    const IngestOptions& options_;
    LoadedService service_;
    Load load_;
};

class Bare {
public:
    explicit Bare(const IngestOptions& options)
        : options_(options), pipeline_(options.folder / "bare"), load_(options.customers, 2) {}

    /// A few seconds, however long the rounds are: what is written twice takes the disk twice.
    void warm_up() {
        auto short_one = producing(options_);
        short_one.seconds = std::min(short_one.seconds, warm_up_seconds);
        pipeline_.run(short_one, frames_of(load_));
    }
    double round() {
        const auto run = pipeline_.run(producing(options_), frames_of(load_));
        cpu_micros.push_back(run.cpu_micros());
        return run.events() / run.sent.took;
    }

    std::vector<double> cpu_micros;

private:
    const IngestOptions& options_;
    LoadedPipeline pipeline_;
    Load load_;
};

} // namespace

Figure bench_ingest(const IngestOptions& options) {
    std::filesystem::create_directories(options.folder / "ours");
    Ours ours{options};
    Bare bare{options};
    ours.warm_up();
    bare.warm_up();
    auto figure = compare(
        options.frame_messages == 1 ? "ingest of single frames" : "ingest", "events/s",
        options.rounds, [&] { return ours.round(); }, [&] { return bare.round(); });
    std::ostringstream goal;
    goal << ">= " << options.goal;
    figure.goal = goal.str();
    figure.reached = figure.ratio.median >= options.goal;
    figure.details = {
        {"active customers", ours.active},
        {"connections", static_cast<double>(options.connections)},
        {"ours: acked events/s, meanwhile", spread_of(ours.acked_rate).median},
        {"ours: applied events/s, meanwhile", spread_of(ours.applied_rate).median},
        {"ours: CPU us/event, PostgreSQL included", spread_of(ours.cpu_micros).median},
        {"ours: of these, PostgreSQL", spread_of(ours.postgres_micros).median},
        {"raw: CPU us/event, PostgreSQL included", spread_of(bare.cpu_micros).median},
        {"producer: CPU us/event", spread_of(ours.producer_micros).median}};
    return figure;
}

} // namespace bench
