// What producers, shops and operators bring in, through the whole service and across its restarts.

#include "runtime/archive.hpp"
#include "runtime/database.hpp"
#include "runtime/dead_letters.hpp"
#include "runtime/event_files.hpp"
#include "runtime/imports/import_rows.hpp"
#include "runtime/imports/import_sender.hpp"
#include "runtime/listener/local_socket.hpp"
#include "runtime/listener/webhook_source.hpp"
#include "runtime/publication.hpp"
#include "runtime/simulation.hpp"
#include "runtime/suppressions.hpp"
#include "schema/csv_reader.hpp"
#include "schema/timestamp_text.hpp"
#include "tests/runtime/service_fixture.hpp"
#include "tests/support/raw_client.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

namespace runtime::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr auto cart_text = R"(
id: cart-abandon
status: live
enter: { on: [Product Added, Cart Updated], when: size(cart.items) > 0, key: cart.id, reentry: always }
exit:
  - { on: Order Completed, reason: purchased }
steps:
  - name: wait
    wait: { for: 45m }
  - name: touch
    send: { channel: email, template: cart, topic: cart }
)";

std::string file_text(const std::string& name) {
    std::ifstream file{SOJOURN_SOURCE_DIR "/tests/data/shopify/" + name};
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::size_t lines_of(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

journeys::Customer stored(const ServiceFolder& folder, const std::string& id) {
    const auto database = must(open_database(folder.config()));
    Archive archive{database.conninfo};
    const auto block = must(archive.snapshot(id));
    if (!block) FAIL("no " << id);
    return must(journeys::unpack(*block));
}

} // namespace

TEST_CASE("a producer's mistake is found in a minute, and forgotten with its person",
          "[.postgres]") {
    ServiceFolder folder;
    folder.start();
    const auto [status, body] =
        folder.post("/v1/batch", R"({"batch":[{"type":"track","userId":"ada","messageId":"m-1"},
            {"type":"track","event":"E","messageId":"m-2"},
            {"type":"track","event":"E","userId":"ada","messageId":"m-3"}]})");
    CHECK(status == 200);
    CHECK(json::parse(body)["rejected"].size() == 2);
    CHECK(folder.post("/v1/track", "{\"userId\":\"eve\"").first == 400);

    std::string all;
    for (int i = 0; i < 500 && lines_of(all) < 3; ++i) {
        all = folder.ask("GET", "/admin/rejects");
        std::this_thread::sleep_for(10ms);
    }
    INFO(all);
    REQUIRE(lines_of(all) == 3);
    CHECK(all.find("web  no_event: event is required for a track  m-1") != std::string::npos);
    CHECK(lines_of(folder.ask("GET", "/admin/rejects?reason=no_identity")) == 1);
    CHECK(lines_of(folder.ask("GET", "/admin/rejects?message=m-2")) == 1);
    CHECK(lines_of(folder.ask("GET", "/admin/rejects?source=web")) == 3);
    CHECK(lines_of(folder.ask("GET", "/admin/rejects?source=other")) == 0);
    CHECK(lines_of(folder.ask("GET", "/admin/rejects?customer=ada")) == 1);
    CHECK(lines_of(folder.ask("GET", "/admin/rejects?since=2100-01-01T00:00:00Z")) == 0);
    CHECK(lines_of(folder.ask("GET", "/admin/rejects?limit=2")) == 2);
    for (const auto* target :
         {"/admin/rejects?limit=0", "/admin/rejects?since=foo",
          "/v1/customers/ada/timeline?limit=-1", "/v1/customers/ada/timeline?limit=10001",
          "/v1/customers/ada/timeline?since=foo", "/admin/customers/ada/text?since=foo"}) {
        CAPTURE(target);
        const auto answer = ask_service(folder.socket(), "GET", target);
        REQUIRE(answer.has_error());
        CHECK(answer.error().code == journeys::ErrorCode::invalid_argument);
        CHECK(answer.error().detail.find(" is a ") != std::string::npos); // What is allowed.
    }
    const auto one = json::parse(folder.ask("GET", "/admin/rejects?customer=ada&json=1"));
    CHECK(one["reason"] == "no_event");
    CHECK(one["raw"] == R"({"type":"track","userId":"ada","messageId":"m-1"})");
    CHECK(lines_of(folder.ask("GET", "/admin/rejects?counts=1")) == 3);
    // A size that is beyond what is read: no message of it is looked at.
    CHECK(folder.post("/v1/batch", std::string(5'000'000, ' ')).first == 413);
    const auto metrics = folder.ask("GET", "/metrics");
    for (const auto* line : {"sojourn_rejected_total{reason=\"no_event\"} 1",
                             "sojourn_http_errors_total{status=\"400\"} 7",
                             "sojourn_http_errors_total{status=\"413\"} 1"})
        CHECK(metrics.find(line) != std::string::npos);
    folder.stop();

    const auto database = must(open_database(folder.config()));
    DeadLetters letters{database.conninfo};
    SECTION("bounded by age") {
        must(letters.expire(journeys::timestamp_max, 1000));
        CHECK(must(letters.find({})).empty());
    }
    SECTION("bounded by number, the newest stay") {
        must(letters.expire(journeys::timestamp_min, 1));
        const auto left = must(letters.find({}));
        REQUIRE(left.size() == 1);
        CHECK(left[0].reason == "malformed_json");
    }
}

