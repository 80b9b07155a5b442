#include "tests/bench/ack_bench.hpp"

#include "tests/bench/bare_commit.hpp"
#include "tests/bench/loaded_pipeline.hpp"
#include "tests/bench/loaded_service.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr double millis = 1000;

/// The two figures of a round.
struct Waits {
    std::vector<double> half, late; ///< p50 and p99, milliseconds.

    void add(std::vector<double> seconds) {
        half.push_back(share_of(seconds, 0.5) * millis);
        late.push_back(share_of(std::move(seconds), 0.99) * millis);
    }
};

class Ours {
public:
    explicit Ours(const AckOptions& options)
        : options_(options), service_(options.config, options.folder / "ours"),
          load_(options.customers, 1) {}

    void find_full_rate() {
        // Once to bring the customers in, once to measure.
        service_.bring_in(load_, options_.customers, options_.messages_max);
        const auto run = service_.run(producing(0), frames_of(load_));
        full_rate = run.sustained_rate();
    }
    void round() {
        auto run = service_.run(producing(full_rate / 2), frames_of(load_));
        offered.push_back(run.events() / run.sent.took);
        waits.add(std::move(run.sent.waits));
    }

    double full_rate = 0;
    std::vector<double> offered;
    Waits waits;

private:
    Producing producing(double rate) const {
        return {.connections = options_.connections,
                .frame_messages = 1,
                .seconds = options_.seconds,
                .frames_max = options_.messages_max,
                .rate = rate};
    }
    const AckOptions& options_;
    LoadedService service_;
    Load load_;
};

class Raw {
public:
    explicit Raw(const AckOptions& options)
        : options_(options), server_(start_postgres(options.folder / "raw")), load_(100'000, 2) {
        auto opened = BareCommit::open(server_.conninfo());
        if (!opened) throw std::runtime_error{opened.error().detail};
        commit_.emplace(std::move(*opened));
    }

    void round(double rate) {
        std::vector<double> took;
        std::uint64_t written = 0;
        const auto begin = seconds_now();
        std::string rows, message;
        while (seconds_now() - begin < options_.seconds && written < options_.messages_max) {
            // What is due by the clock, as with the service; or else the next one when it is.
            const auto due =
                std::max(written + 1, static_cast<std::uint64_t>((seconds_now() - begin) * rate));
            const auto early = static_cast<double>(written + 1) / rate - (seconds_now() - begin);
            if (early > 0) std::this_thread::sleep_for(std::chrono::duration<double>{early});
            rows.clear();
            const auto count = due - written;
            for (; written < due; ++written) {
                message.clear();
                load_.append(message, wall_now());
                BareCommit::put_row(rows, static_cast<std::int64_t>(written), "u0000000", message);
            }
            const auto at = seconds_now();
            if (!commit_->commit(rows)) throw std::runtime_error{"ack: a bare commit failed"};
            took.push_back(seconds_now() - at);
            batch_rows.push_back(static_cast<double>(count));
        }
        if (commit_->count_and_clear() != written)
            throw std::runtime_error{"ack: rows of bare commits are missing"};
        waits.add(std::move(took));
    }

    Waits waits;
    std::vector<double> batch_rows;

private:
    const AckOptions& options_;
    runtime::EmbeddedPostgres server_;
    std::optional<BareCommit> commit_;
    Load load_;
};

Figure figure_with_goal(std::string name, const std::vector<double>& ours,
                        const std::vector<double>& raw, int goal) {
    auto figure = figure_of(std::move(name), "ms", ours, raw);
    figure.goal = "<= " + std::to_string(goal);
    figure.reached = figure.ratio.median <= goal;
    return figure;
}

} // namespace

std::vector<Figure> bench_ack(const AckOptions& options) {
    std::filesystem::create_directories(options.folder / "ours");
    Ours ours{options};
    Raw raw{options};
    ours.find_full_rate();
    for (int round = 0; round < options.rounds; ++round) {
        ours.round();
        raw.round(ours.full_rate / 2);
    }
    auto half = figure_with_goal("ack at half rate, p50", ours.waits.half, raw.waits.half, 2);
    half.details = {{"full rate, events/s", ours.full_rate},
                    {"offered, events/s", spread_of(ours.offered).median},
                    {"connections", static_cast<double>(options.connections)},
                    {"raw: rows of a commit", spread_of(raw.batch_rows).median}};
    return {std::move(half),
            figure_with_goal("ack at half rate, p99", ours.waits.late, raw.waits.late, 8)};
}

} // namespace bench
