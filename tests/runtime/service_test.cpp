#include "tests/runtime/postgres_fixture.hpp"

#include "runtime/archive.hpp"
#include "runtime/database.hpp"
#include "runtime/event_files.hpp"
#include "runtime/producer/stream_producer.hpp"
#include "runtime/publication.hpp"
#include "runtime/service.hpp"
#include "runtime/service_storage.hpp"
#include "runtime/simulation.hpp"
#include "schema/timestamp_text.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <mutex>
#include <set>
#include <thread>

namespace runtime::test {
namespace {

using Steady = std::chrono::steady_clock;

void write(const std::filesystem::path& file, std::string_view text) {
    std::filesystem::create_directories(file.parent_path());
    std::ofstream{file} << text;
}

constexpr auto config_text = R"(
listen: { port: 0 }
storage: { data_dir: data }
journeys: journeys
keys: [{ name: shop, key: test-key, scopes: [ingest, decide, admin] }]
channels:
  email: { type: sandbox, address: none, opt_in: false }
)";

constexpr auto cart_text = R"(
id: cart-abandon
status: live
enter: { on: [Product Added], key: cart.id, reentry: always }
exit:
  - { on: Order Completed, reason: purchased }
holdout: 10%
steps:
  - name: wait
    wait: { for: 45m, restart_on: [Product Added], at_most: 6h }
  - name: touch
    send:
      channel: email
      template: cart
      topic: cart
      data:
        total: cart.value
)";

constexpr auto browse_text = R"(
id: browse-abandon
status: live
enter: { on: [Product Viewed], when: size(cart.items) == 0, reentry: { after: 7d, per: customer } }
exit:
  - { on: [Product Added, Order Completed], reason: went-on }
steps:
  - name: wait
    wait: { for: 1h }
  - name: touch
    send: { channel: email, template: browse, topic: browse }
)";

/// The recorded shop's messages in frames of 20, without their times: they happen when they arrive.
std::vector<StreamProducer::Frame> recorded_frames() {
    std::ifstream in{std::string{SOJOURN_SOURCE_DIR} + "/tests/data/otto/stream.jsonl"};
    std::vector<StreamProducer::Frame> frames;
    StreamProducer::Frame frame;
    for (std::string line; std::getline(in, line);) {
        auto message = nlohmann::json::parse(line);
        message.erase("timestamp");
        frame.text += (frame.messages == 0 ? "[" : ",") + message.dump();
        if (++frame.messages < 20) continue;
        frame.text += ']';
        frames.push_back(std::exchange(frame, {}));
    }
    if (frame.messages > 0) {
        frame.text += ']';
        frames.push_back(std::move(frame));
    }
    return frames;
}

journeys::Timestamp service_time(const StreamUrl& url) {
    const auto health = nlohmann::json::parse(must(get_from_host(url, "/healthz")));
    return *schema::parse_producer_time(health.at("service_time").get<std::string>());
}

using Triggers = std::set<std::string>;
std::string told(const journeys::CustomerId& customer, const journeys::TimelineEntry& entry) {
    return journeys::display(customer) + ' ' + entry.journey + ' ' + entry.step + ' ' +
           std::string{journeys::to_text(entry.kind)} + ' ' + entry.reason + ' ' +
           (entry.intent ? journeys::to_text(entry.intent) : "");
}

} // namespace

