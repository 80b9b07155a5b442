#include "tests/bench/neighbours_bench.hpp"

#include "runtime/producer/stream_producer.hpp"
#include "tests/bench/live_service.hpp"
#include "tests/bench/load.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

using runtime::StreamProducer;
using Steady = std::chrono::steady_clock;

constexpr auto pause = std::chrono::milliseconds{10};
constexpr std::uint32_t customers = 10'000;
constexpr std::size_t frames_min = 10; ///< However long they take.

StreamProducer::Options producing(std::uint16_t port, std::size_t in_flight) {
    return {.url = {"127.0.0.1", std::to_string(port), "/v1/stream"},
            .write_key = "demo",
            .frames_in_flight = in_flight};
}

void run(const StreamProducer::Options& options, const StreamProducer::Callbacks& callbacks) {
    const auto totals = StreamProducer::run(options, callbacks);
    if (!totals) throw std::runtime_error{totals.error().detail};
    if (totals->rejected != 0) throw std::runtime_error{"neighbours: messages were rejected"};
}

/// Frames of one message, 100 of them on their way, until told to end.
class Neighbour {
public:
    Neighbour(std::uint16_t port, Load& load, std::uint64_t frames_max)
        : frames_max_(frames_max), thread_([this, port, &load] {
              try {
                  push(port, load);
              } catch (...) {
                  failure_ = std::current_exception();
              }
          }) {}
    ~Neighbour() { // Still running where what is beside it has failed.
        is_ending_ = true;
        if (thread_.joinable()) thread_.join();
    }
    Neighbour(const Neighbour&) = delete;

    /// How many frames. Throws what went wrong with them.
    std::uint64_t end() {
        is_ending_ = true;
        thread_.join();
        if (failure_) std::rethrow_exception(failure_);
        return frames_;
    }

    static journeys::Timestamp now() {
        return std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now());
    }

private:
    void push(std::uint16_t port, Load& load) {
        run(producing(port, 100), {.next = [&]() -> std::optional<StreamProducer::Frame> {
                if (is_ending_ || frames_ == frames_max_) return std::nullopt;
                ++frames_;
                return StreamProducer::Frame{load.frame(1, now()), 1};
            }});
    }

    const std::uint64_t frames_max_;
    std::atomic<bool> is_ending_{false};
    std::atomic<std::uint64_t> frames_{0};
    std::exception_ptr failure_;
    std::thread thread_;
};

struct Waits {
    double median = 0, late = 0; ///< Microseconds; the 99th percentile.
};

Waits single_frames(std::uint16_t port, Load& load, double seconds) {
    std::vector<double> micros;
    const auto begin = Steady::now();
    auto due = begin;
    const auto take = [&]() -> std::optional<StreamProducer::Frame> {
        due += pause; // Whatever the one before has cost.
        if (due - begin > std::chrono::duration<double>(seconds) && micros.size() >= frames_min)
            return std::nullopt;
        StreamProducer::Frame frame{load.frame(1, Neighbour::now()), 1};
        frame.due = due;
        return frame;
    };
    run(producing(port, 1),
        {.next = take, .progress = [&](const StreamProducer::Totals&) {
             micros.push_back(
                 std::chrono::duration<double, std::micro>(Steady::now() - due).count());
         }});
    if (micros.size() < frames_min) throw std::runtime_error{"neighbours: too few frames"};
    std::ranges::sort(micros);
    return {micros[micros.size() / 2], micros[micros.size() * 99 / 100]};
}

} // namespace

Figure bench_neighbours(const NeighboursOptions& options) {
    const LiveService service{options.config, options.folder / "service"};
    Load quiet{customers, 1}, busy{customers, 2};
    single_frames(service.port(), quiet, 1); // Warms up.
    std::vector<double> late_alone, late_beside, rates;
    auto figure = compare(
        "ack of a single frame, beside a producer with 100 in flight", "µs", options.rounds,
        [&] {
            Neighbour neighbour{service.port(), busy, options.messages_max};
            const auto waits = single_frames(service.port(), quiet, options.seconds);
            rates.push_back(static_cast<double>(neighbour.end()) / options.seconds);
            late_beside.push_back(waits.late);
            return waits.median;
        },
        [&] {
            if (!service.wait_until_flushed(120))
                throw std::runtime_error{"neighbours: not all events were flushed"};
            const auto waits = single_frames(service.port(), quiet, options.seconds);
            late_alone.push_back(waits.late);
            return waits.median;
        });
    figure.goal = "at most 1.10 of alone";
    figure.reached = figure.ratio.median <= 1.10;
    figure.details = {{"p99 alone µs", spread_of(late_alone).median},
                      {"p99 beside µs", spread_of(late_beside).median},
                      {"neighbour's frames/s", spread_of(rates).median}};
    return figure;
}

} // namespace bench
