/// Whether a customer is there is said only where somebody looked.
#include "runtime/customer_search.hpp"
#include "tests/support/actor_fixture.hpp"

#include <catch2/catch.hpp>

#include <optional>

using namespace support;
using namespace std::chrono_literals;

namespace {

/// One search, and its answer once it has come.
struct Asked {
    std::shared_ptr<std::optional<runtime::FoundCustomer>> answer =
        std::make_shared<std::optional<runtime::FoundCustomer>>();

    Asked(actors::System& system, std::string_view text,
          runtime::StateAsked state = runtime::StateAsked::at_hand) {
        runtime::find_customer(system, text, state,
                               [answer = answer](runtime::FoundCustomer found) {
                                   REQUIRE_FALSE(*answer);
                                   *answer = std::move(found);
                               });
    }
    bool has_come() const { return answer->has_value(); }
    const runtime::SearchedCustomer& found() const { return (*answer)->value(); }
    int status() const { return runtime::answer_without(**answer).status; }
};

} // namespace

TEST_CASE_METHOD(ActorFixture, "silence is no answer, and nobody is one") {
    start();
    // Durable; the partition has not heard of it.
    const auto acknowledge = [&](const journeys::CustomerId& customer, std::uint64_t hash) {
        Record record;
        record.customer = customer;
        journeys::Event event;
        event.name = "Product Viewed";
        event.ids = {customer};
        event.message_hash = hash;
        event.time = event.written = clock;
        record.body = event;
        world().write(record);
    };
    SECTION("while partitions are taken over") {
        // Nothing settles: the partition has heard of no rules yet, and forgets who asks.
        Asked asked{*system, "user:ada"};
        scheduler().run();
        CHECK_FALSE(asked.has_come());
        scheduler().advance_time(4'999ms);
        scheduler().run();
        CHECK_FALSE(asked.has_come());
        scheduler().advance_time(1ms);
        scheduler().run();
        REQUIRE(asked.has_come());
        REQUIRE(asked.answer->value().has_error());
        CHECK(asked.answer->value().error().code == journeys::ErrorCode::unavailable);
        CHECK(asked.status() == 503);
    }
    SECTION("where all have looked") {
        settle();
        track(user("ada"), "Product Viewed");
        settle();
        Asked nobody{*system, "user:bob"}, ada{*system, "ada"};
        settle();
        REQUIRE(nobody.has_come());
        REQUIRE(nobody.answer->value().has_value());
        CHECK_FALSE(nobody.found().customer);
        CHECK(nobody.status() == 404);
        REQUIRE(ada.has_come());
        REQUIRE(ada.answer->value().has_value());
        REQUIRE(ada.found().customer);
        CHECK(ada.found().customer->id == user("ada"));
        CHECK_FALSE(ada.found().is_parked);
    }
    SECTION("who was acknowledged and is on the way is waited for") {
        settle();
        acknowledge(user("new"), 1);
        Asked asked{*system, "user:new"};
        settle();
        CHECK_FALSE(asked.has_come());
        world().publish_log();
        pass(2s, 100ms);
        REQUIRE(asked.has_come());
        REQUIRE(asked.answer->value().has_value());
        CHECK(asked.found().customer);
    }
    SECTION("who decides by the state waits for what was acknowledged of it") {
        settle();
        track(user("ada"), "Product Viewed");
        settle();
        acknowledge(user("ada"), 99);
        Asked at_hand{*system, "user:ada"};
        Asked complete{*system, "user:ada", runtime::StateAsked::acknowledged};
        settle();
        REQUIRE(at_hand.has_come());
        REQUIRE(at_hand.found().customer);
        CHECK_FALSE(complete.has_come());
        world().publish_log();
        pass(2s, 100ms);
        REQUIRE(complete.has_come());
        REQUIRE(complete.found().customer);
        CHECK(complete.found().customer->applied > at_hand.found().customer->applied);
    }
    SECTION("of whom the records are parked that is said") {
        auto& row = disk.partitions[actors::partition_of(user("eve"), settings.partitions)]
                        .customers[user("eve")];
        journeys::Customer eve;
        eve.id = user("eve");
        eve.first_seen = noon;
        row.block = actors::Block{journeys::pack(eve)};
        row.quarantined = "a mistake of ours";
        settle();
        Asked asked{*system, "user:eve"};
        settle();
        REQUIRE(asked.has_come());
        REQUIRE(asked.answer->value().has_value());
        REQUIRE(asked.found().customer);
        CHECK(asked.found().is_parked);
    }
    SECTION("a state that cannot be read is somebody's") {
        const auto partition = actors::partition_of(user("eve"), settings.partitions);
        disk.partitions[partition].customers[user("eve")].block = actors::Block{"no state"};
        settle();
        Asked asked{*system, "user:eve"};
        settle();
        REQUIRE(asked.has_come());
        CHECK(asked.answer->value().has_error());
        CHECK(asked.status() == 503);
    }
}