TEST_CASE("the live service and simulate over its log fire the same triggers", "[.postgres]") {
    const TemporaryFolder folder;
    const auto config = folder.path() / "sojourn.yaml";
    write(config, config_text);
    write(folder.path() / "journeys" / "cart.yaml", cart_text);
    write(folder.path() / "journeys" / "browse.yaml", browse_text);
    write(folder.path() / "templates" / "browse.mustache", "Still looking?");
    write(folder.path() / "templates" / "cart.mustache", "Your cart: {{total}}");

    ServiceOptions options;
    options.config = config;
    // Fast enough for a test, slow enough that no wait ends while events are still being sent.
    options.clock_speed = 300;
    std::vector<schema::Mistake> mistakes;
    auto started = Service::start(options, mistakes);
    for (const auto& mistake : mistakes) FAIL(schema::to_text(mistake));
    const auto service = must(std::move(started));
    const auto url =
        must(parse_stream_url("ws://127.0.0.1:" + std::to_string(service->port()) + "/v1/stream"));

    auto frames = recorded_frames();
    std::size_t next = 0;
    StreamProducer::Options producing{.url = url, .write_key = "test-key"};
    StreamProducer::Callbacks callbacks;
    callbacks.next = [&]() -> std::optional<StreamProducer::Frame> {
        if (next == frames.size()) return std::nullopt;
        return std::move(frames[next++]);
    };
    const auto totals = must(StreamProducer::run(producing, callbacks));
    CHECK(totals.accepted == 877);
    CHECK(totals.rejected == 0);

    // The last waits end an hour after the last event; then nothing is due for hours.
    const auto until = service_time(url) + std::chrono::minutes{90};
    while (service_time(url) < until) std::this_thread::sleep_for(std::chrono::milliseconds{20});
    REQUIRE(service->stop());

    const auto database = must(open_database(config));
    Archive archive{database.conninfo};
    Triggers live;
    for (const auto& row : must(archive.last_triggers(100'000)))
        live.insert(told(row.customer, row.entry));

    const auto log = folder.path() / "log.jsonl";
    {
        std::ofstream out{log};
        must(archive.read_log([&](const schema::StoredRecord& record) {
            out << schema::to_log_line(record) << '\n';
        }));
    }
    const auto recorded = must(read_log({log}));
    CHECK(recorded.refused_count == 0);
    CHECK(recorded.events == 877);
    CompileOptions compiling;
    compiling.directory = folder.path();
    const auto compiled = compile(database.files, compiling);
    REQUIRE(compiled.catalog);
    Triggers simulated;
    simulate(compiled.catalog, recorded.records, {.until = until, .from_log = true},
             [&](const journeys::CustomerId& customer, const journeys::TimelineEntry& entry) {
                 if (entry.kind == journeys::EntryKind::send ||
                     entry.kind == journeys::EntryKind::suppress)
                     simulated.insert(told(customer, entry));
             });
    CHECK(live.size() > 10);
    CHECK(live == simulated);
}

TEST_CASE("a restart goes on where the service stopped", "[.postgres]") {
    const TemporaryFolder folder;
    const auto config = folder.path() / "sojourn.yaml";
    write(config, config_text);
    write(folder.path() / "journeys" / "cart.yaml", cart_text);
    write(folder.path() / "templates" / "cart.mustache", "Your cart: {{total}}");
    ServiceOptions options;
    options.config = config;
    const auto start = [&] {
        std::vector<schema::Mistake> mistakes;
        return must(Service::start(options, mistakes));
    };
    const auto send = [&](Service& service, const std::string& message) {
        const auto url = must(
            parse_stream_url("ws://127.0.0.1:" + std::to_string(service.port()) + "/v1/stream"));
        bool sent = false;
        StreamProducer::Callbacks callbacks;
        callbacks.next = [&]() -> std::optional<StreamProducer::Frame> {
            if (std::exchange(sent, true)) return std::nullopt;
            StreamProducer::Frame frame;
            frame.text = message;
            frame.messages = 1;
            return frame;
        };
        return must(StreamProducer::run({.url = url, .write_key = "test-key"}, callbacks)).accepted;
    };
    const std::string added =
        R"({"type":"track","messageId":"m1","userId":"ada","event":"Product Added",
            "properties":{"cart_id":"c-1","product_id":"p1","price":49.99,"quantity":1}})";
    {
        const auto service = start();
        CHECK(send(*service, added) == 1);
        REQUIRE(service->stop());
    }
    {
        const auto service = start();
        CHECK(send(*service, added) == 1); // Accepted, and known as a duplicate.
        REQUIRE(service->stop());
    }
    const auto database = must(open_database(config));
    Archive archive{database.conninfo};
    const auto block = must(archive.snapshot("user:ada"));
    REQUIRE(block);
    const auto ada = must(journeys::unpack(*block));
    REQUIRE(ada.carts.size() == 1);
    CHECK(ada.carts[0].lines.at(0).quantity == 1);
    CHECK(ada.runs.size() == 1);
}

TEST_CASE("an expression that ends in an error is told on the page, over publications",
          "[.postgres]") {
    const TemporaryFolder folder;
    const auto config = folder.path() / "sojourn.yaml";
    write(config, config_text);
    write(folder.path() / "journeys" / "shaky.yaml", R"(id: shaky
status: live
enter:
  on: [Product Added]
  when:
    - event.properties.price < 500.0
    - event.properties.rating > 4.0
  reentry: always
steps:
  - wait: { for: 1h }
)");
    const auto service = [&] {
        std::vector<schema::Mistake> mistakes;
        return must(Service::start({.config = config}, mistakes));
    }();
    const auto url =
        must(parse_stream_url("ws://127.0.0.1:" + std::to_string(service->port()) + "/v1/stream"));
    const auto send = [&](int number) {
        bool sent = false;
        StreamProducer::Callbacks callbacks;
        callbacks.next = [&]() -> std::optional<StreamProducer::Frame> {
            if (std::exchange(sent, true)) return std::nullopt;
            StreamProducer::Frame frame;
            frame.text =
                R"({"type":"track","userId":"ada","event":"Product Added","messageId":"m)" +
                std::to_string(number) + R"(","properties":{"product_id":"p","price":9}})";
            frame.messages = 1;
            return frame;
        };
        CHECK(
            must(StreamProducer::run({.url = url, .write_key = "test-key"}, callbacks)).accepted ==
            1);
    };
    const auto row = [](int times) {
        const auto number = std::to_string(times);
        return "shaky.yaml:7</td><td>enter.when</td><td class=x>event.properties.rating &gt; "
               "4.0<td class=n>" +
               number + "</td><td class=n>0</td><td class='n bad'>" + number + "</tr>";
    };
    const auto shows = [&](const std::string& part) {
        const auto until = Steady::now() + std::chrono::seconds{30};
        while (Steady::now() < until) {
            const auto page = must(get_from_host(url, "/"));
            if (page.find(part) != std::string::npos) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
        return false;
    };
    CHECK(must(get_from_host(url, "/")).find("ended in an error") == std::string::npos);
    send(1);
    CHECK(shows(row(1)));
    write(folder.path() / "journeys" / "another.yaml", browse_text);
    write(folder.path() / "templates" / "browse.mustache", "Still looking?");
    service->reload();
    CHECK(shows("browse-abandon"));
    send(2);
    CHECK(shows(row(2)));
    REQUIRE(service->stop());
}

