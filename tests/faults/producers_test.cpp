/// Producers that repeat themselves, give up, or mean the service harm.
#include "tests/faults/require_none.hpp"
#include "tests/faults/sizes.hpp"
#include "tests/support/raw_client.hpp"

#include <catch2/catch.hpp>

#include <sys/resource.h>

#include <thread>

namespace faults {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

TEST_CASE("producers that repeat, contradict themselves, reorder and are an hour late") {
    World world;
    world.start();
    Mix mix{.customers = 100,
            .duplicates = 0.3,
            .other_payloads = 0.3,
            .reordered_within = 1000,
            .late = 0.1,
            .earlier = earlier_in(world, 1h),
            .nameless = 0.02};
    const auto producers = start_traffic(world, mix, {.rate = 400});
    std::this_thread::sleep_for(span_of(sizes::repeats));
    require_none(settle_and_prove(world, *producers, nothing_lost));
    // So that the counters of the service had something to be compared with, each.
    const auto sent = producers->counts();
    CHECK(sent.are_whole);
    CHECK(sent.repeated > 0);
    CHECK(sent.refused > 0);
}

TEST_CASE("producers that give up leave whole events or none") {
    World world;
    const auto producers = start_traffic(world, {}, {.rate = 400, .resends = false});
    for (int cycle = 0; cycle < count_of(sizes::kills_unresent); ++cycle) {
        world.start();
        std::this_thread::sleep_for(800ms);
        world.service().kill();
    }
    world.start();
    require_none(settle_and_prove(world, *producers,
                                  {.answers_may_be_lost = true, .every_intent_is_accepted = true}));
    CHECK(producers->totals().given_up > 0);
}

TEST_CASE("half of the traffic is of one customer") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {.hot = 0.5}, {.rate = 400});
    std::this_thread::sleep_for(span_of(sizes::hot_customer));
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

TEST_CASE("idle connections cost the others nothing") {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const auto count = static_cast<std::size_t>(count_of(sizes::idle_connections));
    if (limit.rlim_cur < count + 200) {
        WARN("too few descriptors for " << count << " connections: skipped");
        return;
    }
    World world{{.limits = "connections: 20000, connections_per_address: 20000"}};
    world.start();
    const auto before = world.service().usage();
    std::unique_ptr<Producers> producers;
    {
        std::vector<RawClient> idle;
        for (std::size_t i = 0; i < count; ++i) {
            idle.emplace_back(world.port());
            if (i % 2 == 0)
                REQUIRE(idle.back().open_stream("/v1/stream?write_key=test-key").status == 101);
        }
        const auto with = world.service().usage();
        WARN(count << " idle connections: " << (with.resident_bytes - before.resident_bytes) / count
                   << " bytes each");
        producers = start_traffic(world, {}, {.rate = 200});
        std::this_thread::sleep_for(3s);
        REQUIRE(producers->finish(20s));
        CHECK(producers->totals().acked > 300);
        CHECK(producers->totals().slowest_ack < 2s);
        CHECK(world.service().usage().descriptors > before.descriptors + count / 2);
    }
    // What they took is given back: the proof's I7.
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

TEST_CASE("a client that sends a byte a second is cut off, and nobody waits for it") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 200});
    std::vector<RawClient> slow;
    for (int i = 0; i < 50; ++i) slow.emplace_back(world.port());
    const std::string_view request = "POST /v1/track HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n";
    std::size_t cut_off = 0;
    for (std::size_t at = 0; at < 60 && cut_off < slow.size(); ++at) {
        cut_off = 0;
        for (auto& client : slow)
            if (!client.send(request.substr(at % request.size(), 1))) ++cut_off;
        std::this_thread::sleep_for(1s);
    }
    CHECK(cut_off == slow.size());
    CHECK(producers->totals().slowest_ack < 3s);
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

TEST_CASE("a service without descriptors left goes on with what it has") {
#ifdef __SANITIZE_ADDRESS__
    // Theirs make a pipe to find out whether an object is one, and take its failure for a no.
    WARN("the sanitizers need descriptors of their own: skipped; make faults runs it");
    return;
#endif
    World world{{.descriptors = 150}};
    world.start();
    const auto producers = start_traffic(world, {}, {.rate = 200});
    std::this_thread::sleep_for(1s);
    {
        std::vector<RawClient> greedy;
        try {
            for (int i = 0; i < 300; ++i) greedy.emplace_back(world.port());
        } catch (const std::exception&) { // As many as the kernel queues for it.
        }
        CHECK(greedy.size() > 150);
        const auto before = producers->totals().acked;
        std::this_thread::sleep_for(4s);
        CHECK(producers->totals().acked > before + 100); // Those who are in are served.
    }
    for (const auto until = Clock::now() + 20s;
         Clock::now() < until && world.get("/healthz").status != 200;)
        std::this_thread::sleep_for(50ms);
    CHECK(world.get("/healthz").status == 200);
    require_none(settle_and_prove(world, *producers,
                                  {.answers_may_be_lost = true, .every_intent_is_accepted = true}));
}

} // namespace faults
