/// What CAF's scheduler and an active customer cost, on real threads.
#include "tests/support/actor_fixture.hpp"

#include "actors/customer_actor.hpp"
#include "actors/scratch.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <unistd.h>

using namespace std::chrono_literals;
using namespace support;

namespace {

std::size_t resident_bytes() {
    std::size_t total = 0, resident = 0;
    std::ifstream{"/proc/self/statm"} >> total >> resident;
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::size_t from_environment(const char* name, std::size_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoul(text, nullptr, 10) : otherwise;
}

/// Counts what customers hand to the flush.
class Sink : public caf::event_based_actor {
public:
    Sink(caf::actor_config& config, actors::Scratch& scratch, std::atomic<std::size_t>& commits)
        : event_based_actor(config), scratch_(scratch), commits_(commits) {}

protected:
    caf::behavior make_behavior() override {
        return {[this](actors::Work) {
            commits_.fetch_add(scratch_.commits.size(), std::memory_order_relaxed);
            scratch_.commits.clear();
        }};
    }

private:
    actors::Scratch& scratch_;
    std::atomic<std::size_t>& commits_;
};

/// Customers on one worker, with nothing behind them.
struct Customers {
    explicit Customers(std::size_t count) : rules(actors::product_rules()), credit(1, {}) {
        config.set("scheduler.max-threads", std::size_t{1});
        config.set("scheduler.max-throughput", std::size_t{256});
        config.set("scheduler.policy", caf::atom("sharing"));
        system = std::make_unique<caf::actor_system>(config);
        shard = std::make_unique<actors::Shard>(actors::Shard{
            0, rules, ports, {}, {}, credit, {}, {}, std::make_shared<actors::Scratch>()});
        shard->flush = system->spawn<Sink>(std::ref(*shard->scratch), std::ref(commits));
        rulebook = std::make_shared<const actors::Rulebook>(
            actors::Rulebook{catalog_of(0, {cart_journey()}), {}});
        for (std::size_t i = 0; i < count; ++i) {
            const actors::Shard& context = *shard;
            all.push_back(system->spawn<actors::CustomerActor, caf::lazy_init>(
                context, actors::Slot{static_cast<std::uint32_t>(i), 0},
                user("customer-" + std::to_string(i)), nullptr, std::string{}));
        }
    }
    ~Customers() {
        all.clear();
        caf::anon_send_exit(shard->flush, caf::exit_reason::user_shutdown);
        shard->flush = nullptr;
    }
    /// Sends everybody one event, and waits until all are done.
    std::chrono::nanoseconds track_all(const std::string& name) {
        const auto begin = std::chrono::steady_clock::now();
        const std::size_t until = commits + all.size();
        ++offset;
        for (std::size_t i = 0; i < all.size(); ++i) {
            journeys::Event event;
            event.name = name;
            event.message_id = std::to_string(offset) + "-" + std::to_string(i);
            event.message_hash = journeys::hash(event.message_id);
            event.time = event.written = noon + std::chrono::seconds{offset};
            auto record = std::make_shared<Record>();
            record->offset = offset;
            record->accepted_at = event.time;
            record->customer = user("customer-" + std::to_string(i));
            event.ids = {record->customer};
            record->body = std::move(event);
            actors::Batch batch;
            batch.records.push_back(std::move(record));
            caf::anon_send(all[i], actors::ToCustomer{std::move(batch), rulebook});
        }
        while (commits < until) std::this_thread::sleep_for(1ms);
        return std::chrono::steady_clock::now() - begin;
    }

    actors::Rules rules;
    actors::Credit credit;
    actors::Ports ports;
    caf::actor_system_config config;
    std::unique_ptr<caf::actor_system> system;
    std::unique_ptr<actors::Shard> shard;
    std::atomic<std::size_t> commits{0};
    actors::RulebookPtr rulebook;
    std::vector<caf::actor> all;
    std::uint64_t offset = 0;
};

} // namespace

TEST_CASE("many runnable customers cost no more each than few", "[actors][scheduler]") {
    // With CAF's default of several workers, 100,000 runnable actors cost a hundred times as much
    // each.
    const auto each = [](std::size_t count) {
        Customers customers{count};
        customers.track_all("Product Viewed"); // Spawned lazily: not what is measured.
        return customers.track_all("Product Viewed").count() / static_cast<std::int64_t>(count);
    };
    const auto few = each(2'000), many = each(from_environment("SOJOURN_RUNNABLE", 100'000));
    INFO(few << " ns each of few, " << many << " of many");
    CHECK(many < few * 10);
}

TEST_CASE("an active customer with an open run and a timer is small", "[actors][memory]") {
    const std::size_t count = from_environment("SOJOURN_CUSTOMERS", 20'000);
    Customers others{1'000}; // What a system needs once is no customer's.
    others.track_all("Product Added");
    others.track_all("Product Viewed");
    const std::size_t before = resident_bytes();
    Customers customers{count};
    customers.track_all("Product Added");
    const auto took = customers.track_all("Product Viewed");
    const std::size_t each = (resident_bytes() - before) / count;
    const auto rate = static_cast<std::int64_t>(count) * 1'000'000'000 / took.count();
    std::printf("%zu active customers: %zu bytes each, %lld events/s\n", count, each,
                static_cast<long long>(rate));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(each < 3 * 1024);
#endif
}
