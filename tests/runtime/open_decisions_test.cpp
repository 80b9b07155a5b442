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

} // namespace

TEST_CASE("what was decided is seen until it is applied, or known not to be stored") {
    const journeys::Catalog catalog{0, {}, {}};
    journeys::Customer ada;
    ada.id = {journeys::IdNamespace::user, "ada"};
    OpenDecisions open;
    const auto decided = [](std::uint64_t hash, journeys::Timestamp at) {
        journeys::Event event;
        event.name = std::string{journeys::action_decided};
        event.message_hash = hash;
        event.time = at;
        event.properties = nothing();
        return event;
    };
    const auto now = journeys::from_millis(1'800'000'000'000);
    std::int64_t seen = -1;
    const auto take = [&](std::uint64_t hash, journeys::Timestamp at) {
        open.take(ada, catalog, [&](const journeys::Customer& known) {
            seen = journeys::count(known, journeys::action_decided, journeys::timestamp_min);
            return decided(hash, at);
        });
        return seen;
    };
    CHECK(take(1, now) == 0);
    CHECK(take(2, now) == 1);
    open.forget(ada.id, 2);
    CHECK(take(3, now) == 1);
    ada.dedup.push_back(1); // Applied: it counts in the state.
    CHECK(take(4, now) == 1);
    CHECK(take(5, now + std::chrono::minutes{11}) == 2);
    CHECK(take(6, now + std::chrono::minutes{11}) == 1); // The older ones are given up.
}
