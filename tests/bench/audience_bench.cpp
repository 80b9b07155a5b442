#include "tests/bench/audience_bench.hpp"

#include "tests/bench/walk_shop.hpp"

#include <cmath>
#include <stdexcept>

namespace bench {
namespace {

constexpr double tolerance = 0.05;

std::string journey_of(std::uint32_t pace) {
    return "id: bench-audience\nstatus: live\nenter: { audience: bench-everybody, pace: " +
           std::to_string(pace) + R"(/s, reentry: always }
steps:
  - name: wait
    wait: { for: 1s }
)";
}

class Bench {
public:
    explicit Bench(const AudienceOptions& options)
        : options_(options), shop_(options.config, options.folder / "service",
                                   {{"bench-audience", journey_of(options.pace)}}) {
        shop_.meet(options.customers, [](std::uint32_t customer) {
            return track_message(customer, "Product Added to Wishlist",
                                 "bench-" + std::to_string(customer), R"({"product_id":"p"})");
        });
    }

    double round() {
        // Nothing but copies is applied meanwhile: no producer sends, and no message leaves.
        const auto applied = shop_.metric("sojourn_applied_total");
        const auto begin = seconds_now();
        shop_.post("/admin/journeys/bench-audience/enter", "");
        if (!shop_.service().wait_until_applied(applied + options_.customers, WalkShop::patience))
            throw std::runtime_error{"audience: copies are missing"};
        took.push_back(seconds_now() - begin);
        ++rounds_;
        shop_.check_entered("bench-audience", options_.customers, rounds_);
        if (shop_.metric("sojourn_applied_total") != applied + options_.customers)
            throw std::runtime_error{"audience: more was applied than copies"};
        shop_.check_walks(options_.customers, rounds_);
        return options_.customers / took.back();
    }

    std::vector<double> took;

private:
    const AudienceOptions& options_;
    WalkShop shop_;
    int rounds_ = 0;
};

} // namespace

Figure bench_audience(const AudienceOptions& options) {
    Bench bench{options};
    auto figure = compare(
        "an audience let in; raw: its pace", "customers/s", options.rounds,
        [&] { return bench.round(); }, [&] { return static_cast<double>(options.pace); });
    figure.goal = "0.95 to 1.05 of its pace";
    figure.reached = std::abs(figure.ratio.median - 1) <= tolerance;
    figure.details = {{"customers, each let in once a round", options.customers},
                      {"seconds until the last was applied", spread_of(bench.took).median},
                      {"seconds by the pace",
                       static_cast<double>(options.customers) / static_cast<double>(options.pace)}};
    return figure;
}

} // namespace bench
