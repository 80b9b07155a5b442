#include "actors/lead.hpp"
#include "tests/support/actor_fixture.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using namespace support;
using Kind = actors::ProviderOutcome::Kind;

namespace {

const CustomerId ada = user("ada"), bob = user("bob");

int calls_in_all(const Provider& provider) {
    int count = 0;
    for (const auto& [id, calls] : provider.calls) count += calls;
    return count;
}

} // namespace

TEST_CASE_METHOD(ActorFixture, "a reminder goes out when its time has come, once", "[actors]") {
    start();
    settle();
    track(ada, "Product Added");
    pass(44min, 10s);
    CHECK(outbox().empty());
    pass(2min);
    CHECK(outbox() == std::vector{IntentState::accepted});
    CHECK(calls_in_all(provider) == 1);
    pass(25h, 1min);
    CHECK(outbox() == std::vector{IntentState::accepted, IntentState::accepted});
    CHECK(calls_in_all(provider) == 2);
    CHECK(stored(ada)->runs.empty());
}

TEST_CASE_METHOD(ActorFixture, "a purchase before the timer, at its instant, and after it",
                 "[actors]") {
    start();
    settle();
    track(ada, "Product Added");
    pass(44min + 59s, 1s);
    SECTION("before: nothing is sent") {
        track(ada, "Order Completed");
        pass(1h, 10s);
        CHECK(outbox().empty());
    }
    SECTION("at the same instant: the event comes first") {
        clock += 1s;
        track(ada, "Order Completed");
        pass(1h, 10s);
        CHECK(outbox().empty());
    }
    SECTION("a moment later: the message is recalled, or it was sent") {
        clock += 1001ms;
        track(ada, "Order Completed");
        pass(1h, 10s);
        REQUIRE(outbox().size() == 1);
        CHECK(outbox()[0] == IntentState::recalled);
        CHECK(calls_in_all(provider) == 0);
    }
    SECTION("after it was sent: the second one does not follow") {
        pass(2s);
        track(ada, "Order Completed");
        pass(26h, 1min);
        CHECK(outbox() == std::vector{IntentState::accepted});
    }
    CHECK(stored(ada)->runs.empty());
}

TEST_CASE_METHOD(ActorFixture, "an exit applied before the request is written revokes the grant",
                 "[actors]") {
    settings.channels[0].rate = 0.0001; // A token at once; the next comes much later.
    start();
    settle();
    track(bob, "Product Added");
    pass(1s);
    track(ada, "Product Added");
    pass(45min, 1s);
    CHECK(calls_in_all(provider) == 1); // Bob's; Ada's waits for a token.
    track(ada, "Order Completed");
    pass(10s);
    CHECK(calls_in_all(provider) == 1);
    CHECK(std::ranges::count(outbox(), IntentState::recalled) == 1);
}

TEST_CASE_METHOD(ActorFixture, "where the channel is free, one flush opens and grants",
                 "[actors]") {
    start();
    settle();
    for (int i = 0; i < 40; ++i) track(user("u" + std::to_string(i)), "Product Added");
    SECTION("for as many as the channel takes at once; the others are asked") {
        pass(46min);
        // And for those that the channel has granted ahead.
        const auto connections = settings.channels[0].concurrency;
        CHECK(disk.granted_at_once == connections + actors::Lead{}.ahead(connections));
    }
    SECTION("not while the channel is paused") {
        caf::anon_send(system->channel("mail"),
                       actors::ChannelControl{actors::ChannelCommand::pause, {}});
        pass(46min);
        CHECK(disk.granted_at_once == 0);
        CHECK(calls_in_all(provider) == 0);
        caf::anon_send(system->channel("mail"),
                       actors::ChannelControl{actors::ChannelCommand::resume, {}});
        pass(1s);
    }
    CHECK(outbox() == std::vector{40, IntentState::accepted});
    CHECK(calls_in_all(provider) == 40);
    pass(25h, 1min); // All places came back: the second message of each goes out too.
    CHECK(outbox() == std::vector{80, IntentState::accepted});
    CHECK(stop());
}

