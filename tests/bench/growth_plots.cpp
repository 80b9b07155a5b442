#include "tests/bench/growth_plots.hpp"

#include "tests/bench/crowd_bench.hpp"
#include "tests/bench/loaded_service.hpp"
#include "tests/bench/measure.hpp"
#include "tests/bench/start_bench.hpp"
#include "tests/bench/svg_plot.hpp"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace bench {
namespace {

constexpr std::uint32_t frame_messages = 100;
constexpr std::size_t connections = 16;
constexpr std::uint32_t customers_of_load = 100'000, stored_max = 1'000'000;
constexpr double offered[] = {0.1, 0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 2, 3};

/// 1,000, 10,000, … and at last `most`.
std::vector<std::uint32_t> sizes_to(std::uint32_t most) {
    std::vector<std::uint32_t> sizes;
    for (std::uint32_t size = 1'000; size < most; size *= 10) sizes.push_back(size);
    sizes.push_back(most);
    return sizes;
}

std::filesystem::path write(const GrowthOptions& options, const char* name, const Plot& plot) {
    const auto file = options.plots / name;
    std::ofstream out{file};
    out << to_svg(plot);
    if (!out.flush()) throw std::runtime_error{"cannot write " + file.string()};
    return file;
}

/// Throughput and p99 of acks against the offered load.
std::vector<std::filesystem::path> plot_load(const GrowthOptions& options) {
    LoadedService service{options.config, options.folder / "load"};
    const auto customers = std::min(options.customers, customers_of_load);
    Load load{customers, 1};
    service.bring_in(load, customers, options.messages_max);
    Producing producing{.connections = connections,
                        .frame_messages = frame_messages,
                        .seconds = options.seconds,
                        .frames_max = options.messages_max / frame_messages};
    const auto full = service.run(producing, frames_of(load));
    const auto sustainable = full.sustained_rate();
    producing.drops_late = true;
    Series given{"acked", {}}, wanted{"offered", {}}, late{"p99", {}}, half{"p50", {}};
    for (const auto part : offered) {
        producing.rate = part * sustainable;
        producing.seconds =
            std::min(options.seconds, static_cast<double>(options.messages_max) / producing.rate);
        const auto run = service.run(producing, frames_of(load));
        given.points.emplace_back(producing.rate, static_cast<double>(run.sent.accepted_in_time) /
                                                      producing.seconds);
        wanted.points.emplace_back(producing.rate, producing.rate);
        half.points.emplace_back(producing.rate, share_of(run.sent.waits, 0.5) * 1000);
        late.points.emplace_back(producing.rate, share_of(run.sent.waits, 0.99) * 1000);
    }
    return {write(options, "throughput.svg",
                  {.title = "Durable throughput, frames of 100",
                   .x = {.label = "offered, events/s"},
                   .y = {.label = "acked in time, events/s"},
                   .series = {given, wanted}}),
            write(options, "ack.svg",
                  {.title = "From when a frame was to be sent to its ack",
                   .x = {.label = "offered, events/s"},
                   .y = {.label = "milliseconds", .is_logarithmic = true},
                   .series = {half, late}})};
}

std::vector<std::filesystem::path> plot_cost(const GrowthOptions& options) {
    Series cost{"cost", {}};
    for (const auto customers : sizes_to(options.customers))
        cost.points.emplace_back(customers, micros_among_active({.config = options.config,
                                                                 .customers = customers,
                                                                 .events = options.events}));
    return {write(options, "cost.svg",
                  {.title = "CPU of an event, without disk",
                   .x = {.label = "active customers", .is_logarithmic = true},
                   .y = {.label = "microseconds an event"},
                   .series = {cost}})};
}

std::vector<std::filesystem::path> plot_memory(const GrowthOptions& options) {
    Series active{"active", {}}, asleep{"asleep", {}};
    for (const auto customers : sizes_to(options.customers)) {
        const CrowdOptions crowd{.config = options.config, .customers = customers};
        active.points.emplace_back(customers, bytes_of_active(crowd) / 1e6);
        asleep.points.emplace_back(customers, bytes_of_sleepers(crowd) / 1e6);
    }
    return {write(options, "memory.svg",
                  {.title = "Resident memory of customers with a wait",
                   .x = {.label = "customers", .is_logarithmic = true},
                   .y = {.label = "megabytes", .is_logarithmic = true},
                   .series = {active, asleep}})};
}

std::vector<std::filesystem::path> plot_start(const GrowthOptions& options) {
    StoredCustomers stored{options.config, options.folder / "start"};
    Series took{"start", {}};
    const auto all = std::min(options.customers, stored_max) / frame_messages * frame_messages;
    for (const auto customers : sizes_to(all)) {
        stored.store(customers);
        took.points.emplace_back(customers, stored.restart());
    }
    return {write(options, "start.svg",
                  {.title = "First event acked after a start, PostgreSQL's own included",
                   .x = {.label = "stored customers with a wait", .is_logarithmic = true},
                   .y = {.label = "seconds"},
                   .series = {took}})};
}

} // namespace

const std::vector<std::string>& names_of_growth() {
    static const std::vector<std::string> names{"cost", "memory", "load", "start"};
    return names;
}

std::vector<std::filesystem::path> plot_growth(const GrowthOptions& options) {
    std::filesystem::create_directories(options.plots);
    std::vector<std::filesystem::path> files;
    const auto draw = [&](const char* name, auto plot) {
        if (!options.only.empty() && options.only != name) return;
        for (auto& file : plot(options)) files.push_back(std::move(file));
    };
    draw("cost", plot_cost); // These begin processes of their own, so they come first.
    draw("memory", plot_memory);
    draw("load", plot_load);
    draw("start", plot_start);
    return files;
}

} // namespace bench
