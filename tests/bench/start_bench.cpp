#include "tests/bench/start_bench.hpp"

#include "tests/bench/produce.hpp"

#include <stdexcept>
#include <utility>

namespace bench {
namespace {

constexpr std::uint32_t frame_messages = 100, customers_max = 5'000'000;
constexpr double patience = 600, goal_seconds = 1;

} // namespace

StoredCustomers::StoredCustomers(const std::filesystem::path& config,
                                 const std::filesystem::path& folder)
    : service_(config, folder), load_(customers_max, 1) {}

void StoredCustomers::store(std::uint32_t customers) {
    const auto applied = service_.metric("sojourn_applied_total");
    const auto sent = produce(service_.port(),
                              {.frame_messages = frame_messages,
                               .seconds = 1e9,
                               .frames_max = (customers - stored_) / frame_messages},
                              [&](std::size_t messages) {
                                  const auto first = std::exchange(
                                      stored_, stored_ + static_cast<std::uint32_t>(messages));
                                  return load_.frame_of_carts(messages, wall_now(), first);
                              });
    if (!service_.wait_until_applied(applied + static_cast<double>(sent.accepted), patience) ||
        !service_.wait_until_flushed(patience) ||
        service_.sql("SELECT count(*) FROM snapshots WHERE wake_at IS NOT NULL") != stored_)
        throw std::runtime_error{"start: customers are missing"};
}

double StoredCustomers::restart() {
    service_.stop();
    const auto begin = seconds_now();
    service_.start();
    const auto first = produce(
        service_.port(), {.frame_messages = 1, .seconds = 1e9, .frames_max = 1}, [&](std::size_t) {
            std::string text{"["};
            load_.append(text, wall_now(), 0);
            return text + ']';
        });
    if (first.accepted != 1) throw std::runtime_error{"start: the first event was refused"};
    return seconds_now() - begin;
}

double StoredCustomers::copy_out() const {
    const auto begin = seconds_now();
    auto connection = service_.connect();
    if (const auto done = connection.run_script("COPY snapshots TO '/dev/null' (FORMAT binary)");
        !done)
        throw std::runtime_error{done.error().detail};
    return seconds_now() - begin;
}

Figure bench_start(const StartOptions& options) {
    StoredCustomers customers{options.config, options.folder};
    customers.store(options.customers / frame_messages * frame_messages);
    auto figure = compare(
        "first event after a start", "s", options.rounds, [&] { return customers.restart(); },
        [&] { return customers.copy_out(); });
    figure.goal = "<= 1 s";
    figure.reached = figure.ours.median <= goal_seconds;
    figure.details = {{"stored customers with a wait", static_cast<double>(customers.stored())}};
    return figure;
}

} // namespace bench
