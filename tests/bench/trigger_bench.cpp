#include "tests/bench/trigger_bench.hpp"

#include "runtime/producer/stream_producer.hpp"
#include "tests/bench/calling_journey.hpp"
#include "tests/bench/loaded_service.hpp"
#include "tests/bench/receiver.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr std::size_t frame_messages = 100;
constexpr std::size_t raw_trials = 200;
constexpr double patience = 120, goal_ms = 30;

void check(bool is_right, const std::string& what) {
    if (!is_right) throw std::runtime_error{"trigger: " + what};
}

class Ours {
public:
    explicit Ours(const TriggerOptions& options)
        : options_(options), loaded_(options.config, options.folder / "ours",
                                     [&](std::string& text) { add_channel(text); }),
          load_(options.customers, 3) {}

    void find_full_rate() {
        // Once to bring the customers in, once to measure.
        loaded_.bring_in(load_, options_.customers, options_.messages_max);
        full_rate = loaded_
                        .run({.seconds = options_.seconds,
                              .frames_max = options_.messages_max / frame_messages},
                             frames_of(load_))
                        .sustained_rate();
    }

    double round() {
        receiver_.forget();
        const auto applied = service_.metric("sojourn_applied_total");
        const auto accepted = send_at_half_rate();
        check(service_.wait_until_applied(applied + static_cast<double>(accepted), patience),
              "events were not applied");
        const auto until = seconds_now() + patience;
        while (receiver_.count() < scheduled_.size() && seconds_now() < until)
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        std::vector<double> millis;
        for (const auto& [n, call] : receiver_.calls()) {
            check(call.times == 1, "a trigger came twice");
            millis.push_back((call.at - scheduled_.at(n)) * 1000);
        }
        check(millis.size() == scheduled_.size(), "triggers are missing");
        half.push_back(share_of(millis, 0.5));
        calls += static_cast<double>(millis.size());
        settle(applied + static_cast<double>(accepted));
        return share_of(std::move(millis), 0.99);
    }

    double full_rate = 0, calls = 0;
    std::vector<double> half, reached_rate;

private:
    void add_channel(std::string& text) const {
        add_bench_channel(text, receiver_.port());
        add_calling_journey(options_.folder / "ours/config");
    }

    std::uint64_t send_at_half_rate() {
        using Clock = std::chrono::steady_clock;
        const auto interval = std::chrono::duration<double>{2.0 * frame_messages / full_rate};
        const auto frames =
            std::clamp<std::size_t>(static_cast<std::size_t>(options_.seconds / interval.count()),
                                    1, options_.messages_max / frame_messages);
        const auto first = Clock::now() + std::chrono::milliseconds{20};
        scheduled_.clear();
        runtime::StreamProducer::Options producing;
        producing.url = {"127.0.0.1", std::to_string(service_.port()), "/v1/stream"};
        producing.write_key = "demo";
        producing.frames_in_flight = 100'000; // What is late is late: the load does not wait.
        std::size_t made = 0;
        runtime::StreamProducer::Callbacks callbacks;
        callbacks.next = [&]() -> std::optional<runtime::StreamProducer::Frame> {
            if (made == frames) return std::nullopt;
            const auto due = first + std::chrono::duration_cast<Clock::duration>(
                                         interval * static_cast<double>(made++));
            const auto n = numbers_++;
            scheduled_[n] = std::chrono::duration<double>(due.time_since_epoch()).count();
            const auto now =
                std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now());
            auto text = load_.frame(frame_messages - 1, now);
            text.back() = ',';
            text += calling_message(n, now) + ']';
            return runtime::StreamProducer::Frame{std::move(text), frame_messages, due};
        };
        std::optional<journeys::Result<runtime::StreamProducer::Totals>> totals;
        const auto begin = seconds_now();
        std::thread{[&] { totals = runtime::StreamProducer::run(producing, callbacks); }}.join();
        check(totals->has_value(), "the producer failed");
        const auto& sent = **totals;
        check(sent.rejected == 0 && sent.accepted == frames * frame_messages,
              "the service rejected messages");
        reached_rate.push_back(static_cast<double>(sent.accepted) / (seconds_now() - begin));
        return sent.accepted;
    }

    void settle(double applied) {
        check(service_.wait_until_applied(applied, patience), "events were not applied");
        check(service_.wait_until_flushed(patience), "not all events were flushed");
        for (const auto* result : {"duplicate", "parked"})
            check(service_.metric(std::string{"sojourn_applied_total{result=\""} + result +
                                  "\"}") == 0,
                  std::string{"there are events "} + result);
    }

    const TriggerOptions& options_;
    Receiver receiver_;
    LoadedService loaded_;
    const LiveService& service_ = loaded_.service();
    Load load_;
    std::uint64_t numbers_ = 0;
    std::map<std::uint64_t, double> scheduled_; ///< When the frame was to be sent.
};

/// fdatasync and a POST, one after the other, with a pause behind each.
class Raw {
public:
    Raw(const std::filesystem::path& file, std::uint16_t port)
        : file_(::open(file.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600)), caller_(port) {
        check(file_ >= 0, "cannot write " + file.string());
    }
    ~Raw() { ::close(file_); }

    double round() {
        const std::string page(4096, 'x');
        std::vector<double> millis;
        for (std::size_t i = 0; i < raw_trials; ++i) {
            const auto begin = seconds_now();
            check(::pwrite(file_, page.data(), page.size(), 0) == 4096 && ::fdatasync(file_) == 0,
                  "cannot write");
            caller_.call(i);
            millis.push_back((seconds_now() - begin) * 1000);
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
        }
        half.push_back(share_of(millis, 0.5));
        return share_of(std::move(millis), 0.99);
    }

    std::vector<double> half;

private:
    int file_;
    Caller caller_;
};

} // namespace

Figure bench_trigger(const TriggerOptions& options) {
    std::filesystem::create_directories(options.folder / "ours");
    Ours ours{options};
    ours.find_full_rate();
    Receiver beside;
    Raw raw{options.folder / "raw", beside.port()};
    auto figure = compare(
        "trigger", "ms, p99", options.rounds, [&] { return ours.round(); },
        [&] { return raw.round(); });
    figure.goal = "<= 30 ms";
    figure.reached = figure.ours.median <= goal_ms;
    figure.details = {{"ours: p50, ms", spread_of(ours.half).median},
                      {"raw: p50, ms", spread_of(raw.half).median},
                      {"full rate, events/s", ours.full_rate},
                      {"offered, events/s", spread_of(ours.reached_rate).median},
                      {"triggers, all called once", ours.calls}};
    return figure;
}

} // namespace bench
