#include "tests/bench/ingest_bench.hpp"

#include "runtime/postgres/embedded.hpp"
#include "tests/bench/bare_pipeline.hpp"
#include "tests/bench/live_service.hpp"

#include <optional>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr std::size_t frame_messages = 100;
constexpr double patience = 120;

void check(bool is_right, const std::string& what) {
    if (!is_right) throw std::runtime_error{"ingest: " + what};
}

class Ours {
public:
    explicit Ours(const IngestOptions& options)
        : options_(options), service_(options.config, options.folder / "ours"),
          load_(options.customers, 1) {}

    /// Every customer is active afterwards, or nearly so.
    void warm_up() {
        run(1e9, std::min(options_.frames_max, 2 * options_.customers / frame_messages + 1));
    }
    double round() {
        const auto postgres = tree_cpu(service_.server_pid());
        const auto cpu = process_cpu();
        const auto sent = run(options_.seconds, options_.frames_max);
        const auto events = static_cast<double>(sent.accepted);
        const auto spent =
            process_cpu() - cpu - sent.cpu + tree_cpu(service_.server_pid()) - postgres;
        cpu_micros.push_back(spent / events * 1e6);
        postgres_micros.push_back((tree_cpu(service_.server_pid()) - postgres) / events * 1e6);
        producer_micros.push_back(sent.cpu / events * 1e6);
        acked_rate.push_back(events / sent.took);
        active = service_.metric("sojourn_active_customers");
        return events / applied_after_;
    }

    std::vector<double> cpu_micros, postgres_micros, producer_micros, acked_rate;
    double active = 0;

private:
    Sent run(double seconds, std::size_t frames) {
        const auto applied = service_.metric("sojourn_applied_total");
        const auto begin = seconds_now();
        const auto sent = send_load(service_.port(), load_, frame_messages, seconds, frames);
        const auto events = static_cast<double>(sent.accepted);
        check(sent.rejected == 0 && sent.accepted > 0, "the service rejected messages");
        // Providers' answers are applied among them, at most one for twenty events.
        check(service_.wait_until_applied(applied + events, patience), "events were not applied");
        applied_after_ = seconds_now() - begin;
        check(service_.wait_until_flushed(patience), "not all events were flushed");
        all_ += events;
        check(service_.metric("sojourn_ingested_total") == all_, "events got lost or doubled");
        for (const auto* result : {"duplicate", "parked"})
            check(service_.metric(std::string{"sojourn_applied_total{result=\""} + result +
                                  "\"}") == 0,
                  std::string{"there are events "} + result);
        return sent;
    }

    const IngestOptions& options_;
    LiveService service_;
    Load load_;
    double all_ = 0, applied_after_ = 0;
};

class Bare {
public:
    explicit Bare(const IngestOptions& options) : options_(options), load_(options.customers, 2) {
        auto server = runtime::EmbeddedPostgres::start(options.folder / "bare");
        check(server.has_value(), server ? "" : server.error().detail);
        server_.emplace(std::move(*server));
        auto started = BarePipeline::start(server_->conninfo());
        check(started.has_value(), started ? "" : started.error().detail);
        pipeline_ = std::move(*started);
    }
    double round() {
        const auto postgres = tree_cpu(server_->server_pid());
        const auto cpu = process_cpu();
        const auto sent = send_load(pipeline_->port(), load_, frame_messages, options_.seconds,
                                    options_.frames_max);
        const auto spent =
            process_cpu() - cpu - sent.cpu + tree_cpu(server_->server_pid()) - postgres;
        check(sent.rejected == 0 && pipeline_->count_and_clear() == sent.accepted,
              "the bare pipeline lost messages");
        const auto events = static_cast<double>(sent.accepted);
        cpu_micros.push_back(spent / events * 1e6);
        return events / sent.took;
    }

    std::vector<double> cpu_micros;

private:
    const IngestOptions& options_;
    std::optional<runtime::EmbeddedPostgres> server_;
    std::unique_ptr<BarePipeline> pipeline_;
    Load load_;
};

} // namespace

Figure bench_ingest(const IngestOptions& options) {
    std::filesystem::create_directories(options.folder / "ours");
    Ours ours{options};
    Bare bare{options};
    ours.warm_up();
    bare.round();
    bare.cpu_micros.clear();
    auto figure = compare(
        "ingest", "events/s", options.rounds, [&] { return ours.round(); },
        [&] { return bare.round(); });
    figure.goal = ">= 0.35";
    figure.reached = figure.ratio.median >= 0.35;
    figure.details = {
        {"active customers", ours.active},
        {"ours: acked events/s", spread_of(ours.acked_rate).median},
        {"ours: CPU us/event, PostgreSQL included", spread_of(ours.cpu_micros).median},
        {"ours: of these, PostgreSQL", spread_of(ours.postgres_micros).median},
        {"raw: CPU us/event, PostgreSQL included", spread_of(bare.cpu_micros).median},
        {"producer: CPU us/event", spread_of(ours.producer_micros).median}};
    return figure;
}

} // namespace bench