TEST_CASE_METHOD(ActorFixture, "what is granted at once spends the channel's rate", "[actors]") {
    settings.channels[0].rate = 1e-9;
    settings.channels[0].burst = 3;
    start();
    settle();
    for (int i = 0; i < 20; ++i) track(user("u" + std::to_string(i)), "Product Added");
    pass(1h);
    CHECK(calls_in_all(provider) == 3);
    CHECK(disk.granted_at_once == 3);
}

TEST_CASE_METHOD(ActorFixture, "nothing is granted at once behind what is acknowledged",
                 "[actors]") {
    start();
    settle();
    track(ada, "Product Added");
    pass(44min + 59s, 1s);
    clock += 2s;
    Record order;
    order.customer = ada;
    journeys::Event event;
    event.name = "Order Completed";
    event.ids = {ada};
    event.message_hash = 1;
    event.time = event.written = clock;
    order.body = event;
    world().write(order); // Durable, and on its way to the partition.
    for (actors::Partition i = 0; i < 2; ++i)
        caf::anon_send(system->partition(i), actors::LogClosed{i, clock - 1ms});
    settle();
    CHECK(disk.granted_at_once == 0);
    CHECK(outbox() == std::vector{IntentState::pending});
    pass(10s);
    CHECK(outbox() == std::vector{IntentState::recalled});
    CHECK(calls_in_all(provider) == 0);
}

TEST_CASE_METHOD(ActorFixture, "who sleeps loses nothing by it", "[actors]") {
    settings.partition.idle_after = 1min;
    start();
    settle();
    track(ada, "Product Added");
    pass(5s);
    const auto loads_before = world().loads;
    pass(10min, 5s);
    CHECK(stored(ada)->runs.size() == 1);
    CHECK(scheduler().system().registry().running() < 8); // No actor of a customer.
    pass(36min, 5s);
    CHECK(world().loads > loads_before); // The timer woke them.
    CHECK(outbox() == std::vector{IntentState::accepted});
    pass(25h, 1min);
    CHECK(outbox().size() == 2);
}

TEST_CASE_METHOD(ActorFixture, "what was received is behind until it is stored", "[actors]") {
    struct Lag : actors::Observer {
        std::uint64_t events = 0;
        void position(actors::Partition, std::uint64_t received, std::uint64_t stored) override {
            events = received - stored;
        }
    } lag;
    observer = &lag;
    settings.partitions = 1;
    disk.partitions.resize(1);
    start();
    settle();
    pass(10s);
    CHECK(lag.events == 0);
    track(ada, "Product Viewed");
    track(ada, "Product Viewed");
    settle(); // Before anything was ever flushed, and without a tick: they are slow by now.
    CHECK(lag.events == 2);
    pass(10s);
    CHECK(lag.events == 0);
}

TEST_CASE_METHOD(ActorFixture,
                 "intents that never cease, on a slow storage, do not hold a checkpoint back",
                 "[actors]") {
    settings.partitions = 1;
    disk.partitions.resize(1);
    disk.publications[0] = catalog_of(0, {cart_journey(1, 1ms)});
    start();
    settle();
    world().flush_takes = 100ms;
    track(ada, "Product Viewed");
    for (int i = 0; i < 50; ++i) {
        track(user("u" + std::to_string(i)), "Product Added");
        pass(100ms, 20ms);
    }
    CHECK_FALSE(stored(ada)); // Nobody waits for it.
    for (int i = 50; i < 65; ++i) {
        track(user("u" + std::to_string(i)), "Product Added");
        pass(100ms, 20ms);
    }
    CHECK(stored(ada)); // It is older than a checkpoint by then.
    CHECK(outbox().size() > 50);
}

TEST_CASE_METHOD(ActorFixture, "a crash forgets what was not committed, and nothing else",
                 "[actors]") {
    start();
    settle();
    track(ada, "Product Added");
    SECTION("before anything was applied") {}
    SECTION("after the checkpoint") { pass(10s); }
    SECTION("while the log is ahead of the snapshots") {
        pass(10s);
        track(ada, "Product Viewed");
        track(bob, "Product Added");
        settle();
    }
    crash();
    clock += 10min;
    start();
    settle();
    pass(40min, 5s);
    for (const auto& [id, row] : disk.outbox) CHECK(row.state == IntentState::accepted);
    CHECK(disk.outbox.size() >= 1);
    CHECK(calls_in_all(provider) == static_cast<int>(disk.outbox.size()));
}

