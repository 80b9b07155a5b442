#include "runtime/open_decisions.hpp"

#include "journeys/decision.hpp"
#include "journeys/packed.hpp"
#include "journeys/profile.hpp"

#include <catch2/catch.hpp>

using runtime::OpenDecisions;

namespace {

std::string nothing() {
    journeys::PackedWriter writer;
    writer.end_map(writer.begin_map(), 0);
    return writer.take();
}

/// Decisions for one customer, and how many of those before each of them sees.
struct Askers {
    Askers() { ada.id = {journeys::IdNamespace::user, "ada"}; }
    std::int64_t take(const journeys::Customer& state, std::uint64_t hash, journeys::Timestamp at) {
        std::int64_t seen = -1;
        open.take(state, catalog, [&](const journeys::Customer& known) {
            seen = journeys::count(known, journeys::action_decided, journeys::timestamp_min);
            journeys::Event event;
            event.name = std::string{journeys::action_decided};
            event.message_hash = hash;
            event.time = at;
            event.properties = nothing();
            return event;
        });
        return seen;
    }

    const journeys::Catalog catalog{0, {}, {}};
    journeys::Customer ada;
    OpenDecisions open;
    const journeys::Timestamp now = journeys::from_millis(1'800'000'000'000);
};

} // namespace

TEST_CASE_METHOD(Askers,
                 "what was decided is seen until it is applied, or known not to be stored") {
    CHECK(take(ada, 1, now) == 0);
    CHECK(take(ada, 2, now) == 1);
    open.forget(ada.id, 2);
    CHECK(take(ada, 3, now) == 1);
    ada.dedup.push_back(1); // Applied: it counts in the state.
    CHECK(take(ada, 4, now) == 1);
    CHECK(take(ada, 5, now + std::chrono::minutes{11}) == 2);
    CHECK(take(ada, 6, now + std::chrono::minutes{11}) == 1); // The older ones are given up.
}

TEST_CASE_METHOD(Askers, "an asker with an older state sees what a newer state holds already") {
    auto newer = ada;
    newer.revision = 1;
    newer.dedup.push_back(1);
    CHECK(take(ada, 1, now) == 0);
    CHECK(take(newer, 2, now) == 0); // It has the first one.
    CHECK(take(ada, 3, now) == 2);
    CHECK(take(newer, 4, now) == 2);
    newer.revision = 200;
    newer.dedup.clear(); // Many events later the ring tells nothing of it, and the state holds it.
    CHECK(take(newer, 5, now) == 3);
    // Nobody has so old a state for long.
    CHECK(take(ada, 6, now + std::chrono::seconds{59}) == 5);
    CHECK(take(ada, 7, now + std::chrono::seconds{60}) == 6);
    CHECK(take(ada, 8, now + std::chrono::seconds{60}) == 6);
}