TEST_CASE("a guest who orders by e-mail address gets no reminder, live as in simulate",
          "[.postgres][identity]") {
    ServiceFolder folder;
    folder.write("journeys/cart.yaml", cart_text);
    folder.write("templates/cart.mustache", "Your cart");
    folder.start(300); // A reminder is due nine seconds after its cart.

    // Six guests, one for every order of arrival, and one who does not order.
    std::vector<std::string> frames;
    std::array<int, 3> turn{0, 1, 2};
    int guest = 0;
    const auto now = [&] {
        return *schema::parse_producer_time(
            json::parse(must(get_from_host(folder.url(), "/healthz")))
                .at("service_time")
                .get<std::string>());
    };
    // Whatever arrives first: the cart, the address and the order happened in this order.
    const auto began = now() - 10s;
    const auto message = [&](int who, int what) {
        const auto id = std::to_string(who);
        const std::string address = "guest" + id + "@example.com";
        const auto at = R"("timestamp":")" + schema::timestamp_text(began + what * 1s) + "\",";
        switch (what) {
        case 0:
            return "{" + at + R"("type":"track","event":"Product Added","messageId":"c)" + id +
                   R"(","anonymousId":"a)" + id +
                   R"(","properties":{"product_id":"lamp","price":20,"quantity":1}})";
        case 1:
            return "{" + at + R"("type":"identify","messageId":"i)" + id + R"(","anonymousId":"a)" +
                   id + R"(","traits":{"email":")" + address + "\"}}";
        default:
            return "{" + at + R"("type":"track","event":"Order Completed","messageId":"o)" + id +
                   R"(","context":{"externalIds":[{"type":"email","id":")" + address +
                   R"("}]},"properties":{"order_id":"o)" + id +
                   R"(","total":20,"products":[{"product_id":"lamp"}]}})";
        }
    };
    do {
        for (const auto what : turn) frames.push_back(message(guest, what));
        ++guest;
    } while (std::next_permutation(turn.begin(), turn.end()));
    frames.push_back(message(guest, 0));
    frames.push_back(message(guest, 1));
    CHECK(folder.send(frames).accepted == frames.size());
    for (int i = 0; i < guest; ++i)
        folder.wait_for_customer("anonymous:a" + std::to_string(i), "\"orders\":1");

    const auto until = now() + std::chrono::minutes{90};
    while (now() < until) std::this_thread::sleep_for(20ms);
    folder.stop();

    const auto database = must(open_database(folder.config()));
    Archive archive{database.conninfo};
    std::set<std::string> live;
    for (const auto& row : must(archive.last_triggers(1000)))
        if (row.entry.kind == journeys::EntryKind::send)
            live.insert(journeys::to_text(row.customer) + ' ' +
                        journeys::to_text(row.entry.intent));
    REQUIRE(live.size() == 1); // The one who did not order.
    CHECK(live.begin()->starts_with("email:guest6@example.com"));

    const auto log = folder.path() / "log.jsonl";
    {
        std::ofstream out{log};
        must(archive.read_log([&](const schema::StoredRecord& record) {
            out << schema::to_log_line(record) << '\n';
        }));
    }
    const auto recorded = must(read_log({log}));
    CHECK(recorded.refused_count == 0);
    CompileOptions compiling;
    compiling.directory = folder.path();
    const auto compiled = compile(database.files, compiling);
    REQUIRE(compiled.catalog);
    std::set<std::string> simulated;
    simulate(compiled.catalog, recorded.records, {.until = until, .from_log = true},
             [&](const journeys::CustomerId& customer, const journeys::TimelineEntry& entry) {
                 if (entry.kind == journeys::EntryKind::send)
                     simulated.insert(journeys::to_text(customer) + ' ' +
                                      journeys::to_text(entry.intent));
             });
    CHECK(live == simulated);
}

