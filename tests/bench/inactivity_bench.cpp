#include "tests/bench/inactivity_bench.hpp"

#include "schema/timestamp_text.hpp"
#include "tests/bench/client.hpp"
#include "tests/bench/loaded_pipeline.hpp"
#include "tests/bench/loaded_service.hpp"
#include "tests/bench/receiver.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr double batches_goal = 19, singles_goal = 33, disk_goal = 1'100, patience = 300;
constexpr std::uint32_t events_each = 6;
constexpr std::uint32_t group = 1'000; ///< Customers who are in the shop at the same time.
constexpr std::size_t frame_messages = 100, http_connections = 32;
constexpr const char* event = "Bench Visit: { properties: { n: number } }";
/// All that was written to disk: the log of PostgreSQL and the pages of its tables.
constexpr const char* written =
    "CHECKPOINT; SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') + 8192 * "
    "(buffers_checkpoint + buffers_clean + buffers_backend) FROM pg_stat_bgwriter";

void check(bool is_right, const std::string& what) {
    if (!is_right) throw std::runtime_error{"inactivity: " + what};
}

std::string journey_of(std::chrono::seconds wait) {
    return "id: bench-inactivity\nstatus: live\nenter: { on: Bench Visit, reentry: always }\n"
           "steps:\n  - name: quiet\n    wait: { for: " +
           std::to_string(wait.count()) +
           "s, restart_on: Bench Visit }\n"
           "  - name: trigger\n    call:\n      channel: bench\n      data:\n"
           "        n: run.event.properties.n\n";
}

/// The visits of customers, group after group: every one of a group comes before anybody of them
/// comes again.
class Visits {
public:
    Visits(std::uint64_t first, std::uint32_t customers) : first_(first), customers_(customers) {}

    std::uint64_t count() const { return std::uint64_t{customers_} * events_each; }
    std::uint64_t triggers() const { return customers_; }
    std::string message(std::uint64_t visit) const {
        const auto begin = visit / (group * events_each) * group;
        const auto in_group = std::min<std::uint64_t>(group, customers_ - begin);
        const auto n = first_ + begin + visit % (group * events_each) % in_group;
        const auto product = std::to_string(n * 7919 % 10'000);
        return R"({"type":"track","event":"Bench Visit","userId":"v)" + std::to_string(n) +
               R"(","messageId":"bench-visit-)" + std::to_string(first_ * events_each + visit) +
               R"(","timestamp":")" + schema::timestamp_text(wall_now()) +
               R"(","properties":{"n":)" + std::to_string(n) + R"(,"product_id":"p_)" + product +
               R"(","sku":"SKU-)" + product +
               R"(","category":"Footwear/Running","name":"Trail Running Shoe","price":)" + product +
               R"(.5,"currency":"EUR","url":"https://shop.example.com/p/sku-)" + product +
               R"("},"context":{"locale":"de-DE","timezone":"Europe/Berlin","userAgent":)" +
               R"("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",)" +
               R"("library":{"name":"analytics.js","version":"npm:next-1.84.3"}}})";
    }

private:
    const std::uint64_t first_; ///< The number of the first customer.
    const std::uint32_t customers_;
};

/// As frames over one connection, or over many.
Produced send_visits(std::uint16_t port, const Visits& visits, std::size_t messages,
                     std::size_t connections) {
    std::uint64_t next = 0;
    const auto frame = [&](std::size_t count) {
        std::string text{"["};
        for (std::size_t i = 0; i < count; ++i) {
            if (i > 0) text += ',';
            text += visits.message(next++);
        }
        return text + ']';
    };
    return produce(port,
                   {.connections = connections,
                    .frame_messages = messages,
                    .seconds = 1e9,
                    .frames_max = visits.count() / messages},
                   frame);
}

/// One request each, from connections that are kept; the CPU is that of all their threads.
Produced post_visits(std::uint16_t port, const Visits& visits) {
    std::atomic<std::uint64_t> next = 0, accepted = 0;
    std::mutex mutex;
    std::exception_ptr failure;
    Produced produced;
    const auto begin = seconds_now();
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < http_connections; ++i)
        threads.emplace_back([&] {
            const auto cpu = thread_cpu();
            try {
                Client client{port};
                for (auto visit = next++; visit < visits.count(); visit = next++) {
                    client.post("/v1/track", visits.message(visit));
                    ++accepted;
                }
            } catch (...) {
                const std::scoped_lock lock{mutex};
                failure = std::current_exception();
            }
            const std::scoped_lock lock{mutex};
            produced.cpu += thread_cpu() - cpu;
        });
    for (auto& thread : threads) thread.join();
    if (failure) std::rethrow_exception(failure);
    produced.took = seconds_now() - begin;
    produced.sent = visits.count();
    produced.accepted = accepted;
    return produced;
}

