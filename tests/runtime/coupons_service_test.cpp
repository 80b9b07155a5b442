// Pools of codes through the whole service, and the journeys that are watched.

#include "runtime/coupon_keeper.hpp"
#include "runtime/database.hpp"
#include "runtime/watch_keeper.hpp"
#include "tests/runtime/service_fixture.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <pqxx/pqxx>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

namespace runtime::test {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr auto journey_text = R"(
id: gift
status: live
watch: { sends_per_day: { at_most: 6 }, suppressed_below: 90% }
enter: { on: Product Viewed, reentry: never }
steps:
  - name: mail
    send:
      channel: email
      template: gift
      purpose: transactional
      coupon: spring
      data:
        code: coupon.code
)";

std::string viewed(const std::string& who) {
    return R"([{"type":"identify","userId":")" + who + R"(","traits":{"email":")" + who +
           R"(@example.com"}},{"type":"track","event":"Product Viewed","userId":")" + who +
           R"(","properties":{"product_id":"p1"}}])";
}

/// The code that somebody was sent.
std::string code_of(ServiceFolder& folder, const std::string& who) {
    const auto text = folder.wait_for_customer(who + "/timeline", "\"kind\":\"send\"");
    const auto told = json::parse(text);
    for (const auto& line : told["timeline"])
        if (line["kind"] == "send") return line["data"]["code"];
    return {};
}

json stand(ServiceFolder& folder) {
    return json::parse(folder.ask("GET", "/admin/coupons?json=1"))["pools"][0];
}

std::vector<schema::CouponCode> codes(int from, int to) {
    std::vector<schema::CouponCode> made;
    for (int i = from; i < to; ++i) made.push_back({"C" + std::to_string(i), std::nullopt});
    return made;
}

struct ShopFolder : ServiceFolder {
    ShopFolder() {
        write("journeys/gift.yaml", journey_text);
        write("templates/gift.mustache", "---\nsubject: x\n---\nYour code: {{code}}");
        write("coupons.yaml", "spring: { file: spring.csv, low: 3 }\n");
    }
};

} // namespace

TEST_CASE("each run is given a code of its own, over restarts, until the pool is empty",
          "[.postgres]") {
    ShopFolder folder;
    folder.write("spring.csv", "code,expires\nS1,\nS2,2999-12-31\nOLD,2020-01-01\n");
    folder.start();
    std::set<std::string> given;
    folder.send({viewed("ada")});
    given.insert(code_of(folder, "ada"));
    auto now = stand(folder);
    CHECK(now["left"] == 1);
    CHECK(now["given"] == 1);
    CHECK(now["given_in_24_hours"] == 1);
    CHECK(now["expired"] == 1);
    CHECK(folder.ask("GET", "/admin/coupons").find("low, it warns below 3") != std::string::npos);
    CHECK(folder.ask("GET", "/").find("codes are left in the pool spring") != std::string::npos);
    CHECK(folder.ask("GET", "/metrics").find("sojourn_coupons_left{pool=\"spring\"}") !=
          std::string::npos);

    folder.stop();
    folder.start();
    folder.send({viewed("bob")});
    given.insert(code_of(folder, "bob"));
    CHECK(given == std::set<std::string>{"S1", "S2"});
    folder.send({viewed("carl")});
    folder.wait_for_customer("carl/timeline", "no_coupon");
    CHECK(folder.ask("GET", "/admin/coupons").find("empty") != std::string::npos);

    // By hand, and by the pool's file; nobody is told of a pool that is not there.
    const auto more = json::parse(folder.ask("POST", "/admin/coupons/spring", "code\nS1\nS3\n"));
    CHECK(more == json::parse(R"({"added":1,"known":1,"refused":0})"));
    const auto [status, why] = folder.post("/admin/coupons/sprng", "code\nX\n");
    CHECK(status == 400);
    CHECK(why.find("Did you mean") != std::string::npos);
    folder.send({viewed("dora")});
    CHECK(code_of(folder, "dora") == "S3");
    folder.write("spring.csv", "code\nS1\nS2\nS4\n");
    folder.service().reload();
    folder.send({viewed("emil")});
    CHECK(code_of(folder, "emil") == "S4");
    CHECK(stand(folder)["left"] == 0);

    // What is known of a person, and forgotten with them; the code stays given.
    const auto exported = json::parse(folder.ask("GET", "/v1/customers/emil/export"));
    CHECK(exported["coupons"][0]["code"] == "S4");
    folder.ask("DELETE", "/v1/customers/emil");
    CHECK(stand(folder)["given"] == 4);
    { // Ends before the server does.
        pqxx::connection database{must(open_database(folder.config())).conninfo};
        pqxx::work work{database};
        CHECK(work.exec1("SELECT count(*) FROM coupons WHERE code = 'S4' AND intent IS NULL AND "
                         "run = '00000000-0000-0000-0000-000000000000'")[0]
                  .as<int>() == 1);
        // By their names whoever takes over ends them, too.
        CHECK(work.exec1("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE "
                         "'sojourn/%/desk/%'")[0]
                  .as<int>() > 0);
    }
    folder.stop();
}

