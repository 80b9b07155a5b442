/// What waits to be written, and what a refused flush gives back: plain values, without an actor.
#include "actors/flush_contents.hpp"
#include "actors/pending_writes.hpp"

#include <catch2/catch.hpp>

using namespace actors;
using namespace std::chrono_literals;
using journeys::CustomerId;
using journeys::IdNamespace;

namespace {

CustomerId id_of(std::uint32_t index) { return {IdNamespace::user, "u" + std::to_string(index)}; }

/// One that is calm, or with an effect that is urgent.
Commit commit_of(std::uint32_t index, std::uint64_t revision, bool urgent = false) {
    Commit commit;
    commit.slot = {index, 1};
    commit.changed = true;
    commit.through = 10 * revision;
    commit.write.customer = id_of(index);
    commit.write.revision = revision;
    commit.write.block = Block{"block " + std::to_string(revision)};
    if (urgent) commit.write.effects.emplace_back(journeys::IntentRecalled{{index, revision}, ""});
    return commit;
}

journeys::Timestamp at(int second) { return journeys::Timestamp{} + std::chrono::seconds{second}; }

void add(PendingWrites& pending, Commit commit, int second = 0) {
    pending.add(commit, commit.write.revision, at(second));
}

/// The indexes of all that is due, urgent ones first; what is gone is left out.
std::vector<std::uint32_t> all_due(PendingWrites& pending) {
    std::vector<std::uint32_t> order;
    while (pending.has_urgent())
        if (const auto write = pending.take_urgent()) order.push_back(write->slot.index);
    while (pending.has_calm_due())
        if (const auto write = pending.take_calm()) order.push_back(write->slot.index);
    return order;
}

using Order = std::vector<std::uint32_t>;

} // namespace

TEST_CASE("the urgent go at once, the calm when they have waited for long enough",
          "[actors][flush]") {
    PendingWrites pending;
    add(pending, commit_of(1, 1), 1);
    add(pending, commit_of(2, 1, true), 1);
    add(pending, commit_of(3, 1), 2);
    CHECK(all_due(pending) == Order{2});
    pending.make_due(at(1));
    CHECK(all_due(pending) == Order{1});
    add(pending, commit_of(4, 1), 3);
    pending.make_due(at(2));
    pending.make_due(at(1)); // What is due stays so.
    CHECK(all_due(pending) == Order{3});
    CHECK_FALSE(pending.is_empty());
    pending.make_due(journeys::no_time);
    CHECK(all_due(pending) == Order{4});
    CHECK(pending.is_empty());
}

TEST_CASE("whose timer was over goes before the calm, and once", "[actors][flush]") {
    PendingWrites pending;
    const auto by_time = [](std::uint32_t index, std::uint64_t revision) {
        auto commit = commit_of(index, revision);
        commit.by_time = true;
        return commit;
    };
    add(pending, commit_of(1, 1), 1);
    add(pending, commit_of(2, 1), 1);
    add(pending, by_time(3, 1), 2);
    add(pending, by_time(2, 2), 2);
    add(pending, by_time(2, 3), 3);
    add(pending, commit_of(4, 1, true), 3);
    CHECK(all_due(pending) == Order{4, 3, 2});
    pending.make_due(at(1));
    CHECK(all_due(pending) == Order{1});
    // Who becomes urgent meanwhile goes with those.
    add(pending, by_time(5, 1), 4);
    add(pending, commit_of(5, 2, true), 4);
    CHECK(all_due(pending) == Order{5});
    CHECK(pending.is_empty());
}

TEST_CASE("who changes again while they wait is due by their first change", "[actors][flush]") {
    PendingWrites pending;
    add(pending, commit_of(1, 1), 1);
    add(pending, commit_of(1, 2), 9);
    pending.make_due(at(1));
    const auto write = pending.take_calm();
    REQUIRE(write);
    CHECK(write->revision == 2);
    CHECK(pending.is_empty());
}

