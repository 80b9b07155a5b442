// One event on its way to many customers, through the whole service.

#include "journeys/local_time.hpp"
#include "runtime/listener/local_socket.hpp"
#include "tests/runtime/service_fixture.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <string>
#include <thread>

namespace runtime::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto cheaper = R"(
id: cheaper
status: live
enter:
  on: Product Price Dropped
  interested: { did: [Product Viewed], within: 30d }
  key: event.properties.product_id
  reentry: always
steps:
  - name: news
    send:
      channel: email
      template: news
      purpose: transactional
      data:
        from: run.event.properties.from
        to: product(run.key).price
)";

/// What opens an intent is written at once, so the reports of the database tell of it at once.
std::string preview(const std::string& more, const std::string& status = "live") {
    return "id: preview\nstatus: " + status + "\nenter: { audience: everybody, " + more + R"( }
steps:
  - name: hello
    send:
      channel: email
      template: news
      purpose: transactional
      data:
        from: "'a'"
        to: "'b'"
)";
}

class Shop {
public:
    explicit Shop(const std::string& journey) {
        folder.write("journeys/j.yaml", journey);
        folder.write("templates/news.mustache", "---\nsubject: x\n---\n{{from}} {{to}}");
        folder.write("audiences.yaml", "everybody: customer.orders >= 0\n"
                                       "tens: customer.traits.ten == true\n");
        folder.start();
    }
    /// `u0` to `u<count - 1>` look at p1; every tenth is one of the tens.
    void look(int count) {
        json batch = json::array();
        for (int i = 0; i < count; ++i) {
            const auto user = "u" + std::to_string(i);
            batch.push_back({{"type", "identify"},
                             {"userId", user},
                             {"messageId", "i" + user},
                             {"traits", {{"email", user + "@example.com"}, {"ten", i % 10 == 0}}}});
            batch.push_back({{"type", "track"},
                             {"event", "Product Viewed"},
                             {"userId", user},
                             {"messageId", "v" + user},
                             {"properties", {{"product_id", "p1"}}}});
        }
        REQUIRE(folder.post("/v1/batch", json{{"batch", batch}}.dump()).first == 200);
    }
    void price(int amount) {
        REQUIRE(folder
                    .post("/v1/products", R"({"product_id":"p1","name":"Lamp","price":)" +
                                              std::to_string(amount) + "}")
                    .first == 200);
    }
    /// By the timelines that are stored.
    int entered(const std::string& journey) {
        const auto answer =
            ask_service(folder.socket(), "GET", "/admin/report/" + journey + "?json=1");
        return answer ? json::parse(*answer).at("entered").get<int>() : 0;
    }
    int wait_for_entered(const std::string& journey, int least) {
        for (int i = 0; i < 2000 && entered(journey) < least; ++i)
            std::this_thread::sleep_for(10ms);
        return entered(journey);
    }
    /// Whether /metrics shows that line, or does so soon.
    bool shows(const std::string& line) {
        for (int i = 0; i < 500; ++i) {
            if (folder.ask("GET", "/metrics").find(line) != std::string::npos) return true;
            std::this_thread::sleep_for(10ms);
        }
        return false;
    }
    /// Publishes it in place of the one before.
    void edit(const std::string& journey) {
        folder.write("journeys/j.yaml", journey);
        REQUIRE(folder.service().reload() == "published");
    }
    void restart() {
        folder.stop();
        folder.start();
    }

    ServiceFolder folder;
};

} // namespace

TEST_CASE("a price that drops reaches each who looked, once, and nobody else", "[.postgres]") {
    Shop shop{cheaper};
    shop.look(40);
    shop.folder.post("/v1/track", R"({"type":"track","event":"Product Viewed","userId":"other",
                                      "messageId":"o1","properties":{"product_id":"p2"}})");
    shop.price(100);
    shop.price(80);
    CHECK(shop.wait_for_entered("cheaper", 40) == 40);
    const auto text = shop.folder.wait_for_customer("u7/timeline", "\"kind\":\"send\"");
    CHECK(text.find("\"from\":100") != std::string::npos);
    CHECK(shop.folder.wait_for_customer("other", "other").find("cheaper") == std::string::npos);

    // The index begins anew from the snapshots, and what was told is not told again.
    shop.restart();
    shop.price(90); // Up.
    shop.price(70);
    CHECK(shop.wait_for_entered("cheaper", 80) == 80);
    std::this_thread::sleep_for(300ms);
    CHECK(shop.entered("cheaper") == 80);
    CHECK(shop.shows("sojourn_walk_copies_total{of=\"product\"} 40\n"));
    CHECK(shop.shows("sojourn_walks_open 0\n"));
    shop.folder.stop();
}

