#include "tests/bench/idle_bench.hpp"

#include "tests/bench/loaded_service.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

namespace bench {
namespace {

constexpr double goal = 0.5; ///< Percent of a core.
constexpr std::uint32_t frame_messages = 100;
/// What the load has left to do, PostgreSQL's vacuum in it, is not what idle customers cost.
constexpr auto until_calm = std::chrono::seconds{30};

double percent_of_a_core(const LiveService& service, double seconds) {
    const auto begin = seconds_now();
    const auto cpu = process_cpu() + tree_cpu(service.server_pid());
    std::this_thread::sleep_for(std::chrono::duration<double>{seconds});
    const auto spent = process_cpu() + tree_cpu(service.server_pid()) - cpu;
    return spent / (seconds_now() - begin) * 100;
}

} // namespace

Figure bench_idle(const IdleOptions& options) {
    LoadedService loaded{options.config, options.folder / "service"};
    const auto& service = loaded.service();
    std::vector<double> ours, raw;
    for (int round = 0; round < options.rounds; ++round)
        raw.push_back(percent_of_a_core(service, options.seconds));

    Load load{options.customers, 1};
    std::uint32_t next = 0;
    const auto customers = options.customers / frame_messages * frame_messages;
    loaded.run({.frame_messages = frame_messages,
                .seconds = 1e9,
                .frames_max = customers / frame_messages},
               [&](std::size_t messages) {
                   const auto first =
                       std::exchange(next, next + static_cast<std::uint32_t>(messages));
                   return load.frame_of_carts(messages, wall_now(), first);
               });
    const auto waiting = [&] {
        return service.sql("SELECT count(*) FROM snapshots WHERE wake_at IS NOT NULL");
    };
    const auto before = waiting();
    std::this_thread::sleep_for(until_calm);
    for (int round = 0; round < options.rounds; ++round)
        ours.push_back(percent_of_a_core(service, options.seconds));
    if (before < static_cast<double>(customers) || waiting() != before)
        throw std::runtime_error{"idle: of " + std::to_string(customers) + " customers " +
                                 std::to_string(before) + " wait, and then " +
                                 std::to_string(waiting())};

    auto figure = figure_of("idle customers with waits", "% of a core", ours, raw);
    figure.goal = "<= 0.5 %";
    figure.reached = figure.ours.median <= goal;
    figure.details = {{"customers", static_cast<double>(customers)},
                      {"active customers", service.metric("sojourn_active_customers")}};
    return figure;
}

} // namespace bench
