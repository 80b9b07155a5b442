/// Deliberate bugs: each must break an invariant in the run that is meant for it, and the same run
/// must find nothing in the service as it is.
#include "tests/faults/options.hpp"
#include "tests/faults/proof.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <functional>
#include <thread>

namespace faults {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

using Run = std::function<std::vector<std::string>(const Environment& mutant)>;

/// A service with a bug may never come to rest; what it has done by then is enough.
constexpr Patience short_patience{.acks = 10s, .calm = 20s, .stop = 10s};

Expectations expected(bool crashes) {
    return {.answers_may_be_lost = crashes, .every_intent_is_accepted = true};
}

Environment with(Environment environment, const std::string& failpoint) {
    environment["SOJOURN_FAILPOINT"] = failpoint;
    return environment;
}

/// Repeating, late and linked traffic, and an orderly end.
std::vector<std::string> orderly(const Environment& mutant) {
    World world;
    world.start(mutant);
    Mix mix{.customers = 60, .duplicates = 0.3, .late = 0.2};
    mix.an_hour_ago = hour_ago_of(world);
    const auto producers = start_traffic(world, mix, {.rate = 300});
    std::this_thread::sleep_for(5s);
    return settle_and_prove(world, *producers, expected(false), short_patience);
}

/// Killed at a failpoint, and started again.
Run killed_at(const std::string& point) {
    return [point](const Environment& mutant) {
        World world;
        const auto producers = start_traffic(world, {}, {.rate = 300});
        std::vector<std::string> wrong;
        world.launch(with(mutant, point));
        if (world.service().wait(30s) != -SIGKILL) wrong.push_back("not killed");
        world.start(mutant);
        const auto more = settle_and_prove(world, *producers, expected(true), short_patience);
        wrong.insert(wrong.end(), more.begin(), more.end());
        return wrong;
    };
}

/// The replies to some flushes' commits are lost.
std::vector<std::string> flush_replies_lost(const Environment& mutant) {
    World world;
    world.start(mutant);
    const auto producers = start_traffic(world, {}, {.rate = 300});
    std::this_thread::sleep_for(500ms);
    world.storage->lose_commit_replies(5, "flush");
    for (const auto until = Clock::now() + 20s;
         Clock::now() < until && world.storage->lost_commit_replies() < 5;)
        std::this_thread::sleep_for(10ms);
    return settle_and_prove(world, *producers, expected(false), short_patience);
}

/// Stopped, replaced, and continued: what it has under way must come to nothing.
std::vector<std::string> replaced(const Environment& mutant) {
    World world;
    world.start(mutant);
    const auto producers = start_traffic(world, {}, {.rate = 200});
    std::this_thread::sleep_for(2s);
    world.service().signal(SIGSTOP);
    auto second = world.launch_second(mutant);
    for (const auto until = Clock::now() + 60s;
         Clock::now() < until && world.get("/readyz", world.second_port()).status != 200;)
        std::this_thread::sleep_for(20ms);
    const auto others = start_traffic(world, {}, {.port = world.second_port(), .rate = 200}, 10);
    std::this_thread::sleep_for(1s);
    world.service().signal(SIGCONT);
    std::this_thread::sleep_for(3s);
    others->finish(15s);
    world.service().kill();
    second->kill();
    world.start(mutant);
    auto wrong = settle_and_prove(world, *producers, expected(true), short_patience);
    const auto more = broken(world, {producers.get(), others.get()}, expected(true));
    wrong.insert(wrong.end(), more.begin(), more.end());
    return wrong;
}

void require_caught(const std::string& mutant, const Run& run) {
    const auto wrong = run({{"SOJOURN_MUTANT", mutant}});
    for (const auto& line : wrong) UNSCOPED_INFO(line);
    // A promise must be broken: that it is slow, or does not end, would be no proof.
    const auto broken_promise = std::ranges::find_if(wrong, [](const std::string& line) {
        return line.size() > 1 && line[0] == 'I' && line[1] >= '1' && line[1] <= '5';
    });
    REQUIRE(broken_promise != wrong.end());
    WARN(mutant << " is caught: " << *broken_promise);
}

void require_none(const std::vector<std::string>& wrong) {
    for (const auto& line : wrong) UNSCOPED_INFO(line);
    CHECK(wrong.empty());
}

} // namespace

TEST_CASE("the runs that catch mutants find nothing in the service as it is") {
    SECTION("an orderly run") { require_none(orderly({})); }
    SECTION("killed before a commit") { require_none(killed_at("commit_sent.before:kill@20")({})); }
    SECTION("killed while applying") { require_none(killed_at("apply.after:kill@500")({})); }
    SECTION("lost replies") { require_none(flush_replies_lost({})); }
    SECTION("replaced") { require_none(replaced({})); }
}

TEST_CASE("mutant: an ack before the commit is caught") {
    require_caught("ack-before-commit", killed_at("commit_sent.before:kill@20"));
}
TEST_CASE("mutant: an outbox outside the transaction is caught") {
    require_caught("outbox-outside-transaction", flush_replies_lost);
}
TEST_CASE("mutant: a flush without the epoch is caught") {
    require_caught("flush-without-epoch", replaced);
}
TEST_CASE("mutant: an append without the epoch is caught") {
    require_caught("append-without-epoch", replaced);
}
TEST_CASE("mutant: a snapshot that is guarded by its position is caught") {
    require_caught("snapshot-guarded-by-applied", orderly);
}
TEST_CASE("mutant: a service that does not de-duplicate is caught") {
    require_caught("no-dedup", orderly);
}
TEST_CASE("mutant: a position that is committed too early is caught") {
    require_caught("position-too-early", killed_at("apply.after:kill@500"));
}
TEST_CASE("mutant: a late order that ends nothing is caught") {
    require_caught("late-order-stays", orderly);
}

} // namespace faults
