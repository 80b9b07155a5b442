/// Partitions, customers, flushes and channels under scheduling and faults by chance; then the
/// faults end, and all must be as the core alone would have it.
#include "tests/support/actor_fixture.hpp"

#include "journeys/reference.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace std::chrono_literals;
using namespace support;
using Kind = actors::ProviderOutcome::Kind;

namespace {

unsigned seeds() {
    const char* text = std::getenv("SOJOURN_SEEDS");
    return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : 100;
}

/// What must not depend on when things ran.
std::string essence(const journeys::Customer& customer) {
    std::string text =
        journeys::to_text(customer.id) + " orders " + std::to_string(customer.order_count);
    for (const auto& run : customer.runs)
        text += " | " + journeys::to_text(run.id) + " at " + std::to_string(run.step);
    for (const auto& ended : customer.ended)
        text += " | ended " + ended.journey + " " +
                std::to_string(ended.entered_at.time_since_epoch().count());
    text += " | dedup";
    for (const auto hash : customer.dedup) text += " " + std::to_string(hash);
    return text;
}

void run(unsigned seed) {
    ActorFixture fixture{3};
    std::mt19937_64 chance{seed};
    const auto between = [&](int low, int high) {
        return std::uniform_int_distribution{low, high}(chance);
    };
    fixture.chance = &chance;
    fixture.settings.partition.idle_after = std::chrono::seconds{between(1, 600)};
    fixture.settings.partition.active_customers_max = static_cast<std::size_t>(between(1, 12));
    fixture.settings.partition.load_batch = static_cast<std::size_t>(between(1, 5));
    fixture.settings.partition.wakes_per_tick = static_cast<std::size_t>(between(1, 20));
    fixture.settings.partition.timer_batch = static_cast<std::size_t>(between(2, 20));
    fixture.settings.flush.customers_max = static_cast<std::size_t>(between(1, 8));
    fixture.settings.channels[0].concurrency = static_cast<std::size_t>(between(1, 4));
    fixture.settings.channels[0].deduplicates = between(0, 1) == 1;
    bool faults = true;
    fixture.provider.answer = [&](const actors::ProviderRequest&) -> actors::ProviderOutcome {
        const int dice = faults ? between(0, 9) : 9;
        if (dice == 0) return {Kind::retry, 0ms, "503"};
        if (dice == 1) return {Kind::rejected, 0ms, "400"};
        return {Kind::accepted, 0ms, "202"};
    };
    const auto start = [&] {
        fixture.start();
        auto& world = fixture.world();
        world.faults = faults ? &chance : nullptr;
        world.flush_lost = world.flush_reply_lost = 0.1;
        world.load_fails = world.append_fails = 0.1;
    };
    start();
    for (int i = 0; i < 150; ++i) {
        const CustomerId customer = user("u" + std::to_string(between(0, 9)));
        const int dice = between(0, 99);
        if (dice < 40)
            fixture.track(customer, "Product Added");
        else if (dice < 50)
            fixture.track(customer, "Order Completed");
        else if (dice < 55)
            fixture.track(customer, "Product Viewed", "again" + std::to_string(between(0, 3)));
        else if (dice < 58) {
            fixture.crash();
            fixture.clock += std::chrono::seconds{between(0, 600)};
            start();
        } else if (dice < 90) {
            for (int steps = between(1, 60); steps > 0 && fixture.happen_by_chance(); --steps) {
            }
        } else {
            fixture.pass(std::chrono::minutes{between(1, 20)},
                         std::chrono::seconds{between(1, 60)});
        }
        fixture.clock += std::chrono::milliseconds{between(0, 3) * 500};
    }
    faults = false;
    fixture.world().faults = nullptr;
    fixture.pass(60h, 5min);
    fixture.pass(5min, 1s);

    // The core alone, over the same log.
    std::map<IntentId, int> opened;
    journeys::Reference reference{fixture.disk.publications[0],
                                  [&](const journeys::Customer&, const journeys::Effect& effect) {
                                      if (const auto* intent =
                                              std::get_if<journeys::IntentOpened>(&effect))
                                          ++opened[intent->id];
                                  },
                                  journeys::Reference::Transfers::recorded};
    std::vector<RecordPtr> log;
    for (const auto& partition : fixture.disk.partitions)
        log.insert(log.end(), partition.log.begin(), partition.log.end());
    std::ranges::stable_sort(log, {}, [](const RecordPtr& record) { return record->accepted_at; });
    for (const auto& record : log) reference.take(*record);
    reference.close(fixture.clock);

    std::vector<IntentId> expected, found;
    for (const auto& [id, count] : opened) expected.push_back(id);
    for (const auto& [id, row] : fixture.disk.outbox) found.push_back(id);
    CHECK(found == expected);
    for (const auto& [id, count] : fixture.disk.opened_in_rows) CHECK(count == 1);
    for (const auto& [id, row] : fixture.disk.outbox) {
        CHECK(row.state != IntentState::pending);
        CHECK(row.state != IntentState::claimed);
        if (!fixture.settings.channels[0].deduplicates) CHECK(fixture.provider.accepted[id] <= 1);
    }
    for (const auto& [id, payloads] : fixture.provider.payloads) CHECK(payloads.size() == 1);
    if (!fixture.settings.channels[0].deduplicates) CHECK(fixture.provider.after_accepted.empty());
    for (const auto& [id, customer] : reference.customers()) {
        const auto stored = fixture.stored(id);
        REQUIRE(stored);
        CHECK(essence(*stored) == essence(customer));
    }
    for (const auto& partition : fixture.disk.partitions) {
        CHECK(partition.watermark == partition.log.size());
        CHECK(partition.parked.empty());
    }
    CHECK(fixture.system->credit().in_flight() == 0);
}

} // namespace

TEST_CASE("whatever happens in whatever order, it comes to what the core alone makes of it",
          "[simulation]") {
    const char* only = std::getenv("SOJOURN_SEED");
    const unsigned first = only ? static_cast<unsigned>(std::strtoul(only, nullptr, 10)) : 1;
    const unsigned count = only ? 1 : seeds();
    for (unsigned seed = first; seed < first + count; ++seed) {
        INFO("SOJOURN_SEED=" << seed);
        run(seed);
    }
}
