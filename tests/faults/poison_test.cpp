/// What cannot be applied: an event, a state, a timer. It is parked, everybody else goes on, and
/// once it is let go nothing is missing.
#include "tests/faults/options.hpp"
#include "tests/faults/require_none.hpp"
#include "tests/support/raw_client.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <thread>

namespace faults {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

/// The customers in quarantine, once there are any.
std::vector<std::string> parked(World& world) {
    for (const auto until = Clock::now() + 20s; Clock::now() < until;) {
        auto connection = world.connect();
        auto rows = connection.run("SELECT DISTINCT customer FROM parked");
        REQUIRE(rows.has_value());
        std::vector<std::string> customers;
        for (int row = 0; row < rows->size(); ++row) customers.emplace_back(rows->bytes(row, 0));
        if (!customers.empty()) return customers;
        std::this_thread::sleep_for(20ms);
    }
    return {};
}

/// Everybody else is served: acks come, and partitions keep up with them.
void check_others_go_on(World& world, Producers& producers) {
    const auto before = producers.totals().acked;
    for (const auto until = Clock::now() + 20s;
         Clock::now() < until && producers.totals().acked < before + 300;)
        std::this_thread::sleep_for(20ms);
    CHECK(producers.totals().acked >= before + 300);
    CHECK(producers.finish(20s));
    // Read once: behind it the provider's answers come in, and are behind for a moment, too.
    auto lag = world.metric("sojourn_lag_events");
    for (const auto until = Clock::now() + 20s; Clock::now() < until && lag != 0.0;) {
        std::this_thread::sleep_for(20ms);
        lag = world.metric("sojourn_lag_events");
    }
    CHECK(lag == 0.0);
}

void release(World& world, const std::vector<std::string>& customers) {
    for (const auto& customer : customers) {
        const auto answer = world.post("/admin/parked/" + customer + "/retry");
        INFO(customer << ": " << answer.body);
        CHECK(answer.status == 200);
    }
}

/// The failpoint's passages are counted over all customers: some one of them is hit.
void survive(const std::string& failpoint, const char* reason) {
    World world;
    world.start({{"SOJOURN_FAILPOINT", failpoint}});
    const auto producers = start_traffic(world, {}, {.rate = 300});
    const auto victims = parked(world);
    REQUIRE(victims.size() == 1);
    CHECK(world.sql("SELECT min(reason) FROM parked") == reason);
    check_others_go_on(world, *producers);
    release(world, victims);
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

} // namespace

TEST_CASE("a poison event is parked, and its partition goes on") {
    survive("apply.before:error@100", "failpoint apply.before");
}

TEST_CASE("a record that ends the process three times is parked at the fourth start") {
    World world;
    const Environment fatal{{"SOJOURN_FAILPOINT", "apply.before:kill"}};
    world.start(fatal);
    RawClient client{world.port()};
    REQUIRE(client.open_stream("/v1/stream?write_key=test-key").status == 101);
    REQUIRE(client.send_text(R"({"type":"track","messageId":"fatal","userId":"fatal",)"
                             R"("event":"Signed Up","properties":{"number":"n1"}})"));
    REQUIRE(world.service().wait(60s) == -SIGKILL);
    for (int end = 2; end <= 3; ++end) { // The only record there is comes from the log again.
        world.launch(fatal);
        REQUIRE(world.service().wait(60s) == -SIGKILL);
        CHECK(world.sql("SELECT count(*) FROM parked") == "0");
    }

    world.start();
    const std::vector<std::string> victims{"user:fatal"};
    CHECK(parked(world) == victims);
    CHECK(world.sql("SELECT min(reason) FROM parked") ==
          "the process has ended at this record again and again");
    const auto producers = start_traffic(world, {}, {.rate = 300});
    check_others_go_on(world, *producers);
    release(world, victims);
    require_none(settle_and_prove(world, *producers,
                                  {.answers_may_be_lost = true, .every_intent_is_accepted = true}));
    CHECK(world.sql("SELECT count(*) FROM outbox WHERE customer = 'user:fatal'") == "2");
}

TEST_CASE("a poison timer is parked, and its partition goes on") {
    survive("fire.before:error@20", "failpoint fire.before");
}

TEST_CASE("a poison message, at which handing over fails, is parked, and its partition goes on") {
    survive("grant.before:error@20", "failpoint grant.before");
}

TEST_CASE("a poison state is parked until it is mended, and its partition goes on") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {.customers = 20}, {.rate = 300});
    std::this_thread::sleep_for(2s);
    REQUIRE(world.stop() == 0);
    const std::string victim = "user:u0-1";
    world.sql("CREATE TABLE kept AS SELECT customer, block FROM snapshots WHERE customer = '" +
              victim + "'");
    REQUIRE(world.sql("SELECT count(*) FROM kept") == "1");
    world.sql("UPDATE snapshots SET block = substring(block FROM 1 FOR length(block) / 2) "
              "WHERE customer = '" +
              victim + "'");

    world.start();
    CHECK(parked(world) == std::vector{victim});
    check_others_go_on(world, *producers);
    CHECK(world.post("/admin/parked/" + victim + "/retry").status == 409); // Still no state.
    REQUIRE(world.stop() == 0);
    world.sql("UPDATE snapshots s SET block = k.block FROM kept k WHERE s.customer = k.customer");

    world.start();
    release(world, {victim});
    require_none(settle_and_prove(world, *producers, nothing_lost));
}

TEST_CASE("a record that cannot be read is parked until it can be, and its partition goes on") {
    World world;
    world.start();
    const auto producers = start_traffic(world, {.customers = 20}, {.rate = 300});
    std::this_thread::sleep_for(2s);
    world.service().kill(); // What is behind the last checkpoint is read from the log again.
    world.sql(
        "CREATE TABLE kept AS SELECT l.partition, l.\"offset\", l.customer, l.body FROM log l "
        "LEFT JOIN snapshots s USING (customer) JOIN progress p ON p.partition = l.partition "
        "WHERE l.kind = 1 AND l.\"offset\" > greatest(p.watermark, coalesce(s.applied, 0)) "
        "ORDER BY l.accepted_at, l.partition, l.\"offset\" LIMIT 1");
    REQUIRE(world.sql("SELECT count(*) FROM kept") == "1");
    const auto victim = world.sql("SELECT convert_from(customer, 'UTF8') FROM kept");
    world.sql("UPDATE log l SET body = '\\x7f' || l.body FROM kept k WHERE l.partition = "
              "k.partition AND l.\"offset\" = k.\"offset\"");

    world.start();
    CHECK(parked(world) == std::vector{victim});
    CHECK(world.sql("SELECT min(reason) FROM parked").starts_with("a stored record has version"));
    check_others_go_on(world, *producers);
    CHECK(world.post("/admin/parked/" + victim + "/retry").status == 409); // Still not.
    const std::string mend = "body = k.body FROM kept k WHERE o.partition = k.partition "
                             "AND o.\"offset\" = k.\"offset\"";
    world.sql("UPDATE parked o SET " + mend);
    world.sql("UPDATE log o SET " + mend);
    release(world, {victim});
    require_none(settle_and_prove(world, *producers,
                                  {.answers_may_be_lost = true, .every_intent_is_accepted = true}));
}

} // namespace faults