TEST_CASE_METHOD(
    ActorFixture,
    "what was claimed when the process died is unknown, or sent again with the same bytes",
    "[actors]") {
    const bool may_repeat = GENERATE(false, true);
    settings.channels[0].deduplicates = may_repeat;
    start();
    settle();
    track(ada, "Product Added");
    pass(44min + 59s, 1s);
    clock += 2s;
    world().close();
    for (int i = 0; i < 10'000 && outbox() != std::vector{IntentState::claimed}; ++i) {
        if (!happen_by_chance()) scheduler().advance_time(caf::timespan{20ms});
    }
    REQUIRE(outbox() == std::vector{IntentState::claimed});
    crash();
    start();
    settle();
    pass(10s);
    CHECK(outbox() == std::vector{may_repeat ? IntentState::accepted : IntentState::unknown});
    for (const auto& [id, payloads] : provider.payloads) CHECK(payloads.size() == 1);
}

TEST_CASE_METHOD(ActorFixture, "a message seen before has no second effect", "[actors]") {
    start();
    settle();
    track(ada, "Order Completed", "same");
    track(ada, "Product Added", "cart");
    track(ada, "Product Added", "cart");
    pass(1s);
    SECTION("in the ring") {
        track(ada, "Product Added", "cart");
        pass(10s);
        CHECK(world().lookups == 0);
    }
    SECTION("far behind: the log is asked") {
        // More than the ring holds, and hours ago: the cart's wait is begun anew by each.
        for (int i = 0; i < 200; ++i) {
            track(ada, "Product Viewed");
            clock += 1min;
        }
        pass(1s);
        Record record;
        journeys::Event event;
        event.name = "Order Completed";
        event.ids = {ada};
        event.message_id = "same";
        event.message_hash = journeys::hash("same");
        event.time = event.written = noon;
        record.customer = ada;
        record.body = event;
        append(record);
        track(ada, "Product Viewed");
        pass(10s);
        CHECK(world().lookups == 1);
        CHECK(stored(ada)->runs.size() == 1); // Had it counted, the run would have ended.
        CHECK(stored(ada)->applied == disk.partitions[actors::partition_of(ada, 2)].log.size());
    }
}

TEST_CASE_METHOD(ActorFixture, "poison is parked, and its neighbours go on", "[actors]") {
    rules.apply = [](journeys::Customer& customer, const Record& record,
                     const journeys::Catalog& catalog, journeys::Effects& effects) {
        if (record.event() && record.event()->name == "Poison") throw std::runtime_error("poison");
        return journeys::apply(customer, record, catalog, effects);
    };
    settings.partitions = 1;
    disk.partitions.resize(1);
    start();
    settle();
    track(ada, "Product Added");
    track(ada, "Poison");
    track(ada, "Order Completed");
    track(bob, "Product Added");
    pass(10s);
    CHECK(disk.partitions[0].parked.size() == 2);
    CHECK(disk.partitions[0].customers[ada].quarantined == "poison");
    CHECK(stored(ada)->applied == 1); // What came before stands.
    CHECK(disk.partitions[0].watermark == 4);
    pass(46min, 5s);
    CHECK(std::ranges::count(outbox(), IntentState::accepted) == 1); // Bob's.
    crash();
    start();
    settle();
    track(ada, "Product Added");
    pass(10s);
    CHECK(disk.partitions[0].parked.size() == 3);
}

