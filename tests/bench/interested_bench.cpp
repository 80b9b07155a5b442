#include "tests/bench/interested_bench.hpp"

#include "runtime/producer/stream_producer.hpp"
#include "tests/bench/walk_shop.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

using runtime::StreamProducer;
using Steady = std::chrono::steady_clock;

constexpr double seconds_goal = 10, ratio_goal = 1.5;
constexpr int first_price = 100'000;
constexpr std::size_t acks_min = 10;

constexpr const char* journey = R"(id: bench-interested
status: live
enter:
  on: Product Price Dropped
  interested: { did: [Product Added to Wishlist], within: 30d }
  key: event.properties.product_id
  reentry: always
steps:
  - name: wait
    wait: { for: 1s }
)";
constexpr const char* same_journey = R"(id: bench-same
status: live
enter: { on: Bench Message, key: event.properties.product_id, reentry: always }
steps:
  - name: wait
    wait: { for: 1s }
)";

void check(bool is_right, const std::string& what) {
    if (!is_right) throw std::runtime_error{"interested: " + what};
}

double seconds_of(Steady::time_point at) {
    return std::chrono::duration<double>(at.time_since_epoch()).count();
}

/// When a frame was to be sent, and how long its ack took from then on.
struct Ack {
    double due, micros;
};

double late_of(const std::vector<Ack>& acks, double from, double to) {
    std::vector<double> micros;
    for (const auto& ack : acks)
        if (ack.due >= from && ack.due < to) micros.push_back(ack.micros);
    check(micros.size() >= acks_min, "too few frames were acked");
    std::ranges::sort(micros);
    return micros[micros.size() * 99 / 100];
}

/// A producer with frames of one message at a steady rate.
class Neighbour {
public:
    Neighbour(std::uint16_t port, double frames_a_second,
              std::function<std::string(std::uint64_t frame)> message_of)
        : interval_(std::chrono::duration_cast<Steady::duration>(
              std::chrono::duration<double>(1 / frames_a_second))),
          message_of_(std::move(message_of)), thread_([this, port] { run(port); }) {}
    ~Neighbour() {
        is_ending_ = true;
        if (thread_.joinable()) thread_.join();
    }
    /// Everything it has sent is acked then.
    std::vector<Ack> end() {
        is_ending_ = true;
        thread_.join();
        check(failure_.empty(), failure_);
        return std::move(acks_);
    }

private:
    void run(std::uint16_t port) {
        std::deque<Steady::time_point> under_way;
        auto due = Steady::now();
        std::uint64_t frames = 0, acked = 0;
        StreamProducer::Options producing;
        producing.url = {"127.0.0.1", std::to_string(port), "/v1/stream"};
        producing.write_key = "demo";
        producing.frames_in_flight = 100'000; // What is late is late: the load does not wait.
        const auto totals = StreamProducer::run(
            producing,
            {.next = [&]() -> std::optional<StreamProducer::Frame> {
                 if (is_ending_) return std::nullopt;
                 under_way.push_back(due += interval_);
                 return StreamProducer::Frame{message_of_(frames++), 1, due};
             },
             .progress =
                 [&](const StreamProducer::Totals& all) {
                     const auto now = Steady::now();
                     for (; acked < all.frames; ++acked) {
                         const auto sent = under_way.front();
                         under_way.pop_front();
                         acks_.push_back(
                             {seconds_of(sent),
                              std::chrono::duration<double, std::micro>(now - sent).count()});
                     }
                 }});
        if (!totals)
            failure_ = totals.error().detail;
        else if (totals->accepted != frames || totals->resent != 0)
            failure_ = "a producer's messages were refused or sent again";
    }

    const Steady::duration interval_;
    const std::function<std::string(std::uint64_t)> message_of_;
    std::atomic<bool> is_ending_{false};
    std::vector<Ack> acks_;
    std::string failure_;
    std::thread thread_;
};

class Bench {
public:
    explicit Bench(const InterestedOptions& options)
        : options_(options), others_(std::max(100u, options.customers / 10)),
          shop_(options.config, options.folder / "service",
                {{"bench-interested", journey}, {"bench-same", same_journey}}) {
        shop_.meet(options.customers, [](std::uint32_t customer) {
            return track_message(customer, "Product Added to Wishlist",
                                 "bench-wish-" + std::to_string(customer),
                                 R"({"product_id":"bench"})");
        });
        shop_.meet(others_, [](std::uint32_t customer) {
            return track_message(customer, "Product Shared",
                                 "bench-known-" + std::to_string(customer), "{}");
        });
        set_price();
        alone(1); // Warms up.
    }

    /// The p99 of the others alone.
    double alone(double seconds) {
        const auto begin = seconds_now();
        begin_neighbours();
        std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
        const auto acks = end_neighbours();
        check(shop_.service().wait_until_flushed(WalkShop::patience),
              "not all events were flushed");
        return late_of(acks, begin, begin + seconds);
    }

