#include "tests/bench/hot_customer_bench.hpp"

#include "tests/bench/loaded_service.hpp"

#include <algorithm>

namespace bench {
namespace {

constexpr double goal = 0.7;
constexpr std::uint32_t hot_customer = 0;
constexpr std::size_t frame_messages = 100;

/// Every other message is the hot customer's.
MakeFrame half_hot(Load& load) {
    return [&load](std::size_t messages) {
        std::string text{"["};
        for (std::size_t i = 0; i < messages; ++i) {
            if (i > 0) text += ',';
            if (i % 2 == 0)
                load.append(text, wall_now(), hot_customer);
            else
                load.append(text, wall_now());
        }
        return text + ']';
    };
}

} // namespace

Figure bench_hot_customer(const HotCustomerOptions& options) {
    LoadedService service{options.config, options.folder / "service"};
    Load load{options.customers, 1};
    const Producing producing{.frame_messages = frame_messages,
                              .seconds = options.seconds,
                              .frames_max = options.messages_max / frame_messages};
    service.bring_in(load, options.customers, options.messages_max);
    std::vector<double> hot_micros, alike_micros;
    auto figure = compare(
        "half of it one customer's", "events/s", options.rounds,
        [&] {
            const auto run = service.run(producing, half_hot(load));
            hot_micros.push_back(run.cpu_micros());
            return run.sustained_rate();
        },
        [&] {
            const auto run = service.run(producing, frames_of(load));
            alike_micros.push_back(run.cpu_micros());
            return run.sustained_rate();
        });
    figure.goal = ">= 0.7";
    figure.reached = figure.ratio.median >= goal;
    figure.details = {{"customers", static_cast<double>(options.customers)},
                      {"hot: CPU us/event, PostgreSQL included", spread_of(hot_micros).median},
                      {"alike: CPU us/event, PostgreSQL included", spread_of(alike_micros).median}};
    return figure;
}

} // namespace bench
