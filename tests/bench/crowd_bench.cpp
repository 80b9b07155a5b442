#include "tests/bench/crowd_bench.hpp"

#include "tests/bench/crowd.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <stdexcept>
#include <thread>

namespace bench {
namespace {

constexpr double memory_goal = 1.1, scale_goal = 3.5, sleeper_bytes_max = 64;
/// Of those who are to sleep: so many, or a twentieth.
constexpr std::uint32_t awake_at_once_min = 20'000;

class BareActor : public caf::event_based_actor {
public:
    BareActor(caf::actor_config& config, std::atomic<std::uint32_t>& taken, std::size_t size)
        : event_based_actor(config), taken_(taken), bytes_(size) {}

protected:
    caf::behavior make_behavior() override {
        return {[this](int letter) {
            state_.assign(bytes_, static_cast<char>(letter));
            ++taken_;
        }};
    }

private:
    std::atomic<std::uint32_t>& taken_;
    std::size_t bytes_;
    std::string state_;
};

/// Bytes a customer, bytes of a snapshot, share of customers with a timer.
std::vector<double> weigh_customers(const CrowdOptions& options) {
    Crowd crowd{options.config, options.customers};
    const auto before = resident_bytes();
    crowd.gather();
    const auto after = resident_bytes();
    const auto with_timer = static_cast<double>(crowd.with_timer());
    return {(after - before) / options.customers, crowd.block_bytes(),
            with_timer / options.customers};
}

std::vector<double> weigh_bare_actors(std::uint32_t count, std::size_t state_bytes) {
    caf::actor_system_config config;
    config.set("scheduler.max-threads", std::size_t{1});
    caf::actor_system system{config};
    std::atomic<std::uint32_t> done = 0;
    std::vector<caf::actor> actors;
    actors.reserve(count);
    const auto before = resident_bytes();
    for (std::uint32_t i = 0; i < count; ++i) {
        actors.push_back(
            system.spawn<BareActor, caf::lazy_init>(std::ref(done).get(), state_bytes));
        caf::anon_send(actors.back(), static_cast<int>('a' + i % 26));
    }
    while (done < count) std::this_thread::sleep_for(std::chrono::milliseconds{1});
    const auto bytes = (resident_bytes() - before) / count;
    actors.clear();
    return {bytes};
}

/// Bytes a sleeper, share of them who wait. A few at a time are awake, as in a shop. Whose waits
/// end within `timer_window` are held in memory, the others by the store alone.
std::vector<double> weigh_sleepers(const CrowdOptions& options, journeys::Duration timer_window) {
    Crowd crowd{options.config,
                options.customers,
                {.idle_after = std::chrono::seconds{1}, .timer_window = timer_window}};
    const auto before = resident_bytes();
    const auto awake_at_once = std::max(awake_at_once_min, options.customers / 20);
    for (std::uint32_t first = 0; first < options.customers; first += awake_at_once) {
        crowd.gather(first, std::min(options.customers, first + awake_at_once));
        crowd.wait_until_asleep();
    }
    const auto after = resident_bytes();
    constexpr auto ahead = std::chrono::hours{47};
    const auto waiting = crowd.with_timer(wall_now() + ahead);
    const bool are_held = timer_window > ahead;
    if (are_held && crowd.pass(ahead, waiting) < waiting)
        throw std::runtime_error{"sleepers: not everybody was woken"};
    if (!are_held && crowd.with_timer(wall_now() + timer_window) > 0)
        throw std::runtime_error{"sleepers: somebody's wait is over soon"};
    return {(after - before) / options.customers, static_cast<double>(waiting) / options.customers};
}

std::vector<double> weigh_bare_waits(std::uint32_t count) {
    const auto before = resident_bytes();
    std::multimap<journeys::Timestamp, journeys::CustomerId> waits;
    for (std::uint32_t i = 0; i < count; ++i)
        waits.emplace(journeys::from_millis(i), journeys::CustomerId{.value = user_of(i)});
    return {(resident_bytes() - before) / count};
}

double cpu_micros_of(Crowd& crowd, std::uint64_t events) {
    const auto own = thread_cpu();
    const auto all = process_cpu();
    crowd.visit(events);
    return (process_cpu() - all - (thread_cpu() - own)) / static_cast<double>(events) * 1e6;
}

double first_of(const std::vector<double>& values) {
    if (values.empty()) throw std::runtime_error{"a crowd's process failed"};
    return values.front();
}

} // namespace

Figure bench_memory(const CrowdOptions& options) {
    double block = 0, with_timer = 0;
    const auto ours = [&] {
        const auto values = in_own_process([&] { return weigh_customers(options); });
        if (values.size() != 3) throw std::runtime_error{"memory: the measured process failed"};
        block = values[1];
        with_timer = values[2];
        return values[0];
    };
    const auto raw = [&] {
        const auto values = in_own_process(
            [&] { return weigh_bare_actors(options.customers, static_cast<std::size_t>(block)); });
        if (values.empty()) throw std::runtime_error{"memory: the bare process failed"};
        return values[0];
    };
    auto figure = compare("memory", "bytes", options.rounds, ours, raw);
    figure.goal = "<= 1.1";
    figure.reached = figure.ratio.median <= memory_goal;
    figure.details = {{"customers", static_cast<double>(options.customers)},
                      {"bytes of a snapshot, mean", block},
                      {"with a timer, per customer", with_timer}};
    return figure;
}

Figure bench_sleepers(const CrowdOptions& options) {
    double waiting = 0;
    std::vector<double> held;
    auto figure = compare(
        "a sleeper's wait", "bytes", options.rounds,
        [&] {
            held.push_back(first_of(
                in_own_process([&] { return weigh_sleepers(options, std::chrono::hours{48}); })));
            const auto values = in_own_process(
                [&] { return weigh_sleepers(options, CrowdSettings{}.timer_window); });
            if (values.size() != 2)
                throw std::runtime_error{"sleepers: the measured process failed"};
            waiting = values[1];
            return values[0];
        },
        [&] {
            const auto values = in_own_process([&] { return weigh_bare_waits(options.customers); });
            if (values.empty()) throw std::runtime_error{"sleepers: the bare process failed"};
            return values[0];
        });
    figure.goal = "<= 64 bytes";
    figure.reached = figure.ours.median <= sleeper_bytes_max;
    figure.details = {{"customers", static_cast<double>(options.customers)},
                      {"with a timer, per customer", waiting},
                      {"bytes where all waits end soon", spread_of(held).median}};
    return figure;
}

Figure bench_scale(const CrowdOptions& options) {
    const auto values = in_own_process([&] {
        const auto tenth_of_many = std::max(options.few, options.customers / 10);
        Crowd many{options.config, options.customers}, few{options.config, options.few},
            tenth{options.config, tenth_of_many};
        many.gather();
        few.gather();
        tenth.gather();
        std::vector<double> micros, among_tenth;
        for (int round = 0; round < options.rounds; ++round) {
            micros.push_back(cpu_micros_of(many, options.events));
            micros.push_back(cpu_micros_of(few, options.events));
            among_tenth.push_back(cpu_micros_of(tenth, options.events));
        }
        micros.push_back(spread_of(among_tenth).median);
        return micros;
    });
    if (values.size() != 1 + 2 * static_cast<std::size_t>(options.rounds))
        throw std::runtime_error{"scale: the measured process failed"};
    std::size_t next = 0;
    const auto value = [&] { return values[next++]; };
    auto figure = compare("scale", "CPU us/event", options.rounds, value, value);
    figure.goal = "<= 3.5";
    figure.reached = figure.ratio.median <= scale_goal;
    figure.details = {{"customers", static_cast<double>(options.customers)},
                      {"customers of the other side", static_cast<double>(options.few)},
                      {"CPU us/event among a tenth of the customers", values.back()}};
    return figure;
}

double micros_among_active(const CrowdOptions& options) {
    return first_of(in_own_process([&] {
        Crowd crowd{options.config, options.customers};
        crowd.gather();
        return std::vector<double>{cpu_micros_of(crowd, options.events)};
    }));
}

double bytes_of_active(const CrowdOptions& options) {
    return first_of(in_own_process([&] { return weigh_customers(options); })) * options.customers;
}

double bytes_of_sleepers(const CrowdOptions& options) {
    return first_of(in_own_process(
               [&] { return weigh_sleepers(options, CrowdSettings{}.timer_window); })) *
           options.customers;
}

} // namespace bench