TEST_CASE("who has been silent since before is won back when models are published", "[.postgres]") {
    const TemporaryFolder folder;
    const auto config = folder.path() / "sojourn.yaml";
    write(config, config_text);
    write(folder.path() / "journeys" / "win-back.yaml", R"(
id: win-back
status: live
enter: { on_churn_risk: 0.5, reentry: always }
steps:
  - name: missed
    send: { channel: email, template: missed, topic: offers }
)");
    write(folder.path() / "templates" / "missed.mustache", "We miss you");
    ServiceOptions options;
    options.config = config;
    const auto start = [&] {
        std::vector<schema::Mistake> mistakes;
        return must(Service::start(options, mistakes));
    };
    {
        const auto service = start();
        const auto url = must(
            parse_stream_url("ws://127.0.0.1:" + std::to_string(service->port()) + "/v1/stream"));
        StreamProducer::Frame frame;
        frame.text = R"([{"type":"track","messageId":"m1","userId":"ada","event":"Order Completed",
            "timestamp":"2024-01-05T10:00:00Z","properties":{"order_id":"o-1","revenue":49.99}},
           {"type":"track","messageId":"m2","userId":"bob","event":"Order Completed",
            "properties":{"order_id":"o-2","revenue":49.99}}])";
        frame.messages = 2;
        bool sent = false;
        StreamProducer::Callbacks callbacks;
        callbacks.next = [&]() -> std::optional<StreamProducer::Frame> {
            if (std::exchange(sent, true)) return std::nullopt;
            return std::move(frame);
        };
        CHECK(
            must(StreamProducer::run({.url = url, .write_key = "test-key"}, callbacks)).accepted ==
            2);
        REQUIRE(service->stop());
    }
    const auto service = start(); // Both sleep now.
    write(folder.path() / "models.json",
          R"({"model": "mbgnbd", "parameters": {"r": 0.52, "alpha": 6.18, "a": 0.89, "b": 1.61}})");
    service->reload();
    Triggers triggers;
    {
        const auto database = must(open_database(config));
        Archive archive{database.conninfo};
        const auto until = Steady::now() + std::chrono::seconds{60};
        while (triggers.empty() && Steady::now() < until) {
            for (const auto& row : must(archive.last_triggers(100)))
                triggers.insert(journeys::display(row.customer) + ' ' + row.entry.journey);
            std::this_thread::sleep_for(std::chrono::milliseconds{50});
        }
    }
    CHECK(triggers == Triggers{"ada win-back"});
    REQUIRE(service->stop());
    const auto database = must(open_database(config)); // The service has stopped its own.
    Archive archive{database.conninfo};
    const auto block = must(archive.snapshot("user:bob"));
    REQUIRE(block);
    const auto bob = must(journeys::unpack(*block));
    CHECK(bob.lifecycle.stage == journeys::Stage::fresh); // Met it too, and waits for his own day.
    CHECK(bob.lifecycle.due != journeys::no_time);
}

