/// Producers that want three times what the service can do.
#include "tests/faults/require_none.hpp"
#include "tests/faults/sizes.hpp"

#include <catch2/catch.hpp>

#include <thread>

namespace faults {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Acked messages a second over `span`.
double rate_over(const Producers& producers, std::chrono::milliseconds span) {
    const auto before = producers.totals().acked;
    const auto begin = Clock::now();
    std::this_thread::sleep_for(span);
    return static_cast<double>(producers.totals().acked - before) / seconds_since(begin);
}

} // namespace

TEST_CASE("three times what the service can do slows its producers down and costs nothing else") {
    // Its messages would take the longest, eight at a time.
    World world{{.channel = ", concurrency: 100"}};
    world.start();
    const Mix mix{.customers = 2000};
    // As fast as acks come.
    const auto measured =
        start_traffic(world, mix, {.rate = 0, .messages_per_frame = 20, .frames_in_flight = 30});
    std::this_thread::sleep_for(2s);
    const auto sustainable = rate_over(*measured, is_full(sizes::overload) ? 20s : 5s);
    REQUIRE(measured->finish(60s));
    const auto resident_before = world.service().usage().resident_bytes;
    const auto producers = start_traffic(world, mix,
                                         {.connections = 6,
                                          .rate = 3 * sustainable,
                                          .messages_per_frame = 20,
                                          .frames_in_flight = 20'000},
                                         10);
    std::this_thread::sleep_for(2s);
    const auto overloaded = rate_over(*producers, span_of(sizes::overload));
    const auto resident = world.service().usage().resident_bytes;
    WARN("sustainable " << sustainable << "/s, under three times as much " << overloaded
                        << "/s; resident " << (resident_before >> 20) << " MB, then "
                        << (resident >> 20) << " MB");
    // Producers and service share this machine's cores: more producers, less service.
    CHECK(overloaded > (is_full(sizes::overload) ? 0.9 : 0.6) * sustainable);
    CHECK(resident < resident_before + (600ull << 20));
    CHECK(world.get("/healthz").status == 200);
    require_none(settle_and_prove(world, *producers, nothing_lost, {.acks = 150s, .calm = 300s},
                                  {measured.get()}));
    CHECK(producers->totals().refused == 0);
    CHECK(producers->totals().connections == 6); // Held back, not thrown out.
}

} // namespace faults