TEST_CASE("commits of one customer are written as one, once, and as soon as any of them asks",
          "[actors][flush]") {
    PendingWrites pending;
    add(pending, commit_of(1, 1));
    add(pending, commit_of(2, 1));
    add(pending, commit_of(1, 2, true));
    add(pending, commit_of(1, 3, true));
    pending.make_due(at(0));
    REQUIRE(pending.has_urgent());
    const auto write = pending.take_urgent();
    REQUIRE(write);
    CHECK(write->slot.index == 1);
    CHECK(write->revision == 3);
    CHECK(write->through == 30);
    CHECK(*write->write.block == "block 3");
    CHECK(write->write.effects.size() == 2);
    CHECK(all_due(pending) == Order{2});
    CHECK(pending.is_empty());
}

TEST_CASE("what is put back comes before all others, and before what came since",
          "[actors][flush]") {
    PendingWrites pending;
    for (const std::uint32_t index : {1u, 2u, 3u}) add(pending, commit_of(index, 1, true));
    FlushRequest request;
    FlushContents contents;
    contents.add(*pending.take_urgent(), request);
    contents.add(*pending.take_urgent(), request);
    CHECK(contents.customers() == 2);
    REQUIRE(request.customers.size() == 2);
    add(pending, commit_of(1, 2));

    auto apart = contents.taken_apart(request);
    REQUIRE(apart.size() == 2);
    CHECK(apart[0].slot.index == 1);
    CHECK(apart[1].write.customer == id_of(2));
    pending.put_back(std::move(apart[1]));
    pending.put_back(std::move(apart[0]));
    const auto first = pending.take_urgent();
    REQUIRE(first);
    CHECK(first->slot.index == 1);
    CHECK(*first->write.block == "block 2");
    CHECK(first->write.effects.size() == 1); // The urgent one of revision 1 is not lost.
    CHECK(all_due(pending) == Order{2, 3});
}

TEST_CASE("each customer gets back what is theirs, whatever the others have", "[actors][flush]") {
    PendingWrites pending;
    auto parks = commit_of(1, 1);
    parks.write.block = nullptr;
    for (const std::uint64_t offset : {7u, 8u})
        parks.parked.push_back({id_of(1), offset, "broken", nullptr});
    auto asks = commit_of(2, 1);
    asks.write.block = nullptr;
    asks.prove.push_back({.intent = {5, 6}, .customer = id_of(2)});
    auto released = commit_of(3, 4);
    released.released = true;
    for (auto* commit : {&parks, &asks, &released}) add(pending, std::move(*commit));
    add(pending, commit_of(4, 1));
    pending.make_due(at(0));

    FlushRequest request;
    FlushContents contents;
    contents.add(*pending.take_urgent(), request); // Who is asked for is urgent.
    while (pending.has_calm_due())
        if (auto write = pending.take_calm()) contents.add(*std::move(write), request);
    const auto apart = contents.taken_apart(request);
    REQUIRE(apart.size() == 4);
    CHECK(apart[0].prove.size() == 1);
    CHECK(apart[0].urgent);
    CHECK(apart[1].parked.size() == 2);
    CHECK(apart[1].parked[1].offset == 8);
    CHECK_FALSE(apart[1].write.block);
    REQUIRE(apart[2].released);
    CHECK(apart[2].released->customer == id_of(3));
    CHECK(apart[2].released->through == 40);
    CHECK(*apart[3].write.block == "block 1");
    CHECK_FALSE(apart[3].released);
}

TEST_CASE("who is refused waits with all that comes for them, until it is tried again",
          "[actors][flush]") {
    const journeys::Timestamp now = journeys::from_millis(1'000'000);
    PendingWrites pending;
    add(pending, commit_of(1, 1, true));
    auto refused = pending.take_urgent();
    REQUIRE(refused);
    refused->refused_until = now + 1min;
    pending.put_back(*std::move(refused));
    add(pending, commit_of(1, 2, true));
    CHECK_FALSE(pending.has_urgent());
    CHECK(pending.is_empty());
    CHECK_FALSE(pending.try_refused(now + 1min - 1ms));
    add(pending, commit_of(2, 1, true));
    REQUIRE(pending.try_refused(now + 1min));
    CHECK_FALSE(pending.try_refused(now + 1h));
    CHECK_FALSE(pending.is_empty());
    const auto again = pending.take_urgent();
    REQUIRE(again);
    CHECK(again->slot.index == 1);
    CHECK(again->revision == 2);
    CHECK(again->write.effects.size() == 2);
    CHECK(all_due(pending) == Order{2});
}