TEST_CASE("a shop's webhooks reach one customer, across a restart between them", "[.postgres]") {
    ServiceFolder folder{"sources: { lumen: { type: shopify, secret: hush } }\n"};
    const auto deliver = [&](const std::string& topic, const std::string& file,
                             const std::string& id) {
        const auto body = file_text(file);
        return folder
            .post("/v1/sources/lumen", body,
                  "X-Shopify-Topic: " + topic + "\r\nX-Shopify-Webhook-Id: " + id +
                      "\r\nX-Shopify-Hmac-Sha256: " + sign_body("hush", body) + "\r\n")
            .first;
    };
    folder.start();
    CHECK(deliver("orders/create", "orders_create.json", "w-2") == 200);
    folder.stop();
    folder.start();
    CHECK(deliver("orders/create", "orders_create.json", "w-2") == 200); // Again.
    CHECK(deliver("carts/update", "carts_update.json", "w-1") == 200);   // After its order.
    CHECK(deliver("refunds/create", "refunds_create.json", "w-3") == 200);
    CHECK(deliver("customers/data_request", "customers_data_request.json", "w-4") == 200);
    CHECK(deliver("customers/data_request", "customers_data_request.json", "w-4") == 200);
    folder.wait_for_customer("shopify:115310627314723954", "222.78");
    CHECK(lines_of(folder.ask("GET", "/admin/privacy?json=1")) == 1);
    folder.stop();

    const auto ada = stored(folder, "shopify:115310627314723954");
    CHECK(ada.order_count == 1);
    CHECK(ada.revenue.to_text() == "222.78");
    REQUIRE(ada.carts.size() == 1);
    CHECK(ada.carts[0].ordered);
    CHECK(stored(folder, "token:shopify-cart-68778783ad298f1c").forward_to);
}

TEST_CASE("a messageId counts once for its key, across restarts", "[.postgres]") {
    ServiceFolder folder;
    const std::string added =
        R"({"type":"track","messageId":"m-1","userId":"ada","event":"Product Added",
            "properties":{"cart_id":"c-1","product_id":"p1","price":49.99,"quantity":1}})";
    const std::string gone = R"({"type":"track","messageId":"m-1","userId":"ada",
            "event":"Product Removed","properties":{"cart_id":"c-1","product_id":"p1"}})";
    folder.start();
    CHECK(folder.post("/v1/track", added).first == 200);
    CHECK(folder.send({added}).accepted == 1); // The same over WebSocket.
    folder.stop();
    folder.start();
    CHECK(folder.post("/v1/batch", R"({"batch":[)" + gone + "," + added + "]}").first == 200);
    folder.stop();
    const auto ada = stored(folder, "user:ada");
    REQUIRE(ada.carts.size() == 1);
    CHECK(ada.carts[0].lines.at(0).quantity == 1);
}

