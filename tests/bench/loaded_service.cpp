#include "tests/bench/loaded_service.hpp"

#include "tests/bench/measure.hpp"

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr double patience = 300;

void check(bool is_right, const std::string& what) {
    if (!is_right) throw std::runtime_error{"the service under load: " + what};
}

} // namespace

double LoadRun::sustained_rate() const {
    const auto cores = std::max(1u, std::thread::hardware_concurrency());
    return std::min(events() / applied_after, cores * events() / (cpu + sent.cpu));
}

LoadedService::LoadedService(const std::filesystem::path& config,
                             const std::filesystem::path& folder,
                             const std::function<void(std::string&)>& change)
    : service_(config, folder, change) {}

LoadRun LoadedService::run(const Producing& producing, const MakeFrame& make) {
    return run([&](std::uint16_t port) { return produce(port, producing, make); });
}

void LoadedService::bring_in(Load& load, std::uint32_t customers, std::size_t messages_max) {
    constexpr std::size_t frame_messages = 100;
    const auto messages = std::min<std::size_t>(messages_max, std::size_t{2} * customers);
    run({.frame_messages = frame_messages,
         .seconds = 1e9,
         .frames_max = messages / frame_messages + 1},
        frames_of(load));
}

LoadRun LoadedService::run(const SendLoad& send) {
    LoadRun run;
    const auto applied = service_.metric("sojourn_applied_total");
    const auto postgres = tree_cpu(service_.server_pid());
    const auto cpu = process_cpu();
    const auto begin = seconds_now();
    run.sent = send(service_.port());
    check(run.sent.rejected == 0 && run.sent.accepted > 0, "messages were rejected");
    check(run.sent.accepted == run.sent.sent, "not all messages were acked");
    // Providers' answers are applied among them; the lag below tells them from events.
    check(service_.wait_until_applied(applied + run.events(), patience), "events were not applied");
    run.applied_after = seconds_now() - begin;
    check(service_.wait_until_flushed(patience), "not all events were flushed");
    run.postgres = tree_cpu(service_.server_pid()) - postgres;
    run.cpu = process_cpu() - cpu - run.sent.cpu + run.postgres;
    all_ += run.events();
    check(service_.metric("sojourn_ingested_total") == all_, "events got lost or doubled");
    for (const auto* result : {"duplicate", "parked"})
        check(service_.metric(std::string{"sojourn_applied_total{result=\""} + result + "\"}") == 0,
              std::string{"there are events "} + result);
    return run;
}

MakeFrame frames_of(Load& load) {
    return [&load](std::size_t messages) { return load.frame(messages, wall_now()); };
}

} // namespace bench
