#include "tests/bench/decide_bench.hpp"

#include "runtime/producer/stream_producer.hpp"
#include "schema/timestamp_text.hpp"
#include "tests/bench/client.hpp"
#include "tests/bench/live_service.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t frame_messages = 100;
constexpr double patience = 120, goal_ms = 5;

void check(bool is_right, const std::string& what) {
    if (!is_right) throw std::runtime_error{"decide: " + what};
}

journeys::Timestamp now() {
    return std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now());
}

class Bench {
public:
    explicit Bench(const DecideOptions& options)
        : options_(options), service_(options.config, options.folder / "service"),
          load_(options.customers, 1) {
        // Everybody is known, many with a cart.
        const auto sent = send_load(service_.port(), load_, frame_messages, 1e9,
                                    3 * options.customers / frame_messages + 1);
        meet_everybody();
        check(service_.wait_until_applied(static_cast<double>(sent.accepted + options.customers),
                                          patience),
              "events were not applied");
        check(service_.wait_until_flushed(patience), "not all events were flushed");
    }

    double decide() {
        auto millis = round([&](Client& client, std::uint64_t n) {
            client.post("/v1/decide", R"({"customer":")" + user_of(customer(n)) +
                                          R"(","surface":"cart-page","policy":"explore")" +
                                          (options_.is_durable ? "}" : R"(,"durable":false})"));
        });
        half.push_back(share_of(millis, .5));
        answers += static_cast<double>(millis.size());
        return share_of(std::move(millis), .99);
    }
    double raw() {
        auto millis = round([&](Client& client, std::uint64_t n) {
            options_.is_durable ? track(client, n) : look(client, n);
        });
        raw_half.push_back(share_of(millis, .5));
        return share_of(std::move(millis), .99);
    }

    std::vector<double> half, raw_half, offered;
    double answers = 0;

private:
    void track(Client& client, std::uint64_t n) const {
        client.post("/v1/track", R"({"type":"track","event":"Product Viewed","userId":")" +
                                     user_of(customer(n)) + R"(","messageId":"bench-decide-)" +
                                     std::to_string(n) + R"(","timestamp":")" +
                                     schema::timestamp_text(now()) +
                                     R"(","properties":{"product_id":"p"}})");
    }
    void look(Client& client, std::uint64_t n) const {
        client.get("/v1/customers/user:" + user_of(customer(n)));
    }
    /// The load takes whom it likes, and leaves some out.
    void meet_everybody() {
        Client client{service_.port()};
        for (std::uint32_t first = 0; first < options_.customers; first += frame_messages) {
            std::string batch;
            const auto end = std::min<std::size_t>(first + frame_messages, options_.customers);
            for (std::size_t n = first; n < end; ++n)
                batch +=
                    (batch.empty() ? "" : ",") +
                    (R"({"type":"track","event":"Product Viewed","userId":")" +
                     user_of(static_cast<std::uint32_t>(n)) + R"(","messageId":"bench-known-)" +
                     std::to_string(n) + R"(","properties":{"product_id":"p"}})");
            client.post("/v1/batch", R"({"batch":[)" + batch + "]}");
        }
    }
    std::uint32_t customer(std::uint64_t n) const {
        return static_cast<std::uint32_t>(n * 7919 % options_.customers);
    }

    template <class Ask> std::vector<double> round(Ask ask) {
        const auto first = Steady::now() + std::chrono::milliseconds{50};
        std::optional<std::string> failure;
        std::mutex mutex;
        const auto guarded = [&](auto work) {
            try {
                work();
            } catch (const std::exception& error) {
                const std::scoped_lock lock{mutex};
                failure = error.what();
            }
        };
        std::thread traffic{[&] { guarded([&] { send_events(first); }); }};
        std::vector<std::thread> clients;
        std::vector<double> millis;
        const auto numbers = numbers_;
        const auto count = static_cast<std::uint64_t>(
            std::max(1.0, options_.requests_a_second * options_.seconds));
        numbers_ += count;
        for (std::size_t c = 0; c < options_.connections; ++c)
            clients.emplace_back([&, c] {
                guarded([&] {
                    Client client{service_.port()};
                    std::vector<double> own;
                    for (auto n = c; n < count; n += options_.connections) {
                        const auto due =
                            first + std::chrono::duration_cast<Steady::duration>(
                                        std::chrono::duration<double>(static_cast<double>(n) /
                                                                      options_.requests_a_second));
                        std::this_thread::sleep_until(due);
                        ask(client, numbers + n);
                        own.push_back(
                            std::chrono::duration<double, std::milli>(Steady::now() - due).count());
                    }
                    const std::scoped_lock lock{mutex};
                    millis.insert(millis.end(), own.begin(), own.end());
                });
            });
        for (auto& client : clients) client.join();
        traffic.join();
        if (failure) throw std::runtime_error{*failure};
        check(service_.wait_until_flushed(patience), "not all events were flushed");
        return millis;
    }

    void send_events(Steady::time_point first) {
        runtime::StreamProducer::Options producing;
        producing.url = {"127.0.0.1", std::to_string(service_.port()), "/v1/stream"};
        producing.write_key = "demo";
        producing.frames_in_flight = 100'000; // What is late is late: the load does not wait.
        const auto interval =
            std::chrono::duration<double>{frame_messages / options_.events_a_second};
        const auto frames =
            std::clamp<std::size_t>(static_cast<std::size_t>(options_.seconds / interval.count()),
                                    1, options_.messages_max / frame_messages);
        std::size_t made = 0;
        runtime::StreamProducer::Callbacks callbacks;
        callbacks.next = [&]() -> std::optional<runtime::StreamProducer::Frame> {
            if (made == frames) return std::nullopt;
            const auto due = first + std::chrono::duration_cast<Steady::duration>(
                                         interval * static_cast<double>(made++));
            return runtime::StreamProducer::Frame{load_.frame(frame_messages, now()),
                                                  frame_messages, due};
        };
        const auto begin = seconds_now();
        const auto totals = runtime::StreamProducer::run(producing, callbacks);
        check(totals.has_value(), "the producer failed");
        check(totals->rejected == 0, "the service rejected messages");
        offered.push_back(static_cast<double>(totals->accepted) / (seconds_now() - begin));
    }

    const DecideOptions& options_;
    LiveService service_;
    Load load_;
    std::uint64_t numbers_ = 0;
};

} // namespace

Figure bench_decide(const DecideOptions& options) {
    Bench bench{options};
    auto figure = compare(
        options.is_durable ? "POST /v1/decide beside events; raw: POST /v1/track"
                           : "the same, \"durable\": false; raw: GET /v1/customers/ID",
        "ms, p99", options.rounds, [&] { return bench.decide(); }, [&] { return bench.raw(); });
    figure.goal = "<= 5 ms";
    figure.reached = figure.ours.median <= goal_ms;
    figure.details = {{"ours: p50, ms", spread_of(bench.half).median},
                      {"raw: p50, ms", spread_of(bench.raw_half).median},
                      {"events/s", spread_of(bench.offered).median},
                      {"decisions", bench.answers}};
    return figure;
}

} // namespace bench