struct Side {
    std::vector<double> ours, raw, postgres, disk, rates;

    Figure figure(std::string name, double goal, double disk_most) const {
        auto figure = figure_of(std::move(name), "CPU us/event", ours, raw);
        figure.goal = "<= " + std::to_string(static_cast<int>(goal)) + " us";
        figure.reached =
            figure.ours.median <= goal && (disk_most == 0 || spread_of(disk).median <= disk_most);
        if (disk_most != 0)
            figure.goal += ", " + std::to_string(static_cast<int>(disk_most)) + " bytes on disk";
        figure.details = {{"ours: of these, PostgreSQL", spread_of(postgres).median},
                          {"ours: bytes written to disk, per event", spread_of(disk).median},
                          {"ours: acked events/s", spread_of(rates).median}};
        return figure;
    }
};

using SendVisits = std::function<Produced(std::uint16_t port, const Visits& visits)>;

class Bench {
public:
    explicit Bench(const InactivityOptions& options)
        : service_(options.config, options.folder / "service",
                   [&](std::string& text) {
                       add_bench_channel(text, receiver_.port());
                       add_journey(options.folder / "service/config", "bench-inactivity",
                                   journey_of(options.wait), event, true);
                   }),
          pipeline_(options.folder / "bare") {}

    void round(std::uint32_t customers, Side& side, const SendVisits& send,
               const SendVisits& send_raw) {
        const auto disk = service_.service().sql(written);
        const auto visits = next(customers);
        const auto run = service_.run(
            [&](std::uint16_t port) { return until_all_are_called(port, visits, send); });
        side.ours.push_back(run.cpu_micros());
        side.postgres.push_back(run.postgres_micros());
        side.rates.push_back(run.events() / run.sent.took);
        side.disk.push_back((service_.service().sql(written) - disk) / run.events());
        const auto others = next(customers);
        side.raw.push_back(
            pipeline_.run([&](std::uint16_t port) { return send_raw(port, others); }).cpu_micros());
    }

private:
    Visits next(std::uint32_t customers) {
        const Visits visits{first_, customers};
        first_ += customers;
        return visits;
    }

    /// What the provider has spent counts as the producer's.
    Produced until_all_are_called(std::uint16_t port, const Visits& visits,
                                  const SendVisits& send) {
        receiver_.forget();
        const auto cpu = receiver_.cpu();
        auto sent = send(port, visits);
        const auto until = seconds_now() + patience;
        while (receiver_.count() < visits.triggers() && seconds_now() < until)
            std::this_thread::sleep_for(std::chrono::milliseconds{100});
        sent.cpu += receiver_.cpu() - cpu;
        const auto calls = receiver_.calls();
        check(calls.size() == visits.triggers(), "triggers are missing, or too many");
        for (const auto& [n, call] : calls) check(call.times == 1, "a trigger came twice");
        return sent;
    }

    Receiver receiver_;
    LoadedService service_;
    LoadedPipeline pipeline_;
    std::uint64_t first_ = 0;
};

} // namespace

std::vector<Figure> bench_inactivity(const InactivityOptions& options) {
    std::filesystem::create_directories(options.folder / "service");
    Bench bench{options};
    Side batches, singles;
    const auto in_frames = [](std::size_t messages, std::size_t connections) {
        return [=](std::uint16_t port, const Visits& visits) {
            return send_visits(port, visits, messages, connections);
        };
    };
    // Whole frames: six visits each of fifty customers are three.
    const auto whole = [](std::uint32_t customers) { return std::max(customers / 50, 1u) * 50; };
    for (int round = 0; round < options.rounds; ++round) {
        bench.round(whole(options.customers), batches, in_frames(frame_messages, 1),
                    in_frames(frame_messages, 1));
        bench.round(whole(options.customers / 4), singles, post_visits,
                    in_frames(1, http_connections));
    }
    return {batches.figure("an event and its wait", batches_goal, disk_goal),
            singles.figure("the same singly over HTTP", singles_goal, 0)};
}

} // namespace bench