TEST_CASE_METHOD(ActorFixture, "what was parked is applied in order when its customer is released",
                 "[actors]") {
    static bool is_mended;
    is_mended = false;
    rules.apply = [](journeys::Customer& customer, const Record& record,
                     const journeys::Catalog& catalog, journeys::Effects& effects) {
        if (!is_mended && record.event() && record.event()->name == "Poison")
            throw std::runtime_error("poison");
        return journeys::apply(customer, record, catalog, effects);
    };
    settings.partitions = 1;
    disk.partitions.resize(1);
    settings.partition.parked_max = 3;
    start();
    settle();
    track(ada, "Product Added");
    track(ada, "Poison");
    track(ada, "Order Completed");
    pass(10s);
    std::string why_not;
    int answers = 0;
    const auto release = [&] {
        system->release(ada, [&](const std::string& text) {
            ++answers;
            why_not = text;
        });
        pass(10s);
    };
    SECTION("it is poison still: all stays as it is") {
        release();
        CHECK(why_not == "poison");
        CHECK(disk.partitions[0].parked.size() == 2);
        CHECK(stored(ada)->applied == 1);
    }
    SECTION("it is mended") {
        is_mended = true;
        release();
        CHECK(why_not.empty());
        CHECK(disk.partitions[0].parked.empty());
        CHECK(stored(ada)->applied == 3);
        CHECK(stored(ada)->runs.empty()); // The order has ended the run.
        track(ada, "Product Added");
        pass(46min, 10s);
        CHECK(std::ranges::count(outbox(), IntentState::accepted) == 1);
    }
    SECTION("they were released while nobody served, and more has come than is kept") {
        for (int i = 0; i < 5; ++i) track(ada, "Product Viewed");
        pass(10s);
        CHECK(disk.partitions[0].parked.size() == 3);
        CHECK(disk.partitions[0].watermark == 8);
        crash();
        is_mended = true;
        disk.to_release = {ada};
        start();
        settle();
        pass(10s);
        CHECK(disk.partitions[0].parked.empty());
        CHECK(stored(ada)->applied == 4);
        return;
    }
    CHECK(answers == 1);
}

TEST_CASE_METHOD(ActorFixture, "no position passes a record that was parked and is not stored yet",
                 "[actors]") {
    rules.apply = [](journeys::Customer& customer, const Record& record,
                     const journeys::Catalog& catalog, journeys::Effects& effects) {
        if (record.event() && record.event()->name == "Poison") throw std::runtime_error("poison");
        return journeys::apply(customer, record, catalog, effects);
    };
    settings.partitions = 1;
    disk.partitions.resize(1);
    settings.flush.checkpoint = 20min;
    start();
    settle();
    const auto& partition = disk.partitions[0];
    track(ada, "Poison");
    track(bob, "Product Added"); // Whose reminder makes a flush of its own in 45 minutes.
    pass(15min, 10s);
    CHECK(partition.parked.empty());
    CHECK(partition.watermark == 0);
    pass(6min, 10s);
    CHECK(partition.parked.size() == 1);

    // The flush of one parking, which is due 20 minutes after it, is not answered while the
    // customer, whose state is what it was, parks another.
    track(ada, "Product Viewed");
    pass(19min + 30s, 10s);
    REQUIRE(partition.parked.size() == 1);
    std::mt19937_64 always;
    world().faults = &always;
    world().flush_reply_lost = 1;
    pass(1min, 10s);
    REQUIRE(partition.parked.size() == 2);
    track(ada, "Product Viewed");
    const auto newest = partition.log.size();
    settle();
    world().flush_reply_lost = 0;
    pass(5min, 10s);
    REQUIRE(outbox() == std::vector{IntentState::accepted}); // Bob's flush told where we are.
    REQUIRE(partition.parked.size() == 2);
    CHECK(partition.watermark == newest - 1);

    crash();
    start();
    pass(41min, 10s); // The position follows with the checkpoint behind it.
    CHECK(partition.parked.size() == 3);
    CHECK(partition.watermark == partition.log.size());
}

