#include "tests/bench/overload_bench.hpp"

#include "tests/bench/loaded_service.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace bench {
namespace {

constexpr double goal = 0.95, memory_goal = 1.25;
constexpr double times = 3; ///< The sustainable rate.
constexpr std::size_t frame_messages = 100;

/// The most that the process held while it lived.
class MemoryWatch {
public:
    MemoryWatch()
        : thread_([this] {
              while (!is_ending_) {
                  most_ = std::max(most_, resident_bytes_as_is());
                  std::this_thread::sleep_for(std::chrono::milliseconds{20});
              }
          }) {}
    ~MemoryWatch() {
        if (thread_.joinable()) end();
    }
    MemoryWatch(const MemoryWatch&) = delete;

    double end() {
        is_ending_ = true;
        thread_.join();
        return most_;
    }

private:
    std::atomic<bool> is_ending_{false};
    double most_ = 0;
    std::thread thread_;
};

class Bench {
public:
    explicit Bench(const OverloadOptions& options)
        : options_(options), service_(options.config, options.folder / "service"),
          load_(options.customers, 1) {}

    void find_sustainable() {
        // Once to bring the customers in, once to measure.
        service_.bring_in(load_, options_.customers, options_.messages_max);
        auto producing = offering(0);
        producing.drops_late = false;
        std::vector<double> rates;
        for (int i = 0; i < 3; ++i)
            rates.push_back(service_.run(producing, frames_of(load_)).sustained_rate());
        sustainable = spread_of(rates).median;
    }

    double round(double rate, std::vector<double>& memory, std::vector<double>& late) {
        MemoryWatch watch;
        const auto run = service_.run(offering(rate), frames_of(load_));
        memory.push_back(watch.end());
        late.push_back(share_of(run.sent.waits, 0.99) * 1000);
        // What is acked and waits to be applied is no work done.
        return std::min(static_cast<double>(run.sent.accepted_in_time) / options_.seconds,
                        run.sustained_rate());
    }

    double sustainable = 0;

private:
    Producing offering(double rate) const {
        return {.connections = options_.connections,
                .frame_messages = frame_messages,
                .seconds = options_.seconds,
                .frames_max = options_.messages_max / frame_messages,
                .rate = rate,
                .drops_late = true};
    }

    const OverloadOptions& options_;
    LoadedService service_;
    Load load_;
};

} // namespace

Figure bench_overload(const OverloadOptions& options) {
    Bench bench{options};
    bench.find_sustainable();
    std::vector<double> memory, memory_before, late, late_before;
    auto figure = compare(
        "goodput at three times", "events/s", options.rounds,
        [&] { return bench.round(times * bench.sustainable, memory, late); },
        [&] { return bench.round(bench.sustainable, memory_before, late_before); });
    const auto most = spread_of(memory).most, most_before = spread_of(memory_before).most;
    figure.goal = ">= 0.95, memory bounded";
    figure.reached = figure.ratio.median >= goal && most <= memory_goal * most_before;
    figure.details = {{"sustainable, events/s", bench.sustainable},
                      {"resident MB at most, at three times", most / 1e6},
                      {"resident MB at most, sustainable", most_before / 1e6},
                      {"p99 of acks at three times, ms", spread_of(late).median},
                      {"p99 of acks, sustainable, ms", spread_of(late_before).median}};
    return figure;
}

} // namespace bench
