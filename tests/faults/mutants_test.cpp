/// Deliberate bugs: each must break an invariant in the run that is meant for it, and the same run
/// must find nothing in the service as it is.
#include "tests/faults/options.hpp"
#include "tests/faults/require_none.hpp"
#include "tests/faults/says.hpp"
#include "tests/support/raw_client.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <functional>
#include <set>
#include <thread>
#include <utility>

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

/// Of what it does the log tells nothing afterwards: no message leaves, and nothing is settled.
constexpr auto silent_journey = R"(
id: silent
status: live
enter: { on: [Product Viewed], key: event.properties.url, reentry: { after: 30d, per: customer } }
steps:
  - name: wait
    wait: { for: 90m }
)";

/// Repeating, late and linked traffic, and an orderly end.
std::vector<std::string> orderly(const Environment& mutant) {
    World world;
    world.add_journey("silent", silent_journey);
    world.start(mutant);
    Mix mix{.customers = 60, .duplicates = 0.3, .late = 0.2, .links = true};
    mix.earlier = earlier_in(world, 10min); // An order before the cart's message leaves.
    const auto producers = start_traffic(world, mix, {.rate = 300});
    std::this_thread::sleep_for(5s);
    return settle_and_prove(world, *producers, expected(false), short_patience);
}

/// Killed at a failpoint, and started again.
Run killed_at(const std::string& point) {
    return [point](const Environment& mutant) {
        World world;
        world.start(with(mutant, point));
        // Behind the start: what they had waiting might all be applied before the first flush.
        const auto producers = start_traffic(world, {}, {.rate = 300});
        std::vector<std::string> wrong;
        if (world.service().wait(30s) != -SIGKILL) wrong.push_back("not killed");
        world.start(mutant);
        const auto more = settle_and_prove(world, *producers, expected(true), short_patience);
        wrong.insert(wrong.end(), more.begin(), more.end());
        return wrong;
    };
}

/// Its log hangs before a commit; when nothing is acked any more it is killed.
std::vector<std::string> hung_and_killed(const Environment& mutant) {
    World world;
    // Nothing is settled meanwhile: what hangs are events, which are acked.
    world.provider->set([](const Call&) { return Answer{.accepts = false, .delay = 1h}; });
    world.start(with(mutant, "commit_sent.before:hang@20"));
    const auto producers = start_traffic(world, {}, {.rate = 300});
    if (!says(world.log(), "failpoint commit_sent.before hangs")) return {"it does not hang"};
    auto acked = producers->totals().acked;
    for (int still = 0; still < 20; ++still) { // Acks that are under way still come.
        std::this_thread::sleep_for(100ms);
        if (const auto now = producers->totals().acked; std::exchange(acked, now) != now) still = 0;
    }
    world.service().kill();
    world.provider->set([](const Call&) { return Answer{}; });
    world.start(mutant);
    return settle_and_prove(world, *producers, expected(true), short_patience);
}

