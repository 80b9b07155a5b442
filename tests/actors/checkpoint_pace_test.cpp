/// How old a change gets, by a clock that the test moves.
#include "actors/checkpoint_pace.hpp"

#include <catch2/catch.hpp>

using actors::CheckpointPace;
using journeys::Duration;
using journeys::Timestamp;
using namespace std::chrono_literals;

namespace {

constexpr auto step = 100ms;

/// Storage that takes a share of the time.
struct Storage {
    CheckpointPace pace{5s, 60s};
    Timestamp now = journeys::from_millis(1'800'000'000'000);
    Timestamp due{};

    Storage() { pace.start(now); }

    /// So long, of each step that part is flushing.
    void pass(Duration span, double flushing) {
        for (const auto end = now + span; now < end;) {
            now += step;
            const auto took = std::chrono::duration_cast<Duration>(flushing * step);
            pace.flushed(now - took, now);
            const auto before = due;
            due = pace.due_until(now, journeys::no_time);
            REQUIRE(due >= before);
        }
    }
    Duration age() const { return now - due; }
};

} // namespace

TEST_CASE("a change is written when it is as old as a checkpoint", "[actors][flush]") {
    Storage storage;
    for (const double flushing : {0.0, 0.1, 0.2, 0.25}) {
        storage.pass(30s, flushing);
        CHECK(storage.age() == 5s);
    }
}

TEST_CASE("while flushing takes more than a quarter of the time changes get older",
          "[actors][flush]") {
    Storage storage;
    storage.pass(1s, 0.3); // The first window.
    storage.pass(20s, 0.3);
    CHECK(storage.age() >=
          15s - step); // By half of the time that passes, but for the window's end.
    CHECK(storage.age() <= 15s + step);
    storage.pass(10min, 0.3);
    CHECK(storage.age() == 60s);

    SECTION("and stay as they are where it takes less again") {
        storage.pass(1s, 0.2);
        const auto age = storage.age();
        storage.pass(10s, 0.2);
        CHECK(storage.age() == age);
    }
    SECTION("and the delay is made up for where it takes little") {
        storage.pass(1s, 0.1);
        const auto age = storage.age();
        storage.pass(10s, 0.1);
        CHECK(storage.age() == age - 10s);
    }
    SECTION("and soon where nothing is flushed at all") {
        storage.pass(5s, 0.0);
        CHECK(storage.age() == 5s);
    }
}

TEST_CASE("while flushing takes more than half of the time nothing more becomes due",
          "[actors][flush]") {
    Storage storage;
    storage.pass(1s, 0.5);
    storage.pass(10s, 0.5);
    const auto age_of_half = storage.age();
    CHECK(age_of_half <= 10s + step);
    storage.pass(1s, 0.51); // The window before still counts.
    const auto due = storage.due;
    storage.pass(20s, 0.51);
    CHECK(storage.due == due);
    storage.pass(10min, 0.51);
    CHECK(storage.age() == 60s);
}

TEST_CASE("a flush that hangs takes time before it ends", "[actors][flush]") {
    Storage storage;
    const auto begun = storage.now;
    for (int i = 0; i < 100; ++i) {
        storage.now += step;
        storage.due = storage.pace.due_until(storage.now, begun);
    }
    CHECK(storage.age() > 9s);
    storage.pace.flushed(begun, storage.now);
    storage.pass(10s, 0.0);
    CHECK(storage.age() == 5s);
}

TEST_CASE("a clock that is set back holds nothing back for good", "[actors][flush]") {
    Storage storage;
    storage.pass(10s, 0.0);
    const auto due = storage.due;
    storage.now -= 1h;
    storage.due = storage.pace.due_until(storage.now, journeys::no_time);
    CHECK(storage.due == due);
    storage.pass(1h + 10s, 0.0);
    CHECK(storage.age() == 5s);
}
