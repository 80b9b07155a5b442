/// The process ends while an event is on its way to many customers: nobody is left out, nobody
/// reached twice.
#include "runtime/archive.hpp"
#include "schema/record_codec.hpp"
#include "tests/faults/options.hpp"
#include "tests/faults/require_none.hpp"
#include "tests/support/raw_client.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <thread>

namespace faults {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

constexpr int members = 2'000, others = 200, wishers = members / 2;
constexpr Expectations crashed{.answers_may_be_lost = true, .every_intent_is_accepted = true};

/// One that came twice would be let in twice.
std::string preview_journey(int pace) {
    return "id: preview\nstatus: live\nenter: { audience: members, pace: " + std::to_string(pace) +
           R"(/s, reentry: always }
steps:
  - name: touch
    send: { channel: crm, template: welcome, topic: shop, expires: 30d }
)";
}
constexpr auto cheaper_journey = R"(
id: cheaper
status: live
enter:
  on: [Product Price Dropped]
  interested: { did: [Product Added to Wishlist], within: 30d }
  key: event.properties.product_id
  reentry: always
steps:
  - name: touch
    send: { channel: crm, template: hello, topic: shop, expires: 30d }
)";

/// `u0` to `u1999` are members, who wish for p1 and p2 in turns; 200 others do neither.
class Shop {
public:
    explicit Shop(int pace = 100, const Environment& environment = {}) {
        world.add_journey("preview", preview_journey(pace));
        world.add_journey("cheaper", cheaper_journey);
        std::ofstream{world.folder() / "audiences.yaml"}
            << "members: customer.traits.member == true\n";
        world.start(environment);
        producers = std::make_unique<Producers>(
            world.loop,
            Producers::Options{.port = world.port(),
                               .connections = 1,
                               .rate = 0,
                               .messages_per_frame = 100,
                               .frames_in_flight = 20},
            [number = std::make_shared<int>(0)](int) { return message((*number)++); });
        while (producers->totals().sent < members + others + members)
            std::this_thread::sleep_for(1ms);
        REQUIRE(producers->finish(60s));
        REQUIRE(world.wait_for_calm() == "");
    }

    /// By the operator's command.
    void enter() {
        Process command{{options().binary, "enter", "preview", "--config", world.config().string()},
                        {},
                        world.folder() / "enter.txt",
                        {}};
        REQUIRE(command.wait(20s) == 0);
    }
    /// The status; 0: no answer.
    int price(int amount) {
        RawClient client{world.port()};
        const auto body =
            R"({"product_id":"p1","name":"Lamp","price":)" + std::to_string(amount) + '}';
        client.send("POST /v1/products HTTP/1.1\r\nhost: shop\r\nauthorization: Bearer test-key\r\n"
                    "content-type: application/json\r\ncontent-length: " +
                    std::to_string(body.size()) + "\r\n\r\n" + body);
        return client.read_answer().status;
    }
    /// By the walk that was begun last.
    int copied() const {
        const auto text = world.sql("SELECT copied FROM walks ORDER BY at DESC LIMIT 1");
        return text.empty() ? 0 : std::stoi(text);
    }
    int in_log(const std::string& name) const {
        int count = 0;
        runtime::Archive archive{world.conninfo()};
        schema::MessageDecoder decoder;
        const auto read = archive.read_log([&](const schema::StoredRecord& stored) {
            const auto record = schema::decode(stored.kind, stored.body, stored.header, decoder);
            const auto* event = record ? record->event() : nullptr;
            if (event && event->name == name) ++count;
        });
        CHECK(read.has_value());
        return count;
    }
    /// Of what `journey` has done: so many customers were let in so often each, and each got a
    /// message each time.
    void require_entered(const std::string& journey, int customers, int times) {
        CAPTURE(journey);
        const auto entries = "FROM timeline WHERE kind = 'enter' AND journey = '" + journey + "'";
        CHECK(world.sql("SELECT count(DISTINCT customer) " + entries) == std::to_string(customers));
        CHECK(world.sql("SELECT count(*) FROM (SELECT 1 " + entries +
                        " GROUP BY customer HAVING count(*) <> " + std::to_string(times) +
                        ") AS wrong") == "0");
        const auto seen = world.provider->seen();
        CHECK(std::ranges::count_if(seen, [](const auto& one) {
                  return one.second.accepted > 0;
              }) == customers * times);
    }

    World world{{.clock_speed = 1}}; // A pace is that of the service's clock.
    std::unique_ptr<Producers> producers;

private:
    static Message message(int number) {
        const auto id = "m" + std::to_string(number);
        number %= members + others + members;
        const bool is_wish = number >= members + others;
        if (is_wish) number -= members + others;
        const auto head =
            R"({"messageId":")" + id + R"(","userId":"u)" + std::to_string(number) + "\",";
        if (!is_wish)
            return {id, head + R"("type":"identify","traits":{"member":)" +
                            (number < members ? "true" : "false") + "}}"};
        return {
            id,
            head +
                R"("type":"track","event":"Product Added to Wishlist","properties":{"product_id":"p)" +
                std::to_string(1 + number % 2) + "\"}}"};
    }
};