TEST_CASE("an audience is let in by hand, counted before, and limited", "[.postgres]") {
    Shop shop{preview("pace: 100/s, reentry: never")};
    shop.look(30);
    shop.restart(); // All is in the snapshots.
    const auto path = std::string{"/admin/journeys/preview/enter"};
    CHECK(shop.folder.ask("POST", path + "?audience=tens&dry_run=1")
              .find("3 of 30 customers would be let into preview") == 0);
    CHECK(shop.entered("preview") == 0);
    CHECK(shop.folder.ask("POST", path + "?audience=tens&limit=2")
              .find("the audience tens is let into preview, at most 2") == 0);
    CHECK(shop.wait_for_entered("preview", 2) == 2);
    shop.folder.ask("POST", path + "?audience=tens");
    CHECK(shop.wait_for_entered("preview", 3) == 3);
    const auto walks = json::parse(shop.folder.ask("GET", "/admin/walks?json=1")).at("walks");
    REQUIRE(walks.size() == 2); // The newest first.
    CHECK(walks[0].at("copied") == 3);
    CHECK(walks[1].at("copied") == 2);
    CHECK(walks[1].at("at_most") == 2);
    CHECK(walks[1].contains("over_at"));
    CHECK(walks[1].at("journey") == "preview");
    CHECK_FALSE(ask_service(shop.folder.socket(), "POST", path + "?audience=nobody").has_value());
    CHECK_FALSE(
        ask_service(shop.folder.socket(), "POST", "/admin/journeys/other/enter").has_value());
    shop.folder.stop();
}

TEST_CASE("a walk that is cut off half-way goes on where it was", "[.postgres]") {
    Shop shop{preview("pace: 20/s, reentry: always")};
    shop.look(60);
    shop.restart();
    const auto begun = std::chrono::steady_clock::now();
    shop.folder.ask("POST", "/admin/journeys/preview/enter");
    const int before = shop.wait_for_entered("preview", 10);
    CHECK(before < 40);
    CHECK(shop.folder.ask("GET", "/admin/walks")
              .find("under way             everybody into preview, 20/s\n") != std::string::npos);
    CHECK(shop.shows("sojourn_walks_open 1\n"));
    shop.restart();
    CHECK(shop.wait_for_entered("preview", 60) == 60);
    const auto took = std::chrono::steady_clock::now() - begun;
    CHECK(took > 2500ms); // At its pace.
    std::this_thread::sleep_for(300ms);
    CHECK(shop.entered("preview") == 60);
    shop.folder.stop();
}

TEST_CASE("a walk stands still while its journey is paused, and a closed one ends it",
          "[.postgres]") {
    const std::string how = "pace: 20/s, reentry: always";
    Shop shop{preview(how)};
    shop.look(60);
    shop.restart();
    shop.folder.ask("POST", "/admin/journeys/preview/enter");
    REQUIRE(shop.wait_for_entered("preview", 5) < 30);
    shop.edit(preview(how, "paused"));
    std::this_thread::sleep_for(600ms); // What was copied before is on record by then.
    const int at_pause = shop.entered("preview");
    std::this_thread::sleep_for(600ms);
    CHECK(shop.entered("preview") == at_pause);
    CHECK(shop.folder.ask("GET", "/admin/walks").find("under way") != std::string::npos);
    SECTION("it goes on where it was, and leaves nobody out") {
        shop.edit(preview(how));
        CHECK(shop.wait_for_entered("preview", 60) == 60);
    }
    SECTION("also behind a restart") {
        shop.restart();
        CHECK(shop.entered("preview") == at_pause);
        shop.edit(preview(how));
        CHECK(shop.wait_for_entered("preview", 60) == 60);
    }
    SECTION("it ends") {
        shop.edit(preview(how, "closed"));
        CHECK(shop.shows("sojourn_walks_open 0\n"));
        CHECK(shop.folder.ask("GET", "/admin/walks").find("under way") == std::string::npos);
        CHECK(shop.entered("preview") == at_pause);
    }
    shop.folder.stop();
}

TEST_CASE("an audience is let in at its instant, once", "[.postgres]") {
    const auto at = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) + 6s;
    Shop shop{preview("at: \"" + journeys::to_text(std::chrono::floor<journeys::Duration>(at)) +
                      "\", reentry: always")};
    shop.look(10);
    shop.restart(); // Before it comes.
    CHECK(shop.wait_for_entered("preview", 10) == 10);
    CHECK(std::chrono::system_clock::now() >= at);
    shop.restart();
    std::this_thread::sleep_for(600ms);
    CHECK(shop.entered("preview") == 10);
    shop.folder.stop();
}

} // namespace runtime::test
