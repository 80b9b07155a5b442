// Segment's HTTP API as its clients use it, the service's own paths, and the local socket.

#include "runtime/listener/local_socket.hpp"
#include "tests/runtime/listener_fixture.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <thread>
#include <unistd.h>
#include <zlib.h>

using namespace std::chrono_literals;

namespace {

const std::string basic = "Authorization: Basic c2hvcC1rZXk6\r\n";

std::string gzip(const std::string& text) {
    z_stream stream{};
    deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
    std::string packed(deflateBound(&stream, text.size()) + 32, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

/// Bodies of `07_malformed.jsonl` are texts, bytes, or built.
std::string body_of(const nlohmann::json& example) {
    if (example.contains("raw")) return example["raw"];
    if (example.contains("raw_b64")) {
        std::string bytes;
        unsigned bits = 0, count = 0;
        for (const char c : example["raw_b64"].get<std::string>()) {
            const std::string_view alphabet =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
            const auto value = alphabet.find(c);
            if (value == alphabet.npos) break;
            bits = bits << 6 | static_cast<unsigned>(value);
            if ((count += 6) < 8) continue;
            count -= 8;
            bytes += static_cast<char>(bits >> count & 0xff);
        }
        return bytes;
    }
    const auto& build = example["build"];
    const auto times = build.value("times", 1U);
    std::string body = build.value("prefix", "");
    for (unsigned i = 0; i < times; ++i) body += build.value("repeat", "");
    body += build.value("middle", "");
    for (unsigned i = 0; i < times; ++i) body += build.value("close", "");
    return body + build.value("suffix", "");
}

} // namespace

TEST_CASE_METHOD(ListenerFixture, "a message is answered when it is durable, not before",
                 "[listener]") {
    log.holds = true;
    auto client = connect();
    const auto message = track("m-1");
    client.send("POST /v1/track HTTP/1.1\r\nHost: t\r\n" + basic +
                "Content-Length: " + std::to_string(message.size()) + "\r\n\r\n" + message);
    REQUIRE(log.wait_for_waiting(1) == 1);
    log.release();
    const auto answer = client.read_answer();
    CHECK(answer.status == 200);
    CHECK(answer.body == R"({"success":true})");
    CHECK(answer.header("Access-Control-Allow-Origin") == "*");
}

TEST_CASE_METHOD(ListenerFixture, "every path of the tracking API, long and short", "[listener]") {
    const std::string ids =
        R"("userId":"u","previousId":"anonymous:a","groupId":"g","event":"E","name":"N")";
    for (const auto* path : {"/v1/track", "/v1/t", "/v1/identify", "/v1/i", "/v1/page", "/v1/p",
                             "/v1/screen", "/v1/s", "/v1/group", "/v1/g", "/v1/alias", "/v1/a"}) {
        INFO(path);
        CHECK(post(path, "{" + ids + "}").status == 200);
    }
    for (const auto* path : {"/v1/batch", "/v1/b", "/v1/import"}) {
        INFO(path);
        CHECK(post(path, R"({"batch":[)" + track("m") + "]}").status == 200);
    }
    const auto appends = log.appends();
    CHECK(post("/v1/m", R"({"series":[]})", "").status == 200);
    CHECK(log.appends() == appends);
    CHECK(post("/v1/nothing", "{}").status == 404);
    CHECK(request("GET", "/v1/track").status == 405);
}

TEST_CASE_METHOD(ListenerFixture, "JSON is read whatever the Content-Type says", "[listener]") {
    for (const auto* type : {"Content-Type: application/json\r\n", "Content-Type: text/plain\r\n",
                             "Content-Type: application/x-www-form-urlencoded\r\n", ""}) {
        INFO(type);
        CHECK(post("/v1/track", track("m"), basic + type).status == 200);
    }
}

TEST_CASE_METHOD(ListenerFixture, "the key is found wherever clients put it", "[listener]") {
    const auto with_key = [](const std::string& key) {
        return R"({"writeKey":")" + key + R"(","batch":[)" + track("m") + "]}";
    };
    CHECK(post("/v1/batch", with_key("x"), "Authorization: Basic c2hvcC1rZXk6\r\n").status == 200);
    CHECK(post("/v1/batch", with_key("x"), "authorization: basic c2hvcC1rZXk=\r\n").status == 200);
    CHECK(post("/v1/batch", with_key("x"), "Authorization: Bearer shop-key\r\n").status == 200);
    CHECK(post("/v1/batch", with_key("shop-key"), "Authorization: Bearer oauth-token\r\n").status ==
          200);
    CHECK(post("/v1/batch", with_key("shop-key"), "").status == 200);
    CHECK(post("/v1/batch?write_key=shop-key", with_key("x"), "").status == 200);
    auto item = track("m");
    item.insert(1, R"("writeKey":"shop-key",)");
    CHECK(post("/v1/b", R"({"batch":[)" + item + "]}", "").status == 200);

    for (const auto* headers :
         {"", "Authorization: Basic d3Jvbmc6\r\n", "Authorization: Basic !!!\r\n",
          "Authorization: Bearer wrong\r\n", "Authorization: Digest x\r\n"}) {
        INFO(headers);
        const auto refused = post("/v1/batch", with_key("wrong"), headers);
        CHECK(refused.status == 401);
        CHECK(refused.header("Access-Control-Allow-Origin") == "*");
    }
    CHECK(post("/v1/batch", with_key("store-key"), "").status == 403);
    CHECK(post("/v1/batch", with_key("ops-key"), "").status == 403);
    CHECK(request("GET", "/v1/projects/shop-key/settings").status == 200);
    CHECK(request("GET", "/v1/projects/ops-key/settings").status == 404);
}

TEST_CASE_METHOD(ListenerFixture, "without a key of the request each message is of its own",
                 "[listener]") {
    const auto item = [](const std::string& id, const std::string& key) {
        auto text = track(id);
        if (!key.empty()) text.insert(1, R"("writeKey":)" + key + ",");
        return text;
    };
    const auto batch = [](const std::vector<std::string>& items, const std::string& more = "") {
        std::string list;
        for (const auto& each : items) list += (list.empty() ? "" : ",") + each;
        return "{" + more + R"("batch":[)" + list + "]}";
    };
    const auto shop = R"("shop-key")", app = R"("app-key")", wrong = R"("wrong")";
    const auto mixed = batch({item("m-0", ""), item("m-1", wrong), item("m-2", shop),
                              item("m-3", app), item("m-4", "7"), item("m-5", R"("store-key")")});
    const auto answer = post("/v1/batch", mixed, "");
    REQUIRE(answer.status == 200);
    CHECK(log.message_ids() == std::vector<std::string>{"m-2", "m-3"});
    const auto body = nlohmann::json::parse(answer.body);
    std::vector<std::string> why;
    for (const auto& one : body["rejected"])
        why.push_back(one["messageId"].get<std::string>() + ": " + one["error"].get<std::string>());
    CHECK(why == std::vector<std::string>{"m-0: writeKey is missing", "m-1: unknown write key",
                                          "m-4: writeKey is missing",
                                          "m-5: the key is not for events"});
    for (const auto& reject : rejects()) {
        CHECK(schema::to_text(reject.reason) == "bad_key");
        CHECK(reject.key.empty());
    }

    SECTION("a messageId counts once for its key, whichever key the batch begins with") {
        CHECK(post("/v1/batch", batch({item("same", app), item("same", shop)}), "").status == 200);
        CHECK(post("/v1/batch", batch({item("same", "")}), basic).status == 200);
        const auto drafts = log.drafts();
        REQUIRE(drafts.size() == 5);
        CHECK(drafts[2].message_hash != drafts[3].message_hash);
        CHECK(drafts[3].message_hash == drafts[4].message_hash);
    }
    SECTION("the batch's stands in where a message has none, and a wrong one costs nobody else") {
        CHECK(post("/v1/batch",
                   batch({item("b-1", ""), item("b-2", app)}, R"("writeKey":"wrong",)"), "")
                  .status == 200);
        CHECK(post("/v1/batch",
                   batch({item("b-3", ""), item("b-4", wrong)}, R"("writeKey":"shop-key",)"), "")
                  .status == 200);
        CHECK(log.message_ids() == std::vector<std::string>{"m-2", "m-3", "b-2", "b-3"});
    }
    SECTION("the request's own key outweighs what is written inside") {
        CHECK(post("/v1/batch", batch({item("r-1", wrong)}), basic).status == 200);
        CHECK(log.message_ids().back() == "r-1");
    }
    SECTION("where no message has a key that counts, the request has none") {
        const auto kept = rejects().size();
        CHECK(post("/v1/batch", batch({item("n-1", ""), item("n-2", wrong)}), "").status == 401);
        CHECK(post("/v1/batch", batch({item("n-1", wrong), item("n-2", R"("store-key")")}), "")
                  .status == 403);
        CHECK(post("/v1/batch", batch({}), "").status == 401);
        CHECK(rejects().size() == kept);
    }
}

TEST_CASE_METHOD(ListenerFixture, "one bad item leaves the others of its batch", "[listener]") {
    const auto answer =
        post("/v1/batch", R"({"batch":[)" + track("m-1") +
                              R"(,{"type":"track","messageId":"m-9","userId":"u"},)" +
                              track("m-2") + "]}");
    CHECK(answer.status == 200);
    const auto body = nlohmann::json::parse(answer.body);
    CHECK(body["success"] == true);
    REQUIRE(body["rejected"].size() == 1);
    CHECK(body["rejected"][0]["index"] == 1);
    CHECK(body["rejected"][0]["messageId"] == "m-9");
    CHECK_FALSE(body["rejected"][0].contains("frame"));
    CHECK(log.message_ids() == std::vector<std::string>{"m-1", "m-2"});
    CHECK(rejects().size() == 1);
}

TEST_CASE_METHOD(ListenerFixture, "gzip is unpacked, within a bound", "[listener]") {
    const std::string gzipped = basic + "Content-Encoding: gzip\r\n";
    CHECK(post("/v1/track", gzip(track("m-1")), gzipped).status == 200);
    CHECK(post("/v1/track", gzip(std::string(100'000'000, ' ')), gzipped).status == 413);
    CHECK(post("/v1/track", "no gzip", gzipped).status == 400);
    const auto packed = gzip(track("m-2"));
    CHECK(post("/v1/track", packed.substr(0, packed.size() - 9), gzipped).status == 400);
    CHECK(post("/v1/track", "x", basic + "Content-Encoding: br\r\n").status == 415);
    CHECK(log.message_ids() == std::vector<std::string>{"m-1"});
}

TEST_CASE_METHOD(ListenerFixture, "browsers may ask from every page", "[listener]") {
    const auto answer =
        request("OPTIONS", "/v1/t",
                "Origin: https://shop.example\r\nAccess-Control-Request-Method: POST\r\n");
    CHECK(answer.status == 204);
    CHECK(answer.header("Access-Control-Allow-Origin") == "*");
    CHECK(answer.header("Access-Control-Allow-Methods") == "POST");
    CHECK(answer.header("Access-Control-Allow-Headers") ==
          "authorization, content-type, x-retry-count");
    CHECK(answer.header("Access-Control-Max-Age") == "86400");
    CHECK(answer.header("Access-Control-Expose-Headers") == "Retry-After");

    const auto settings = request("GET", "/v1/projects/shop-key/settings");
    CHECK(settings.status == 200);
    CHECK(settings.body == R"({"integrations":{"Segment.io":{"apiKey":"shop-key"}}})");
    CHECK(settings.header("Access-Control-Allow-Origin") == "*");
    CHECK(request("GET", "/v1/projects/wrong/settings").status == 404);
}

TEST_CASE_METHOD(ListenerFixture, "passing faults are answers that clients retry", "[listener]") {
    SECTION("no credit") {
        credit.take(1, 1000);
        const auto answer = post("/v1/track", track("m"));
        CHECK(answer.status == 429);
        CHECK(answer.header("Retry-After") == "1");
        CHECK(answer.header("Access-Control-Expose-Headers") == "Retry-After");
    }
    SECTION("storage refuses") {
        log.fails = true;
        const auto answer = post("/v1/track", track("m"));
        CHECK(answer.status == 503);
        CHECK(answer.header("Retry-After") == "1");
    }
    SECTION("storage is known to be down") {
        set_not_ready("storage is down");
        CHECK(post("/v1/track", track("m")).status == 503);
    }
    CHECK(log.drafts().empty());
}

TEST_CASE_METHOD(ListenerFixture, "requests on one connection are answered in order",
                 "[listener]") {
    log.holds = true;
    auto client = connect();
    const auto message = track("m-1");
    client.send("POST /v1/track HTTP/1.1\r\nHost: t\r\n" + basic +
                "Content-Length: " + std::to_string(message.size()) + "\r\n\r\n" + message +
                "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: t\r\n\r\n");
    REQUIRE(log.wait_for_waiting(1) == 1);
    log.release();
    CHECK(client.read_answer().body == R"({"success":true})");
    CHECK(client.read_answer().status == 200);
    CHECK(client.read_answer().status == 404);
}

TEST_CASE_METHOD(ListenerFixture, "connections live as long as both sides want", "[listener]") {
    auto client = connect();
    SECTION("HTTP/1.1, closed on request") {
        client.send("GET /healthz HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
        CHECK(client.read_answer().header("Connection") == "close");
    }
    SECTION("HTTP/1.0") {
        client.send("GET /healthz HTTP/1.0\r\n\r\n");
        CHECK(client.read_answer().status == 200);
    }
    CHECK(client.is_closed());
}

TEST_CASE_METHOD(ListenerFixture, "a body is asked for where the client waits to be asked",
                 "[listener]") {
    auto client = connect();
    const auto message = track("m-1");
    client.send("POST /v1/track HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n" + basic +
                "Content-Length: " + std::to_string(message.size()) + "\r\n\r\n");
    CHECK(client.read_answer().status == 100);
    client.send(message);
    CHECK(client.read_answer().status == 200);
}

TEST_CASE_METHOD(ListenerFixture, "requests as unmodified clients send them", "[listener]") {
    SECTION("@segment/analytics-node") {
        CHECK(
            post(
                "/v1/batch",
                R"({"batch":[{"timestamp":"2026-11-20T08:00:13.064Z","integrations":{},"event":"Products Searched","type":"track","properties":{"query":"running"},"context":{"ip":"203.0.113.2","locale":"fr-FR","library":{"name":"@segment/analytics-node","version":"3.1.0"}},"anonymousId":"anon-0001","messageId":"m-000001","_metadata":{"nodeVersion":"v20.20.2","jsRuntime":"node"}},{"timestamp":"2026-11-20T08:00:14.064Z","type":"alias","userId":"user-0001","previousId":"anon-0001","context":{},"messageId":"m-000006"}],"writeKey":"shop-key","sentAt":"2026-11-20T10:20:29.473Z"})",
                "connection: keep-alive\r\nContent-Type: application/json\r\nUser-Agent: "
                "analytics-node-next/latest\r\nX-Retry-Count: 1\r\n" +
                    basic +
                    "accept: */*\r\naccept-language: *\r\nsec-fetch-mode: cors\r\n"
                    "accept-encoding: gzip, deflate\r\n")
                .body == R"({"success":true})");
    }
    SECTION("@rudderstack/rudder-sdk-node") {
        CHECK(
            post(
                "/v1/batch",
                gzip(
                    R"({"batch":[{"anonymousId":"anon-0001","timestamp":"2026-11-20T08:00:06.670Z","context":{"library":{"name":"analytics-node","version":"3.0.13"}},"category":"Shop","name":"Home","properties":{"a":1},"messageId":"m-000000","originalTimestamp":"2026-11-20T08:00:06.670Z","type":"page","channel":"server","_metadata":{"nodeVersion":"20.20.2"},"sentAt":"2026-11-20T10:20:31.302Z"}],"timestamp":"2026-11-20T10:20:31.302Z","sentAt":"2026-11-20T10:20:31.302Z"})"),
                "Accept: application/json, text/plain, */*\r\nContent-Type: "
                "application/x-www-form-urlencoded\r\nuser-agent: analytics-node/3.0.13\r\n"
                "Content-Encoding: gzip\r\nAccept-Encoding: gzip, compress, deflate, br\r\n" +
                    basic + "Connection: keep-alive\r\n")
                .body == R"({"success":true})");
    }
    SECTION("@segment/analytics-next, one call a request") {
        CHECK(
            post(
                "/v1/p",
                R"({"timestamp":"2026-11-20T08:00:13.064Z","integrations":{"Segment.io":true},"type":"page","properties":{},"category":"Shop","name":"Home","context":{"ip":"203.0.113.2","page":{"path":"/","referrer":"","search":"","title":"t","url":"https://shop.example/"},"campaign":{},"userAgent":"Mozilla/5.0","locale":"en","timezone":"Europe/Paris","library":{"name":"analytics.js","version":"npm:next-1.84.3"}},"messageId":"m-000000","anonymousId":"anon-0001","writeKey":"shop-key","userId":null,"sentAt":"2026-11-20T10:20:33.421Z","_metadata":{"bundled":["Segment.io"],"unbundled":[],"bundledIds":[]}})",
                "Content-Type: text/plain\r\nOrigin: https://shop.example\r\n" + basic)
                .body == R"({"success":true})");
    }
    SECTION("@segment/analytics-next, in batches, without the header") {
        CHECK(
            post(
                "/v1/b",
                R"({"writeKey":"shop-key","batch":[{"type":"track","event":"E","anonymousId":"a","userId":null,"writeKey":"shop-key","messageId":"m"}],"sentAt":"2026-11-20T10:20:33.421Z"})",
                "Content-Type: text/plain\r\n")
                .body == R"({"success":true})");
    }
    CHECK(log.drafts().size() >= 1);
    CHECK(rejects().empty());
}

TEST_CASE_METHOD(ListenerFixture, "hostile bodies are refused and leave no trace", "[listener]") {
    std::ifstream file{SOJOURN_SOURCE_DIR "/tests/data/events/07_malformed.jsonl"};
    std::string text;
    int examples = 0;
    while (std::getline(file, text)) {
        const auto example = nlohmann::json::parse(text);
        const std::string kind = example["kind"];
        INFO(example["name"] << ": " << example["why"]);
        const auto before = log.drafts().size(), refused_before = rejects().size();
        const auto answer = post(example["path"].get<std::string>(), body_of(example));
        INFO(answer.status << " " << answer.body);
        if (kind == "refuse") {
            const bool is_item = answer.status == 200 && rejects().size() > refused_before;
            CHECK((is_item || (answer.status >= 400 && answer.status < 500)));
            if (!is_item) CHECK(log.drafts().size() == before);
        } else if (kind == "accept") {
            CHECK(answer.status == 200);
            CHECK(log.drafts().size() > before);
        } else {
            CHECK((answer.status == 200 || answer.status == 400 || answer.status == 413));
        }
        ++examples;
    }
    CHECK(examples == 36);
    CHECK(post("/v1/track", track("after")).status == 200);

    // The same over one WebSocket: it survives all that is text and within its limits.
    file.clear();
    file.seekg(0);
    auto client = stream();
    while (std::getline(file, text)) {
        const auto example = nlohmann::json::parse(text);
        INFO(example["name"]);
        client.send_text(body_of(example));
        const auto frame = client.read_frame();
        REQUIRE(frame);
        if (frame->opcode == 8) {
            CHECK((frame->code() == 1007 || frame->code() == 1009));
            client = stream();
        } else {
            CHECK_THAT(frame->payload, Catch::StartsWith("{\"ack\":"));
        }
    }
}

TEST_CASE_METHOD(ListenerFixture, "the samples of good messages are taken", "[listener]") {
    for (const auto* name : {"01_purchase_session", "02_after_order", "03_messaging_feedback",
                             "04_identity_and_consent", "05_time_and_duplicates"}) {
        std::ifstream file{SOJOURN_SOURCE_DIR "/tests/data/events/" + std::string{name} + ".jsonl"};
        auto client = stream();
        std::string text;
        for (int line = 1; std::getline(file, text); ++line) {
            INFO(name << ":" << line);
            client.send_text(text);
            CHECK(client.read_text() == R"({"ack":)" + std::to_string(line) + R"(,"accepted":1})");
        }
    }
}

TEST_CASE_METHOD(ListenerFixture, "the service's own paths", "[listener]") {
    config.clock_speed = 60;
    CHECK(request("GET", "/healthz").body ==
          R"({"status":"ok","service_time":"2026-11-20T11:00:00.000Z","clock_speed":60})");
    CHECK(request("GET", "/readyz").body == R"({"ready":true})");
    CHECK(request("GET", "/metrics").body == "sojourn_up 1\n");
    const auto head = request("HEAD", "/metrics");
    CHECK(head.status == 200);
    CHECK(head.header("Content-Length") == "13");
    set_not_ready("storage is down");
    const auto answer = request("GET", "/readyz");
    CHECK(answer.status == 503);
    CHECK(answer.body == R"({"ready":false,"reason":"storage is down"})");
    CHECK(request("GET", "/healthz").status == 200);
}

TEST_CASE_METHOD(ListenerFixture, "routes get what they need, and only from those who may",
                 "[listener]") {
    handlers.push_back({"GET", "/v1/customers/{id}/timeline", runtime::Scope::decide,
                        [](runtime::Request asked, runtime::Respond respond) {
                            respond({.body = asked.arguments.at(0) + "|" +
                                             std::string{asked.parameter("n")} + "|" + asked.key});
                        }});
    handlers.push_back(
        {"POST", "/v1/sources/shopify", {}, [](runtime::Request asked, runtime::Respond respond) {
             std::thread{[asked, respond] {
                 respond({.status = 202,
                          .body = asked.body + std::string{asked.header("x-signature")}});
             }}.detach();
         }});
    handlers.push_back({"DELETE", "/v1/customers/{id}", runtime::Scope::admin,
                        [](runtime::Request, runtime::Respond) {}});
    const auto path = "/v1/customers/user%3Aada%2F1/timeline?n=a+b%21";
    CHECK(request("GET", path).status == 401);
    CHECK(request("GET", path).header("WWW-Authenticate") == "Basic realm=\"sojourn\"");
    CHECK(request("GET", path, "Authorization: Bearer shop-key\r\n").status == 403);
    CHECK(request("GET", path, "Authorization: Bearer store-key\r\n").body ==
          "user:ada/1|a b!|store");
    CHECK(request("GET", path, "Authorization: Bearer ops-key\r\n").body == "user:ada/1|a b!|ops");
    CHECK(request("DELETE", "/v1/customers/a", "Authorization: Bearer store-key\r\n").status ==
          403);
    CHECK(request("DELETE", "/v1/customers/a", "Authorization: Bearer ops-key\r\n").status == 500);
    CHECK(request("PUT", "/v1/customers/a").status == 405);
    const auto answer = post("/v1/sources/shopify", "body:", "X-Signature: s\r\n");
    CHECK(answer.status == 202);
    CHECK(answer.body == "body:s");
}

TEST_CASE_METHOD(ListenerFixture, "the local socket is the operator's", "[listener]") {
    config.local_socket = std::filesystem::temp_directory_path() /
                          ("sojourn-test-" + std::to_string(::getpid()) + ".sock");
    handlers.push_back({"GET", "/v1/customers/{id}", runtime::Scope::admin,
                        [](runtime::Request asked, runtime::Respond respond) {
                            if (asked.arguments[0] == "nobody")
                                return respond(runtime::error_response(404, "no such customer"));
                            respond({.body = std::string(100'000, 'x')});
                        }});
    CHECK(runtime::ask_service(config.local_socket, "GET", "/healthz").error().code ==
          journeys::ErrorCode::unavailable);
    open();
    CHECK((std::filesystem::status(config.local_socket).permissions() &
           std::filesystem::perms::all) ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
    const auto answer = runtime::ask_service(config.local_socket, "GET", "/v1/customers/ada");
    REQUIRE(answer.has_value());
    CHECK(answer->size() == 100'000);
    const auto nobody = runtime::ask_service(config.local_socket, "GET", "/v1/customers/nobody");
    REQUIRE_FALSE(nobody.has_value());
    CHECK(nobody.error().code == journeys::ErrorCode::not_found);
    CHECK(nobody.error().detail == "no such customer");
    CHECK(request("GET", "/v1/customers/ada").status == 401); // Not so over TCP.
    listener.reset();
    CHECK_FALSE(std::filesystem::exists(config.local_socket));
}

TEST_CASE_METHOD(ListenerFixture, "a port that is taken is one clear line", "[listener]") {
    open();
    auto second = config;
    second.port = listener->port();
    const auto opened =
        runtime::Listener::open(second, {.log = log,
                                         .credit = credit,
                                         .now = [] { return journeys::Timestamp{}; },
                                         .handlers = {}});
    REQUIRE_FALSE(opened.has_value());
    CHECK_THAT(opened.error().detail, Catch::StartsWith("cannot listen on 127.0.0.1:"));
}

TEST_CASE_METHOD(ListenerFixture, "who comes through a proxy is not on this machine",
                 "[listener]") {
    auto demo = runtime::make_key(
        "demo", "demo", {runtime::Scope::ingest, runtime::Scope::decide, runtime::Scope::admin});
    demo.is_for_here_only = true;
    config.keys =
        runtime::KeyRing{{demo, runtime::make_key("ops", "ops-key", {runtime::Scope::admin})}};
    handlers = {{"GET", "/", runtime::Scope::admin,
                 [](const runtime::Request&, const runtime::Respond& respond) {
                     respond({.body = "customers"});
                 },
                 true}};
    const auto look = [&](const std::string& headers) {
        auto client = connect();
        client.send("GET / HTTP/1.1\r\n" + headers + "\r\n");
        return client.read_answer().status;
    };
    const std::string here = "Host: localhost:8080\r\n", there = "Host: shop.example\r\n";
    CHECK(look(here) == 200);
    CHECK(look("Host: 127.0.0.1\r\n") == 200);
    CHECK(look(there) == 401);
    for (const auto* proxy :
         {"X-Forwarded-For: 203.0.113.9\r\n", "Forwarded: for=203.0.113.9\r\n",
          "Via: 1.1 proxy\r\n", "x-real-ip: 203.0.113.9\r\n", "X-Forwarded-Proto: https\r\n"}) {
        INFO(proxy);
        CHECK(look(here + proxy) == 401);
        CHECK(look(here + proxy + "Authorization: Bearer demo\r\n") == 401);
        CHECK(look(there + proxy + "Authorization: Bearer ops-key\r\n") == 200);
        const std::string as_demo = "Authorization: Bearer demo\r\n";
        CHECK(post("/v1/track", track("m"), proxy + as_demo).status == 401);
        CHECK(post("/v1/track", track("m"), as_demo).status == 200);
        auto named = track("m");
        named.insert(1, R"("writeKey":"demo",)");
        CHECK(post("/v1/track", named, proxy).status == 401);
        CHECK(request("GET", "/v1/projects/demo/settings", proxy).status == 404);
    }
}