TEST_CASE_METHOD(ActorFixture, "a record that cannot be read is parked, and applied once it can be",
                 "[actors]") {
    struct Parked : actors::Observer {
        void records(actors::Partition, const actors::AppliedCounts& counts) override {
            count += counts.parked;
        }
        void parked(actors::Partition, const actors::ParkedRecord& record) override {
            said.push_back(record.reason);
        }
        std::uint32_t count = 0;
        std::vector<std::string> said;
    } seen;
    observer = &seen;
    settings.partitions = 1;
    disk.partitions.resize(1);
    start();
    settle();
    track(ada, "Product Added");
    track(ada, "Order Completed");
    track(bob, "Product Added");
    pass(10s);
    const auto newer = [](const CustomerId& customer, journeys::RecordKind kind) {
        Record record;
        record.customer = customer;
        record.body = journeys::Unreadable{kind, "bytes", "of a newer program"};
        return record;
    };

    SECTION("a customer's: they stand still from there on, and nobody else does") {
        append(newer(ada, journeys::RecordKind::event));
        track(ada, "Product Added");
        track(bob, "Product Viewed");
        pass(10s);
        auto& partition = disk.partitions[0];
        REQUIRE(partition.parked.size() == 2);
        CHECK(std::get<journeys::Unreadable>(partition.parked[0].record->body).body == "bytes");
        CHECK(partition.customers[ada].quarantined == "of a newer program");
        CHECK(seen.count == 2);
        CHECK(seen.said.front() == "of a newer program");
        CHECK(stored(ada)->applied == 2);
        CHECK(stored(bob)->applied == 6);
        CHECK(partition.watermark == 6);

        std::string why_not;
        system->release(ada, [&](const std::string& text) { why_not = text; });
        pass(10s);
        CHECK(why_not == "of a newer program");
        CHECK(partition.parked.size() == 2);

        Record read = *partition.parked[0].record; // As the store of a newer program decodes it.
        journeys::Event event;
        event.name = "Product Viewed";
        event.ids = {ada};
        event.message_hash = 4711;
        event.time = event.written = read.accepted_at;
        read.body = std::move(event);
        partition.parked[0].record = std::make_shared<const Record>(std::move(read));
        system->release(ada, [&](const std::string& text) { why_not = text; });
        pass(10s);
        CHECK(why_not.empty());
        CHECK(partition.parked.empty());
        CHECK(stored(ada)->applied == 5);
        CHECK(stored(ada)->runs.size() == 1); // Of what came behind it.
    }
    SECTION("not one that is in the customer's state already") {
        disk.partitions[0].watermark = 1; // A crash before the position was stored.
        crash();
        auto again = newer(ada, journeys::RecordKind::event);
        again.offset = 2;
        again.accepted_at = disk.partitions[0].log[1]->accepted_at;
        disk.partitions[0].log[1] = std::make_shared<const Record>(std::move(again));
        start();
        settle();
        track(ada, "Product Viewed");
        pass(10s);
        CHECK(disk.partitions[0].parked.empty());
        CHECK(stored(ada)->applied == 4);
    }
    SECTION("nobody's: it is told of, and decides nothing") {
        append(newer({}, journeys::RecordKind::publish));
        track(bob, "Product Viewed");
        pass(10s);
        CHECK(seen.said == std::vector<std::string>{"of a newer program"});
        CHECK(stored(bob)->applied == 5);
        CHECK(disk.partitions[0].watermark == 5);
    }
}

TEST_CASE_METHOD(ActorFixture, "a poisoned timer, and a state that cannot be read, are parked too",
                 "[actors]") {
    static bool is_mended;
    is_mended = false;
    settings.partitions = 1;
    disk.partitions.resize(1);
    SECTION("a timer") {
        rules.fire = [](journeys::Customer& customer, Timestamp closed,
                        const journeys::Catalog& catalog, journeys::Effects& effects, int limit) {
            if (!is_mended && customer.id == ada && journeys::wake_at(customer, catalog) <= closed)
                throw std::runtime_error("poison");
            return journeys::fire(customer, closed, catalog, effects, limit);
        };
    }
    SECTION("a state") {
        rules.unpack = rules.unpack_own =
            [](std::string_view block, journeys::Customer& customer) -> journeys::Result<void> {
            auto unpacked = journeys::unpack(block, customer);
            if (!is_mended && customer.id == ada)
                return journeys::Error{journeys::ErrorCode::invalid_state, "poison"};
            return unpacked;
        };
    }
    start();
    settle();
    track(ada, "Product Added");
    track(bob, "Product Added");
    pass(46min, 10s);
    REQUIRE(disk.partitions[0].parked.size() == 1);
    CHECK(disk.partitions[0].customers[ada].quarantined == "poison");
    CHECK(std::ranges::count(outbox(), IntentState::accepted) == 1); // Bob's.
    track(ada, "Product Viewed");
    pass(10s);
    CHECK(disk.partitions[0].parked.size() == 2);
    CHECK(disk.partitions[0].watermark == disk.partitions[0].log.size());
    is_mended = true;
    system->release(ada, [](const std::string&) {});
    pass(10s);
    CHECK(disk.partitions[0].parked.empty());
    CHECK(std::ranges::count(outbox(), IntentState::accepted) == 2);
}

