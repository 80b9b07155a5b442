// The models that a service fits to its own customers, through the whole service.

#include "journeys/time.hpp"
#include "runtime/archive.hpp"
#include "runtime/database.hpp"
#include "runtime/event_files.hpp"
#include "runtime/publication.hpp"
#include "schema/model_json.hpp"
#include "schema/timestamp_text.hpp"
#include "tests/runtime/service_fixture.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <thread>

namespace runtime::test {
namespace {

using namespace std::chrono_literals;

constexpr auto greeting = R"(
id: greeting
status: live
enter: { on: Signed Up, reentry: always }
steps:
  - name: hello
    send: { channel: email, template: gift, topic: cart }
)";

/// What the models know beside purchases, as `fit --sessions` has it.
constexpr auto intent = R"({"intent":{"intercept":-2,"weights":{}}})";

/// A service whose sixty customers have ordered twice each.
class Shop : public ServiceFolder {
public:
    Shop() {
        write("sojourn.yaml", R"(
listen: { port: 0 }
storage: { data_dir: data, checkpoint: 1s }
journeys: journeys
keys: [{ name: web, key: test-key, scopes: [ingest, admin] }]
topics: [cart]
models: { file: models.json }
channels:
  email: { type: sandbox, address: email, opt_in: false }
)");
        write("templates/gift.mustache", "---\nsubject: A gift\n---\n<p>Hello</p>\n");
        write("events.yaml", "events:\n  Signed Up: {}\n");
        write("journeys/greeting.yaml", greeting);
        write("models.json", intent);
    }

    void sell() {
        const auto now = std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now());
        std::vector<std::string> orders;
        for (int i = 0; i < 60; ++i)
            for (const int days : {200 - i, 100 - i}) {
                const auto id = std::to_string(i) + "-" + std::to_string(days);
                orders.push_back(R"({"type":"track","event":"Order Completed","userId":"p)" +
                                 std::to_string(i) + R"(","messageId":")" + id +
                                 R"(","timestamp":")" + schema::timestamp_text(now - days * 24h) +
                                 R"(","properties":{"order_id":")" + id + R"(","total":)" +
                                 std::to_string(20 + i % 7) + R"(,"currency":"EUR"}})");
            }
        send(orders);
    }
    /// Fits until the newest publication has models of purchases; that publication.
    Files fit() {
        Archive archive{must(open_database(config())).conninfo};
        for (int i = 0; i < 300; ++i) {
            service().fit();
            for (const auto& text : must(archive.publications())) {
                auto files = must(files_from_text(text));
                const auto models = schema::parse_models(files.models ? files.models->text : "");
                if (models && models->has_purchases) return files;
            }
            std::this_thread::sleep_for(100ms);
        }
        FAIL("no fitted models were published");
        return {};
    }
    std::string models_file() { return must(read_file(path() / "models.json")); }
};

} // namespace

TEST_CASE("a fit is published with what runs, and not with files that are being edited",
          "[.postgres]") {
    Shop shop;
    shop.start();
    shop.sell();
    shop.write("journeys/greeting.yaml", "id: greeting\nstatus: li"); // Half-way through an edit.
    shop.write("models.json", R"({"intent":{"intercept":-3,"weights":{}}})");
    const auto published = shop.fit();
    REQUIRE(published.journeys.size() == 1);
    CHECK(published.journeys.begin()->second == greeting);
    CHECK(must(schema::parse_models(published.models->text)).intent->intercept == -2);
    const auto written = must(schema::parse_models(shop.models_file()));
    CHECK(written.has_purchases);
    CHECK(written.intent->intercept == -3);

    shop.write("journeys/greeting.yaml", greeting);
    CHECK(shop.service().reload() == "published"); // The edit of the models counts now.
    CHECK(shop.service().reload() == "no file has changed");
    shop.stop();
}

TEST_CASE("a file of models that cannot be read stops no fit", "[.postgres]") {
    Shop shop;
    shop.start();
    shop.sell();
    shop.write("models.json", "{ half an edit");
    const auto published = shop.fit();
    const auto written = must(schema::parse_models(shop.models_file()));
    CHECK(written.has_purchases);
    CHECK(written.intent->intercept == -2); // Of what runs.
    CHECK(must(read_file(shop.path() / "models.json.unreadable")) == "{ half an edit");
    CHECK(shop.service().reload() == "no file has changed");
    shop.stop();
}

} // namespace runtime::test