/// Carts are bought while the first call of their reminder is under way, which then fails.
std::vector<std::string> bought_meanwhile(const Environment& mutant) {
    constexpr int customers = 6; // Fewer than calls at once.
    World world;
    std::atomic<bool> is_up{false};
    world.provider->set([&](const Call&) {
        if (is_up) return Answer{};
        return Answer{.status = 503, .accepts = false, .delay = 3s};
    });
    world.start(mutant);
    RawClient client{world.port()};
    if (client.open_stream("/v1/stream?write_key=test-key").status != 101) return {"no stream"};
    const auto track = [&](int customer, const std::string& event, const std::string& properties) {
        const auto name = std::to_string(customer);
        client.send_text(R"({"type":"track","messageId":")" + event + name + R"(","userId":"u)" +
                         name + R"(","event":")" + event + R"(","properties":{"cart_id":"c)" +
                         name + "\"," + properties + "}}");
        return client.read_text().find(R"("accepted":1)") != std::string::npos;
    };
    const auto wait_until = [](const std::function<bool()>& is_so) {
        for (const auto until = Clock::now() + 30s; !is_so() && Clock::now() < until;)
            std::this_thread::sleep_for(5ms);
        return is_so();
    };
    std::vector<std::string> wrong;
    for (int i = 0; i < customers; ++i)
        if (!track(i, "Product Added", R"("product_id":"p","price":10)"))
            wrong.push_back("not acked");
    if (!wait_until([&] { return world.provider->requests() == customers; }))
        wrong.push_back("not every cart's reminder was tried once");
    for (int i = 0; i < customers; ++i)
        if (!track(i, "Order Completed", R"("order_id":"o)" + std::to_string(i) + '"'))
            wrong.push_back("not acked");
    if (!wait_until([&] {
            return world.sql("SELECT count(*) FROM timeline WHERE kind = 'exit'") ==
                   std::to_string(customers);
        }))
        wrong.push_back("the runs do not end");
    if (world.provider->requests() != customers) wrong.push_back("the calls had ended before");
    is_up = true;
    if (const auto why = world.wait_for_calm(short_patience.calm); !why.empty())
        wrong.push_back("no calm: " + why);
    if (world.stop() != 0) wrong.push_back("no orderly end");
    for (const auto& [id, call] : world.provider->seen())
        if (call.accepted > 0) wrong.push_back("I3 sent although its run had ended before: " + id);
    const auto more = broken(world, {}, expected(false));
    wrong.insert(wrong.end(), more.begin(), more.end());
    return wrong;
}

/// Guests fill carts and turn out to be customers who have ordered since: their runs must end as
/// they are brought along.
std::vector<std::string> linked_after_order(const Environment& mutant) {
    World world;
    world.start(mutant);
    RawClient client{world.port()};
    if (client.open_stream("/v1/stream?write_key=test-key").status != 101) return {"no stream"};
    std::vector<std::string> wrong;
    const auto send = [&](const std::string& type, const std::string& rest) {
        client.send_text(R"({"type":")" + type + R"(",)" + rest + '}');
        if (client.read_text().find(R"("accepted":1)") == std::string::npos)
            wrong.push_back("not acked: " + type);
    };
    for (int i = 0; i < 10; ++i) {
        const auto name = std::to_string(i);
        send("track", R"("messageId":"added)" + name + R"(","anonymousId":"g)" + name +
                          R"(","event":"Product Added","properties":{"cart_id":"c)" + name +
                          R"(","product_id":"p","price":10})");
        send("track", R"("messageId":"ordered)" + name + R"(","userId":"u)" + name +
                          R"(","event":"Order Completed","properties":{"order_id":"o)" + name +
                          R"("})");
        send("identify", R"("messageId":"known)" + name + R"(","anonymousId":"g)" + name +
                             R"(","userId":"u)" + name + '"');
    }
    if (const auto why = world.wait_for_calm(short_patience.calm); !why.empty())
        wrong.push_back("no calm: " + why);
    if (world.stop() != 0) wrong.push_back("no orderly end");
    const auto more = broken(world, {}, expected(false));
    wrong.insert(wrong.end(), more.begin(), more.end());
    return wrong;
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

const std::set<std::string> promises{"I1", "I2", "I3", "I4", "I5"};

/// What the proof says, too, of a run that was looked at before it was done.
bool is_said_of_the_slow(const std::string& line) {
    return std::ranges::any_of(std::array{"I1, I2 a state is not", "I1 a customer is not stored",
                                          "I3 an intent is missing", "I3 not accepted"},
                               [&](const char* said) { return line.starts_with(said); });
}

void require_caught(const std::string& mutant, const Run& run) {
    const auto wrong = run({{"SOJOURN_MUTANT", mutant}});
    for (const auto& line : wrong) UNSCOPED_INFO(line);
    const bool was_calm = std::ranges::none_of(wrong, [](const std::string& line) {
        return line.starts_with("I8") || line.starts_with("not everything was acked");
    });
    // A promise must be broken: that it is slow, or does not end, would be no proof.
    const auto broken_promise = std::ranges::find_if(wrong, [&](const std::string& line) {
        const auto name = line.substr(0, line.find_first_not_of("0123456789", 1));
        return line.starts_with('I') && promises.contains(name) &&
               (was_calm || !is_said_of_the_slow(line));
    });
    REQUIRE(broken_promise != wrong.end());
    WARN(mutant << " is caught: " << *broken_promise);
}

} // namespace

TEST_CASE("no mutant: an orderly run finds nothing") { require_none(orderly({})); }
TEST_CASE("no mutant: hung and killed, nothing is found") { require_none(hung_and_killed({})); }
TEST_CASE("no mutant: bought meanwhile, nothing is found") { require_none(bought_meanwhile({})); }
TEST_CASE("no mutant: linked after an order, nothing is found") {
    require_none(linked_after_order({}));
}
TEST_CASE("no mutant: killed while applying, nothing is found") {
    require_none(killed_at("apply.after:kill@1000")({}));
}
TEST_CASE("no mutant: lost replies, nothing is found") { require_none(flush_replies_lost({})); }
TEST_CASE("no mutant: replaced, nothing is found") { require_none(replaced({})); }

TEST_CASE("mutant: an ack before the commit is caught") {
    require_caught("ack-before-commit", hung_and_killed);
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
    require_caught("position-too-early", killed_at("apply.after:kill@1000"));
}
TEST_CASE("mutant: a late order that ends nothing is caught") {
    require_caught("late-order-stays", orderly);
}
TEST_CASE("mutant: a recall that is ignored is caught") {
    require_caught("recall-ignored", bought_meanwhile);
}
TEST_CASE("mutant: an import without the check of exits is caught") {
    require_caught("import-without-exit-check", linked_after_order);
}

} // namespace faults