TEST_CASE_METHOD(ActorFixture, "a record at which the process has ended three times is not applied",
                 "[actors]") {
    settings.partitions = 1;
    disk.partitions.resize(1);
    poison.records = {{actors::Partition{0}, 2u}};
    start();
    settle();
    track(ada, "Product Added");
    track(ada, "Product Viewed");
    track(bob, "Product Added");
    pass(10s);
    REQUIRE(disk.partitions[0].parked.size() == 1);
    CHECK(disk.partitions[0].parked[0].offset == 2);
    CHECK(stored(ada)->applied == 1);
    CHECK(stored(bob)->applied == 3);
    system->release(ada, [](const std::string&) {}); // An operator insists.
    pass(10s);
    CHECK(stored(ada)->applied == 2);
}

TEST_CASE_METHOD(ActorFixture,
                 "overdue timers are metered, oldest first, and new events do not wait",
                 "[actors]") {
    settings.partition.wakes_per_tick = 10;
    settings.partition.timer_batch = 50;
    start();
    settle();
    for (int i = 0; i < 500; ++i) {
        track(user("u" + std::to_string(i)), "Product Added");
        clock += 100ms;
    }
    pass(10s);
    crash();
    clock += 2h;
    start();
    settle();
    world().close();
    settle();
    scheduler().advance_time(caf::timespan{20ms});
    settle();
    CHECK(disk.outbox.size() <= 60);
    track(ada, "Product Added");
    pass(6s);
    CHECK(stored(ada));
    pass(10min);
    CHECK(disk.outbox.size() == 500);
    CHECK(calls_in_all(provider) == 500);
}

TEST_CASE_METHOD(ActorFixture,
                 "at the limit of credit the listener is told, and told again when it is over",
                 "[actors]") {
    settings.credit.customer = 10;
    start();
    settle();
    for (int i = 0; i < 12; ++i) track(ada, "Product Viewed");
    while (scheduler().try_run_once()) {
    } // The store has not answered: Ada is being loaded.
    CHECK(system->credit().is_full());
    CHECK(system->credit().in_flight() == 12);
    settle();
    CHECK(!system->credit().is_full());
    CHECK(system->credit().in_flight() == 0);
}

TEST_CASE_METHOD(ActorFixture, "one whose state the storage refuses holds up nobody else",
                 "[actors]") {
    struct Refused : actors::Observer {
        void write_refused(actors::Partition, const CustomerId& customer,
                           const journeys::Error& error) override {
            said.push_back(customer);
            CHECK(error.detail == "refused");
        }
        std::vector<CustomerId> said;
    } seen;
    observer = &seen;
    settings.partitions = 1;
    disk.partitions.resize(1);
    start();
    settle();
    const auto holds = [](const actors::FlushRequest& request, const CustomerId& customer) {
        return std::ranges::any_of(request.customers, [&](const actors::CustomerWrite& write) {
            return write.customer == customer;
        });
    };
    world().refuses = [&](const actors::FlushRequest& request) { return holds(request, ada); };
    std::vector<CustomerId> others;
    for (int i = 0; i < 20; ++i) others.push_back(user("n" + std::to_string(i)));
    for (const auto& other : others) track(other, "Product Added");
    track(ada, "Product Added");
    pass(10s);
    for (const auto& other : others) CHECK(stored(other));
    CHECK_FALSE(stored(ada));
    CHECK(seen.said == std::vector{ada});
    CHECK(disk.partitions[0].watermark < disk.partitions[0].log.size());

    SECTION("a stop in order does not wait for it, and the next process replays it") {
        CHECK(stop());
        CHECK_FALSE(stored(ada));
        start();
        pass(46min);
        CHECK(stored(ada)->runs.size() == 1);
        CHECK(calls_in_all(provider) == static_cast<int>(others.size()) + 1);
        return;
    }

    // What comes meanwhile for both goes on, and the reminders of the others go out.
    track(ada, "Product Viewed");
    track(others[0], "Order Completed");
    pass(46min, 1s);
    CHECK(calls_in_all(provider) == static_cast<int>(others.size()) - 1);
    CHECK(seen.said.size() > 40); // Once a minute.
    CHECK(seen.said.size() < 50);
    CHECK(std::ranges::all_of(seen.said, [&](const auto& customer) { return customer == ada; }));

    SECTION("once it is taken, nothing is missing") {
        world().refuses = nullptr;
        pass(2min);
        CHECK(stored(ada)->runs.size() == 1);
        CHECK(calls_in_all(provider) == static_cast<int>(others.size()));
        CHECK(disk.partitions[0].watermark == disk.partitions[0].log.size());
        CHECK(stop());
    }
    SECTION("nor does a crash lose it") {
        crash();
        start();
        pass(2min);
        CHECK(stored(ada)->runs.size() == 1);
        CHECK(calls_in_all(provider) == static_cast<int>(others.size()));
    }
}