TEST_CASE("what the system before knew is imported once, however often", "[.postgres]") {
    ServiceFolder folder;
    folder.start();
    const auto database_settings = [&] {
        const auto database = must(open_database(folder.config()));
        return database.config.settings;
    }();
    const auto import = [&](const std::string& kind, const std::string& text) {
        std::istringstream in{text};
        auto table = must(schema::CsvReader::open(in));
        const auto rows =
            must(open_import(kind, table, database_settings, journeys::timestamp_max));
        std::vector<std::uint64_t> rejected;
        ImportSender sender{folder.socket(), [&](std::uint64_t line, const std::string&) {
                                rejected.push_back(line);
                            }};
        std::string messages;
        while (true) {
            const auto row = table.next();
            if (row == schema::CsvReader::Row::end) break;
            messages.clear();
            const auto made = row == schema::CsvReader::Row::read
                                  ? rows->append(table, messages)
                                  : journeys::Error{journeys::ErrorCode::invalid_argument, ""};
            if (made)
                CHECK(sender.add(table.line(), messages, *made, rows->suppression()));
            else
                rejected.push_back(table.line());
        }
        must(sender.finish());
        return rejected;
    };
    const std::string orders = "customer_id,email,order_id,date,amount,currency,status,products\n"
                               "ada,Ada@example.com,o-1,2019-03-04,100.10,EUR,,lamp*2 candle\n"
                               "ada,,o-2,2024-05-06T07:08:09Z,20,EUR,cancelled,\n"
                               ",eve@example.com,o-3,2025-01-01,7.5,EUR,refunded,\n"
                               "ada,,o-4,someday,1,EUR,,\n"
                               "ada,,o-5,2025-02-02,9.90,EUR,,\n";
    const std::string consent = "email,channel,topic,state,at,source\n"
                                "ada@example.com,email,,subscribed,2020-01-01T00:00:00Z,till\n"
                                "ada@example.com,email,offers,unsubscribed,2021-01-01,form\n";
    const std::string suppressions = "email,phone,channel,reason,at\n"
                                     "gone@example.com,,email,bounce,2022-01-01\n"
                                     ",+4915112345678,sms,stop,2022-01-01\n";
    for (int i = 0; i < 2; ++i) {
        CHECK(import("orders", orders) == std::vector<std::uint64_t>{5});
        CHECK(import("consent", consent).empty());
        CHECK(import("suppressions", suppressions).empty());
        folder.stop();
        folder.start();
    }
    folder.stop();
    const auto ada = stored(folder, "user:ada");
    CHECK(ada.order_count == 2);
    CHECK(ada.revenue.to_text() == "110.00");
    REQUIRE(ada.orders.size() == 3);
    CHECK(ada.orders[0].placed_at == *schema::parse_producer_time("2019-03-04"));
    CHECK(ada.orders[0].items.size() == 2);
    REQUIRE(ada.consents.size() == 2); // By the address, which is of this customer.
    CHECK(ada.consents[0].at == *schema::parse_producer_time("2020-01-01"));
    CHECK(ada.consents[0].source == "till");
    CHECK(ada.consents[1].state == journeys::ConsentState::unsubscribed);
    CHECK(journeys::PackedView{ada.traits}.string_at("email") == "ada@example.com");
    CHECK(stored(folder, "email:eve@example.com").order_count == 0);
    CHECK(stored(folder, "email:gone@example.com").suppressions.size() == 1);
    // And whoever else has the address: as a keyed hash, asked before every request.
    const auto database = must(open_database(folder.config()));
    const auto key = must(service_key(database.conninfo, "suppressions"));
    const auto list = must(Suppressions::open(database.conninfo, key));
    CHECK(list->size() == 2);
    CHECK(list->contains("email", "Gone@example.com"));
    CHECK(list->contains("phone", "+4915112345678"));
}

TEST_CASE("a producer whose service was restarted ends with every message once in the state",
          "[.postgres]") {
    ServiceFolder folder;
    folder.start();
    const auto port = folder.service().port();
    constexpr int frames = 400, of_frame = 25, customers = 10;
    std::atomic<int> made{0};
    StreamProducer::Callbacks callbacks;
    callbacks.next = [&]() -> std::optional<StreamProducer::Frame> {
        if (made == frames) return std::nullopt;
        StreamProducer::Frame frame;
        frame.text = "[";
        for (int i = 0; i < of_frame; ++i) {
            const auto number = std::to_string(made * of_frame + i);
            frame.text += std::string{i == 0 ? "" : ","} +
                          R"({"type":"track","event":"Order Completed","messageId":"m)" + number +
                          R"(","userId":"u)" + std::to_string(i % customers) +
                          R"(","properties":{"order_id":"o)" + number +
                          R"(","total":1.01,"currency":"EUR"}})";
        }
        frame.text += ']';
        frame.messages = of_frame;
        ++made;
        return frame;
    };
    std::atomic<int> lost{0};
    callbacks.lost = [&](std::string_view) { ++lost; };
    StreamProducer::Totals totals;
    const auto url = folder.url();
    std::thread producer{[&] {
        totals = must(StreamProducer::run({.url = url, .write_key = "test-key"}, callbacks));
    }};
    for (const int share : {4, 2}) {
        while (made < frames / share) std::this_thread::sleep_for(1ms);
        folder.stop();
        folder.start(1, port);
    }
    producer.join();
    CHECK(totals.accepted == frames * of_frame);
    CHECK(totals.rejected == 0);
    CHECK(lost > 0);
    folder.stop();
    std::int64_t orders = 0;
    journeys::Money revenue;
    for (int i = 0; i < customers; ++i) {
        const auto customer = stored(folder, "user:u" + std::to_string(i));
        orders += customer.order_count;
        revenue += customer.revenue;
    }
    CHECK(orders == frames * of_frame);
    CHECK(revenue.to_text() == "10100.00");
}

