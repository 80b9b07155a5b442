#include "tests/bench/memory_ingest_bench.hpp"

#include "runtime/listener/listener.hpp"
#include "tests/bench/bare_door.hpp"
#include "tests/bench/crowd.hpp"
#include "tests/bench/loaded_service.hpp"

#include <caf/all.hpp>

#include <atomic>
#include <chrono>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace bench {

/// What goes to the bare actor: the frame's messages, as whoever keeps an event has to copy them.
struct BareFrame {
    std::string bytes;
    std::size_t messages = 0;
};

} // namespace bench

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(bench::BareFrame)

namespace bench {
namespace {

void check(bool is_right, const std::string& what) {
    if (!is_right) throw std::runtime_error{"memory-ingest: " + what};
}

/// What one load has cost and given.
struct Cost {
    double micros = 0, rate = 0;
};

class Ours {
public:
    explicit Ours(const MemoryIngestOptions& options) : crowd_(options.config, options.customers) {
        crowd_.gather();
        runtime::ListenerConfig config;
        config.port = 0;
        config.keys =
            runtime::KeyRing{{runtime::make_key("bench", "demo", {runtime::Scope::ingest})}};
        auto opened = runtime::Listener::open(
            std::move(config),
            {.log = crowd_.log(), .credit = crowd_.credit(), .now = wall_now, .handlers = {}});
        check(opened.has_value(), opened ? "" : opened.error().detail);
        listener_ = std::move(*opened);
    }

    Cost run(const Producing& producing, Load& load) {
        const auto given = crowd_.given();
        const auto cpu = process_cpu();
        const auto begin = seconds_now();
        const auto sent = produce(listener_->port(), producing, frames_of(load));
        const auto took = seconds_now() - begin;
        crowd_.wait_until_done();
        const auto spent = process_cpu() - cpu - sent.cpu;
        check(sent.rejected == 0 && sent.accepted > 0 && sent.accepted == sent.sent &&
                  crowd_.given() - given >= sent.accepted, // Links are records of their own.
              "of " + std::to_string(sent.sent) + " messages " + std::to_string(sent.accepted) +
                  " were accepted, and " + std::to_string(crowd_.given() - given) + " given on");
        const auto events = static_cast<double>(sent.accepted);
        return {spent / events * 1e6, events / took};
    }

private:
    Crowd crowd_;
    std::unique_ptr<runtime::Listener> listener_;
};

class BareActor : public caf::event_based_actor {
public:
    BareActor(caf::actor_config& config, std::atomic<std::uint64_t>& taken)
        : event_based_actor(config), taken_(taken) {}

protected:
    caf::behavior make_behavior() override {
        return {[this](const BareFrame& frame) { taken_ += frame.messages; }};
    }

private:
    std::atomic<std::uint64_t>& taken_;
};

class Bare {
public:
    Bare()
        : system_(configure(config_)), actor_(system_.spawn<BareActor>(std::ref(taken_).get())) {}
    ~Bare() { caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown); }

    Cost run(const Producing& producing, Load& load) {
        const auto taken = taken_.load();
        const auto cpu = process_cpu();
        const auto sent = produce(door_.port(), producing, frames_of(load));
        const auto until = seconds_now() + 60;
        while (taken_ - taken < sent.accepted && seconds_now() < until)
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        const auto spent = process_cpu() - cpu - sent.cpu;
        check(sent.rejected == 0 && sent.accepted > 0 && taken_ - taken == sent.accepted,
              "the bare server lost messages");
        const auto events = static_cast<double>(sent.accepted);
        return {spent / events * 1e6, events / sent.took};
    }

private:
    static caf::actor_system_config& configure(caf::actor_system_config& config) {
        config.set("scheduler.max-threads", std::size_t{1});
        return config;
    }
    void take(std::uint64_t connection, std::span<const BareMessage> messages) {
        BareFrame frame;
        frame.messages = messages.size();
        for (const auto& message : messages) frame.bytes.append(message.raw);
        caf::anon_send(actor_, std::move(frame));
        door_.ack_at_once({.connection = connection, .frames = 1, .messages = messages.size()});
    }

    std::atomic<std::uint64_t> taken_{0};
    caf::actor_system_config config_;
    caf::actor_system system_;
    caf::actor actor_;
    BareDoor door_{[this](std::uint64_t connection, std::span<const BareMessage> messages) {
        take(connection, messages);
    }};
};

} // namespace

Figure bench_memory_ingest(const MemoryIngestOptions& options) {
    const Producing producing{.connections = options.connections,
                              .frame_messages = options.frame_messages,
                              .in_flight = options.in_flight,
                              .seconds = options.seconds};
    Ours ours{options};
    Bare bare;
    Load load{options.customers, 1}, bare_load{options.customers, 2};
    ours.run(producing, load);
    bare.run(producing, bare_load);
    std::vector<double> rates, bare_rates;
    auto figure = compare(
        options.frame_messages == 1 ? "ingest in memory, singles" : "ingest in memory",
        "CPU us/event", options.rounds,
        [&] {
            const auto cost = ours.run(producing, load);
            rates.push_back(cost.rate);
            return cost.micros;
        },
        [&] {
            const auto cost = bare.run(producing, bare_load);
            bare_rates.push_back(cost.rate);
            return cost.micros;
        });
    std::ostringstream goal;
    goal << "<= " << options.goal;
    figure.goal = goal.str();
    figure.reached = figure.ratio.median <= options.goal;
    figure.details = {{"customers, all active", static_cast<double>(options.customers)},
                      {"connections", static_cast<double>(options.connections)},
                      {"messages of a frame", static_cast<double>(options.frame_messages)},
                      {"ours: acked events/s", spread_of(rates).median},
                      {"raw: acked events/s", spread_of(bare_rates).median}};
    return figure;
}

} // namespace bench