    struct Told {
        double took = 0, late = 0;
    };
    /// Everybody who is interested gets a copy, beside the others.
    Told tell() {
        const auto applied = shop_.metric("sojourn_applied_total");
        const auto accepted = shop_.metric(accepted_name);
        begin_neighbours();
        std::this_thread::sleep_for(std::chrono::milliseconds{300});
        const auto begin = seconds_now();
        set_price();
        // What others send is subtracted as far as it is accepted, which it is before it is
        // applied; and that is read later. So the copies are never counted too early.
        while (true) {
            const auto all = shop_.metric("sojourn_applied_total") - applied;
            if (all - (shop_.metric(accepted_name) - accepted) >= options_.customers) break;
            check(seconds_now() < begin + WalkShop::patience, "copies are missing");
            std::this_thread::sleep_for(std::chrono::milliseconds{50}); // It takes processors, too.
        }
        const auto end = seconds_now();
        // A small one is over before enough was acked.
        while (seconds_now() < begin + std::min(1.0, options_.seconds))
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        const auto measured_to = std::max(end, begin + std::min(1.0, options_.seconds));
        const auto acks = end_neighbours();
        shop_.check_entered("bench-interested", options_.customers, ++told_);
        shop_.check_walks(options_.customers, told_);
        check(shop_.metric("sojourn_applied_total") - applied ==
                  options_.customers + shop_.metric(accepted_name) - accepted,
              "not as much was applied as was copied and sent");
        return {end - begin, late_of(acks, begin, measured_to)};
    }

    /// The same by a producer's events, alone.
    double send_the_same() {
        const auto applied = shop_.metric("sojourn_applied_total");
        const auto begin = seconds_now();
        shop_.send(options_.customers, [&](std::uint32_t customer) {
            return track_message(customer, "Bench Message",
                                 "bench-same-" + std::to_string(sent_) + '-' +
                                     std::to_string(customer),
                                 R"({"product_id":"bench"})");
        });
        check(shop_.service().wait_until_applied(applied + options_.customers, WalkShop::patience),
              "events were not applied");
        const auto took = seconds_now() - begin;
        shop_.check_entered("bench-same", options_.customers, ++sent_);
        return took;
    }

    double acked = 0;

private:
    static constexpr const char* accepted_name = "sojourn_ingested_total{result=\"accepted\"}";

    void set_price() {
        shop_.post("/v1/products", R"({"product_id":"bench","name":"Lamp","price":)" +
                                       std::to_string(price_--) + "}");
    }
    void begin_neighbours() {
        ++times_;
        for (std::uint32_t n = 0; n < options_.producers; ++n)
            neighbours_.push_back(std::make_unique<Neighbour>(
                shop_.service().port(), options_.frames_a_second,
                [this, n, times = times_](std::uint64_t frame) {
                    const auto customer =
                        options_.customers +
                        static_cast<std::uint32_t>((frame * options_.producers + n) % others_);
                    return track_message(customer, "Product Shared",
                                         "bench-other-" + std::to_string(times) + '-' +
                                             std::to_string(n) + '-' + std::to_string(frame),
                                         "{}");
                }));
    }
    std::vector<Ack> end_neighbours() {
        std::vector<Ack> all;
        for (auto& neighbour : neighbours_) {
            const auto acks = neighbour->end();
            all.insert(all.end(), acks.begin(), acks.end());
        }
        neighbours_.clear();
        acked += static_cast<double>(all.size());
        return all;
    }

    const InterestedOptions& options_;
    const std::uint32_t others_;
    WalkShop shop_;
    std::vector<std::unique_ptr<Neighbour>> neighbours_;
    int price_ = first_price, times_ = 0, told_ = 0, sent_ = 0;
};

} // namespace

std::vector<Figure> bench_interested(const InterestedOptions& options) {
    Bench bench{options};
    std::vector<double> late_alone, late_beside, told, sent;
    for (int round = 0; round < options.rounds; ++round) { // All sides take turns.
        late_alone.push_back(bench.alone(options.seconds));
        const auto copied = bench.tell();
        told.push_back(copied.took);
        late_beside.push_back(copied.late);
        sent.push_back(bench.send_the_same());
    }
    auto time = figure_of("product's event to the last who is interested", "s", told, sent);
    time.goal = "< 10 s";
    time.reached = time.ours.median < seconds_goal;
    time.details = {{"interested, each told once a round", options.customers},
                    {"copies/s", options.customers / time.ours.median},
                    {"raw: a producer's events/s", options.customers / time.raw.median}};
    auto acks = figure_of("ack of a single frame beside that; raw: alone", "µs, p99", late_beside,
                          late_alone);
    acks.goal = "at most 1.5 of alone";
    acks.reached = acks.ratio.median <= ratio_goal;
    acks.details = {{"single frames/s", options.producers * options.frames_a_second},
                    {"frames acked in all", bench.acked}};
    return {std::move(time), std::move(acks)};
}

} // namespace bench