TEST_CASE_METHOD(ActorFixture, "an older process is fenced and stops", "[actors]") {
    start();
    settle();
    track(ada, "Product Added");
    pass(1s);
    for (auto& partition : disk.partitions) ++partition.epoch; // Another took over.
    pass(10s);
    CHECK(!stored(ada));
    CHECK(system->credit().in_flight() == 0);
}

TEST_CASE_METHOD(ActorFixture, "a stop in order leaves nothing to replay", "[actors]") {
    start();
    settle();
    for (int i = 0; i < 50; ++i) track(user("u" + std::to_string(i)), "Product Added");
    REQUIRE(stop());
    for (const auto& partition : disk.partitions) {
        CHECK(partition.watermark == partition.log.size());
        for (const auto& record : partition.log)
            CHECK(partition.customers.contains(record->customer));
    }
}

TEST_CASE_METHOD(ActorFixture, "a timer that runs late fires under the publication of its time",
                 "[actors]") {
    start();
    settle();
    track(ada, "Product Added");
    pass(10s);
    crash();
    clock += 50min; // Ada's 45 minutes ended while we were away.
    start();
    // A publication that ends every run of a journey which is gone from it.
    publish(5, catalog_of(5, {}));
    settle();
    pass(10s);
    CHECK(disk.outbox.size() == 1);
    for (const auto& partition : disk.partitions) CHECK(partition.publication == 5);
}

TEST_CASE_METHOD(ActorFixture, "a provider that is down is tried again with the same bytes",
                 "[actors]") {
    int refusals = 0;
    provider.answer = [&](const actors::ProviderRequest&) -> actors::ProviderOutcome {
        if (++refusals <= 8) return {Kind::retry, 0ms, "503"};
        return {Kind::accepted, {}, "202"};
    };
    start();
    settle();
    for (int i = 0; i < 3; ++i) track(user("u" + std::to_string(i)), "Product Added");
    pass(46min, 1s);
    pass(20min, 1s);
    CHECK(outbox() == std::vector{3, IntentState::accepted});
    CHECK(calls_in_all(provider) == 11);
    for (const auto& [id, payloads] : provider.payloads) CHECK(payloads.size() == 1);
}

TEST_CASE_METHOD(ActorFixture, "what finds no place in a channel's queue waits in the outbox",
                 "[actors]") {
    settings.channels[0].queue_max = 10;
    bool is_down = true;
    provider.answer = [&](const actors::ProviderRequest&) -> actors::ProviderOutcome {
        if (is_down) return {Kind::retry, 0ms, "503"};
        return {Kind::accepted, {}, "202"};
    };
    start();
    settle();
    for (int i = 0; i < 60; ++i) track(user("u" + std::to_string(i)), "Product Added");
    pass(46min, 10s);
    CHECK(disk.outbox.size() == 60);
    // Nobody has asked for those that neither the channel's places nor its queue had room for.
    const auto& channel = settings.channels[0];
    CHECK(static_cast<std::size_t>(std::ranges::count(outbox(), IntentState::pending)) >=
          60 - channel.queue_max - channel.concurrency - actors::Lead{}.ahead(channel.concurrency));
    const auto readings = world().readings;
    is_down = false;
    pass(20min, 1s);
    CHECK(outbox() == std::vector{60, IntentState::accepted});
    CHECK(calls_in_all(provider) >= 60);
    CHECK(world().readings > readings);
    CHECK(world().readings < readings + 60);
    for (const auto& [id, accepted] : provider.accepted) CHECK(accepted == 1);
}