TEST_CASE("a pool's file is read again only once it has changed, or while it has mistakes",
          "[.postgres]") {
    Database database;
    Log log{LogFormat::text, LogLevel::off};
    TemporaryFolder folder;
    const auto write = [&](const std::string& text) {
        std::ofstream{folder.path() / "spring.csv"} << text;
    };
    const std::map<std::string, schema::CouponPool> pools{{"spring", {.file = "spring.csv"}}};
    const auto begin = [&] {
        CouponKeeper keeper{{.conninfo = database.settings().conninfo,
                             .directory = folder.path(),
                             .now = [] { return journeys::from_millis(1'800'000'000'000); },
                             .show = {},
                             .log = log}};
        must(keeper.begin(pools));
        keeper.stop();
    };
    // What is taken out shows whether the file is read: only then it is there again.
    const auto take_out = [&] {
        must(database.connect().run("DELETE FROM coupons WHERE code = 'A'"));
    };
    const auto codes_left = [&] {
        return must(database.connect().run("SELECT count(*) FROM coupons")).int8(0, 0);
    };
    write("code\nA\nB\n");
    begin();
    CHECK(codes_left() == 2);
    take_out();
    begin();
    CHECK(codes_left() == 1);
    write("code\nA\nC\n");
    begin();
    CHECK(codes_left() == 3);
    std::filesystem::remove(folder.path() / "spring.csv");
    std::filesystem::create_directory(folder.path() / "spring.csv");
    begin(); // Says so, and goes on.
    CHECK(codes_left() == 3);
    std::filesystem::remove(folder.path() / "spring.csv");
    write("code,expires\nA,\nD,never\n");
    for (int starts = 0; starts < 2; ++starts) {
        take_out();
        begin();
        CHECK(codes_left() == 3);
    }
}

TEST_CASE("two processes on one database never hand out one code", "[.postgres]") {
    Database database;
    Log log{LogFormat::text, LogLevel::off};
    const auto now = [] { return journeys::from_millis(1'800'000'000'000); };
    const auto book = std::make_shared<CouponBook>(database.settings().conninfo);
    REQUIRE(must(book->add("spring", codes(0, 3000))) == 3000);
    REQUIRE(must(book->add("spring", codes(0, 3000))) == 0);
    std::mutex mutex;
    std::multiset<std::string> taken;
    std::vector<std::thread> threads;
    CouponPurse one{book, now, log}, other{book, now, log};
    must(one.open());
    must(other.open());
    for (auto* purse : {&one, &one, &other, &other})
        threads.emplace_back([&, purse] {
            for (int idle = 0; idle < 200;) {
                auto answer = purse->take("spring", {1, 1}, now());
                if (answer.kind != journeys::CouponAnswer::Kind::code) {
                    ++idle;
                    std::this_thread::sleep_for(5ms);
                    continue;
                }
                const std::lock_guard lock{mutex};
                taken.insert(std::move(answer.code));
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(taken.size() == 3000);
    CHECK(std::set<std::string>(taken.begin(), taken.end()).size() == 3000);
    CHECK(one.take("spring", {1, 1}, now()).kind == journeys::CouponAnswer::Kind::empty);

    // What was taken and reached nobody is free for the next process, once it is the only one.
    CouponPurse next{book, now, log};
    must(next.open());
    next.prepare("spring"); // Nobody waits for the first.
    CHECK(next.take("spring", {1, 1}, now()).code == "C0");
    CouponPurse later{book, now, log};
    later.prepare("spring"); // It does not work yet.
    CHECK(later.take("spring", {1, 1}, now()).kind == journeys::CouponAnswer::Kind::not_now);
}

TEST_CASE("a watched journey that floods is told of on the page, in the report and as a metric",
          "[.postgres]") {
    ShopFolder folder;
    folder.write("spring.csv", "code\nS1\nS2\nS3\nS4\nS5\nS6\nS7\nS8\nS9\n");
    folder.start();
    std::vector<std::string> frames;
    for (int i = 0; i < 6; ++i) frames.push_back(viewed("c" + std::to_string(i)));
    folder.send(frames);
    for (int i = 0; i < 6; ++i) code_of(folder, "c" + std::to_string(i));
    folder.stop();
    folder.start(); // What the day was is read again.
    CHECK(
        folder.ask("GET", "/admin/report/gift").find("watch     6 sent in 24 hours (at most 6)") !=
        std::string::npos);
    CHECK(folder.ask("GET", "/").find("banner") == folder.ask("GET", "/").find("banner{"));
    folder.send({viewed("one-more")});
    code_of(folder, "one-more");
    folder.write("journeys/gift.yaml",
                 std::string{journey_text} + "\n# The same, and looked at now.\n");
    folder.service().reload();
    const std::string words = "7 sent in 24 hours, at most 6 are expected";
    CHECK(folder.ask("GET", "/").find("gift: " + words) != std::string::npos);
    CHECK(folder.ask("GET", "/admin/report/gift").find("WATCH     " + words) != std::string::npos);
    CHECK(folder.ask("GET", "/metrics")
              .find("sojourn_watch_alarm{alarm=\"flooding\",journey=\"gift\"} 1") !=
          std::string::npos);
    const auto journeys = json::parse(folder.ask("GET", "/v1/journeys"))["journeys"];
    CHECK(journeys[0]["watch"]["alarm"] == "flooding");
    folder.stop();
}

TEST_CASE("a day that rolls on forgets what is older", "[watch]") {
    const auto noon = journeys::from_millis(1'800'000'000'000);
    RollingDay day;
    journeys::DayOfSends one;
    one.sent = 1;
    day.add(noon, one);
    day.add(noon + 5h, one);
    CHECK(day.sum(noon + 5h).sent == 2);
    CHECK(day.sum(noon + 24h).sent == 2);
    CHECK(day.sum(noon + 24h + 11min).sent == 1);
    day.add(noon, one); // Too old.
    CHECK(day.sum(noon + 24h + 11min).sent == 1);
    CHECK(day.sum(noon + 96h).sent == 0);
}

} // namespace runtime::test