TEST_CASE("a reload lets other keys in at once, and names what needs a restart", "[.postgres]") {
    ServiceFolder folder;
    const auto settings = [&](const std::string& more) {
        folder.write("sojourn.yaml", "listen: { port: 0 }\nstorage: { data_dir: data }\njourneys: "
                                     "journeys\nkeys: [{ name: web, key: \"${file:key}\", scopes: "
                                     "[ingest] }]\n" +
                                         more);
    };
    const auto status = [&](const std::string& key) {
        static int number = 0;
        RawClient client{folder.service().port()};
        const auto body = json{{"type", "track"},
                               {"event", "Seen"},
                               {"userId", "ada"},
                               {"messageId", "m" + std::to_string(++number)}}
                              .dump();
        client.send("POST /v1/track HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer " + key +
                    "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        return client.read_answer().status;
    };
    settings("");
    folder.write("key", "first");
    folder.start();
    CHECK(status("first") == 200);
    CHECK(status("second") == 401);
    CHECK(folder.service().reload() == "no file has changed");
    folder.write("key", "second");
    CHECK(folder.service().reload() == "no file has changed; other keys count from now on");
    CHECK(status("first") == 401);
    CHECK(status("second") == 200);
    const auto edited =
        "limits: { idle: 5s }\nholdout: 1%\nchannels: { email: { type: sandbox, rate: 5 } }\n";
    settings(edited);
    CHECK(folder.ask("POST", "/admin/reload") ==
          R"({"reload":"published; a restart is needed for: channels limits"})");
    settings("holdout: nonsense\n");
    CHECK(folder.service().reload() == "refused, and what runs stays");
    CHECK(status("second") == 200);
    settings(edited);
    std::filesystem::remove(folder.path() / "key");
    CHECK(folder.service().reload() == "refused, and what runs stays");
    CHECK(status("second") == 200);
    folder.stop();
}

TEST_CASE("a reload that is refused answers with the mistakes", "[.postgres]") {
    ServiceFolder folder;
    const auto reload = [&] { return folder.post("/admin/reload", ""); };
    const auto refused = [&] {
        const auto [status, body] = reload();
        CHECK(status == 422);
        const auto answer = json::parse(body);
        CHECK(answer["reload"] == "refused, and what runs stays");
        return answer["mistakes"].get<std::vector<std::string>>();
    };
    const auto journey = [&](const std::string& id, const std::string& wait) {
        folder.write("journeys/" + id + ".yaml",
                     "id: " + id +
                         "\nstatus: live\nenter: { on: Product Viewed, reentry: always }\nsteps:\n"
                         "  - wait: { for: " +
                         wait + " }\n");
    };
    journey("seen", "1h");
    folder.start();
    CHECK(reload() == std::pair{200, std::string{R"({"reload":"no file has changed"})"}});

    const auto seen = (folder.path() / "journeys" / "seen.yaml").string();
    journey("seen", "a while");
    auto mistakes = refused();
    REQUIRE(mistakes.size() == 1);
    CHECK(mistakes.front().starts_with(seen + ":5:18: "));
    for (int i = 0; i < 120; ++i) journey("more-" + std::to_string(i), "a while");
    CHECK(refused().size() == 100);
    for (int i = 0; i < 120; ++i)
        std::filesystem::remove(folder.path() / "journeys" /
                                ("more-" + std::to_string(i) + ".yaml"));
    std::filesystem::remove(seen);
    std::filesystem::create_directories(seen);
    mistakes = refused();
    REQUIRE(mistakes.size() == 1);
    CHECK(mistakes.front() == seen + ": cannot be read: Is a directory");
    std::filesystem::remove(seen);
    journey("seen", "2h");
    CHECK(reload() == std::pair{200, std::string{R"({"reload":"published"})"}});
    folder.stop();
}

} // namespace runtime::test