/// Killed at a failpoint while the audience is let in, and started again.
std::vector<std::string> audience_killed_at(const std::string& point, const Environment& mutant) {
    Shop shop{400, mutant};
    REQUIRE(shop.world.stop() == 0);
    auto environment = mutant;
    environment["SOJOURN_FAILPOINT"] = point;
    shop.world.start(environment);
    shop.enter();
    CHECK(shop.world.service().wait(30s) == -SIGKILL);
    CHECK(shop.copied() < members);
    shop.world.start(mutant);
    return settle_and_prove(shop.world, *shop.producers, crashed);
}

} // namespace

TEST_CASE("kill -9 while an event goes to many: an audience, half-way at its pace") {
    Shop shop{400};
    const auto begin = Clock::now();
    shop.enter();
    for (const auto until = Clock::now() + 30s;
         shop.copied() < members / 2 && Clock::now() < until;)
        std::this_thread::sleep_for(5ms);
    shop.world.service().kill();
    const auto half = shop.copied();
    INFO("killed behind " << half << " of " << members);
    CHECK(half >= members / 2);
    CHECK(half < members);
    CHECK(shop.in_log("Audience Reached") == half);
    shop.world.start();
    require_none(settle_and_prove(shop.world, *shop.producers, crashed));
    CHECK(Clock::now() - begin > 4s);
    CHECK(shop.in_log("Audience Reached") == members);
    shop.require_entered("preview", members, 1);
}

TEST_CASE("kill -9 while an event goes to many: an audience, at each failpoint around the append") {
    Shop shop{100};
    shop.enter();
    for (const char* point :
         {"walk.before", "walk.after", "commit_sent.before", "commit_sent.after",
          "commit_reply.before", "commit_reply.after", "append.after", "append.before",
          "apply.before", "apply.after", "flush_commit.before", "flush_commit.after"}) {
        INFO(point);
        shop.world.service().kill();
        const auto before = shop.copied();
        // Others pass the same points; from here on the walk is cut off, whoever passes: two of
        // its batches are stored, and the third is about to be appended.
        shop.world.launch({{"SOJOURN_FAILPOINT", "walk.before@3>" + std::string{point} + ":kill"}});
        CHECK(shop.world.service().wait(30s) == -SIGKILL);
        const auto after = shop.copied();
        CAPTURE(before, after);
        CHECK(after > before);
        CHECK(after < members);
    }
    // And what fails is tried again, as is what nobody can tell.
    shop.world.start(
        {{"SOJOURN_FAILPOINT", "walk.before:error@2,append.before:error@60,append.after:error@6,"
                               "commit_sent.before:error@12,commit_sent.after:error@20,"
                               "commit_reply.before:error@28"}});
    require_none(settle_and_prove(shop.world, *shop.producers, crashed));
    CHECK(shop.in_log("Audience Reached") == members);
    shop.require_entered("preview", members, 1);
}

TEST_CASE("kill -9 while an event goes to many: a product's, to who is interested") {
    Shop shop;
    int amount = 100, rounds = 0;
    REQUIRE(shop.price(amount) == 200);
    for (const char* point :
         {"walk.before:kill@1", "walk.before:kill@2", "walk.after:kill@1", "walk.after:kill@2"}) {
        INFO(point);
        REQUIRE(shop.world.stop() == 0);
        shop.world.start({{"SOJOURN_FAILPOINT", point}});
        const auto answer = shop.price(--amount);
        CHECK((answer == 200 || answer == 0)); // It may end before it has answered.
        REQUIRE(shop.world.service().wait(30s) == -SIGKILL);
        const auto copied = shop.copied();
        const bool is_half = point == std::string_view{"walk.before:kill@2"} ||
                             point == std::string_view{"walk.after:kill@1"};
        CAPTURE(copied);
        if (is_half) CHECK((copied > 0 && copied < wishers));
        CHECK(shop.in_log("Product Price Dropped") == rounds * wishers + copied);
        shop.world.start();
        REQUIRE(shop.world.wait_for_calm() == ""); // Of each a run is over before the next begins.
        CHECK(shop.in_log("Product Price Dropped") == ++rounds * wishers);
    }
    require_none(settle_and_prove(shop.world, *shop.producers, crashed));
    shop.require_entered("cheaper", wishers, rounds);
}

TEST_CASE("mutant: a walk that is stored apart from its copies is caught") {
    const std::string point = "walk.after:kill@20";
    SECTION("the same run finds nothing in the service as it is") {
        require_none(audience_killed_at(point, {}));
    }
    SECTION("the mutant") {
        const auto wrong =
            audience_killed_at(point, {{"SOJOURN_MUTANT", "walk-outside-transaction"}});
        for (const auto& line : wrong) UNSCOPED_INFO(line);
        CHECK(std::ranges::any_of(wrong, [](const std::string& line) {
            return line.starts_with("I2 a copy is in the log twice");
        }));
    }
}

} // namespace faults