TEST_CASE("a private PostgreSQL that cannot start is tried again, and told of once",
          "[.postgres]") {
    using namespace std::chrono_literals;
    const TemporaryFolder folder;
    std::mutex mutex;
    std::vector<std::string> lines;
    Log log{LogFormat::text, LogLevel::info, [&](std::string_view line) {
                const std::lock_guard lock{mutex};
                lines.emplace_back(line);
            }};
    const auto count = [&](std::string_view part) {
        const std::lock_guard lock{mutex};
        return std::ranges::count_if(
            lines, [&](const std::string& line) { return line.find(part) != line.npos; });
    };
    const auto comes = [&](std::string_view part) {
        for (int i = 0; i < 1500 && count(part) == 0; ++i) std::this_thread::sleep_for(10ms);
        return count(part) == 1;
    };
    schema::Config config;
    config.storage.data_dir = "data";
    auto storage = must(ServiceStorage::open(folder.path() / "sojourn.yaml", config, log));
    const auto cluster = std::filesystem::path{storage->data_dir()} / "postgres";
    const auto settings = cluster / "postgresql.conf", aside = cluster / "aside.conf";
    std::filesystem::rename(settings, aside);
    write(settings, "this is no setting");
    int server = 0;
    std::ifstream{cluster / "postmaster.pid"} >> server;
    REQUIRE(server > 1);
    REQUIRE(::kill(server, SIGKILL) == 0);
    const auto last_try = [&] {
        std::error_code ignored;
        return std::filesystem::last_write_time(cluster / "start.log", ignored);
    };
    CHECK(comes("does not start why="));
    const auto first = last_try();
    for (int i = 0; i < 1500 && last_try() == first; ++i) std::this_thread::sleep_for(10ms);
    CHECK(last_try() != first); // The next is under way, or was in vain.
    CHECK(count("has ended and is started again") == 1);
    CHECK(count("does not start") == 1);
    CHECK(count("runs again") == 0);
    SECTION("until it can") {
        std::filesystem::rename(aside, settings);
        CHECK(comes("runs again"));
        CHECK(count("has ended and is started again") == 1);
    }
    SECTION("and nobody who stops waits for the next") {
        const auto before = Steady::now();
        storage->stop();
        CHECK(Steady::now() - before < 1s);
    }
    storage->stop();
}

TEST_CASE("what the environment lacks is one clear line", "[.postgres]") {
    const TemporaryFolder folder;
    const auto config = folder.path() / "sojourn.yaml";
    std::filesystem::create_directories(folder.path() / "journeys");
    std::vector<schema::Mistake> mistakes;
    const auto why = [&](const std::string& text) {
        write(config, text);
        const auto started = Service::start({.config = config}, mistakes);
        REQUIRE_FALSE(started.has_value());
        CHECK(mistakes.empty());
        const auto detail = started.error().detail;
        CHECK(detail.find('\n') == std::string::npos);
        return detail;
    };
    CHECK(why(R"(storage: { data_dir: /proc/none })").find("/proc/none") != std::string::npos);
    // Nor is another place taken instead: no user at all could enter this one.
    std::filesystem::create_directories(folder.path() / "closed");
    ::chmod((folder.path() / "closed").c_str(), 0700);
    for (const auto* file : {"file", "closed/file"}) {
        write(folder.path() / file, "no folder");
        CHECK(why("storage: { data_dir: " + std::string{file} + "/sub }")
                  .find(std::string{file} + "/sub: ") != std::string::npos);
    }
    CHECK(why(R"(listen: { address: 192.0.2.1 }
keys: [{ name: shop, key: not-the-demo-key, scopes: [ingest] }])")
              .find("192.0.2.1") != std::string::npos);
    CHECK(why(R"(storage: { url: "postgresql://127.0.0.1:1/none" })").size() > 0);

    const auto missing = Service::start({.config = folder.path() / "none.yaml"}, mistakes);
    REQUIRE_FALSE(missing.has_value());
    CHECK(missing.error().detail.find("none.yaml") != std::string::npos);
}

} // namespace runtime::test
