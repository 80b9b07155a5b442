/// Producers that want three times what the service can do.
#include "tests/faults/http_producer.hpp"
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

/// As fast as acks come; these have ended.
struct Measured {
    std::unique_ptr<Producers> producers;
    double rate = 0; ///< Messages a second.
};

Measured measure(World& world, const Mix& mix) {
    auto producers =
        start_traffic(world, mix, {.rate = 0, .messages_per_frame = 20, .frames_in_flight = 30});
    std::this_thread::sleep_for(2s);
    const auto rate = rate_over(*producers, is_full(sizes::overload) ? 20s : 5s);
    REQUIRE(producers->finish(60s));
    return {std::move(producers), rate};
}

std::unique_ptr<Producers> overload(World& world, const Mix& mix, const Measured& measured) {
    return start_traffic(world, mix,
                         {.connections = 6,
                          .rate = 3 * measured.rate,
                          .messages_per_frame = 20,
                          .frames_in_flight = 20'000},
                         10);
}

constexpr Patience patience{.acks = 150s, .calm = 300s};

} // namespace

TEST_CASE("three times what the service can do slows its producers down and costs nothing else") {
    // Its messages would take the longest, eight at a time.
    World world{{.channel = ", concurrency: 100"}};
    world.start();
    const Mix mix{.customers = 2000};
    const auto measured = measure(world, mix);
    const auto sustainable = measured.rate;
    const auto resident_before = world.service().usage().resident_bytes;
    const auto producers = overload(world, mix, measured);
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
    require_none(
        settle_and_prove(world, *producers, nothing_lost, patience, {measured.producers.get()}));
    CHECK(producers->totals().refused == 0);
    CHECK(producers->totals().connections == 6); // Held back, not thrown out.
}

TEST_CASE("three times what the service can do is over HTTP a yes, or a refusal until when") {
    // As it is delivered, and where a single frame under way is as much as one address may have,
    // WebSockets and HTTP together: then it is bound to refuse.
    const bool must_refuse = GENERATE(false, true);
    CAPTURE(must_refuse);
    World world{
        {.limits = must_refuse ? "bytes_per_address: 2 KB" : "", .channel = ", concurrency: 100"}};
    world.start();
    const Mix mix{.customers = 2000};
    const auto measured = measure(world, mix);
    const auto producers = overload(world, mix, measured);
    const auto http = start_http_traffic(world, {.customers = 200}, {}, 20);
    std::this_thread::sleep_for(span_of(sizes::overload));
    CHECK(world.get("/healthz").status == 200);
    producers->stop(); // Behind them there still is what they are late with.
    CHECK(http->finish(patience.acks));
    const auto answers = http->totals();
    WARN(answers.singles << " messages and " << answers.batches << " batches were taken, "
                         << answers.refused << " times one was refused for now; the slowest answer "
                         << answers.slowest.count() << " ms");
    require_none(http->wrong());
    CHECK(answers.singles > 0);
    CHECK(answers.batches > 0);
    if (must_refuse) CHECK(answers.refused > 0);
    require_none(settle_and_prove(world, *producers, nothing_lost, patience,
                                  {measured.producers.get(), http.get()}));
}

} // namespace faults
