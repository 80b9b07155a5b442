// `sojourn send`: what it makes of recorded messages, and that it ends with every one of them
// acked.

#include "runtime/producer/message_text.hpp"
#include "runtime/producer/stream_producer.hpp"
#include "tests/runtime/listener_fixture.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <thread>

using namespace std::chrono_literals;

TEST_CASE("times are moved, and every other byte is kept", "[producer]") {
    runtime::MessageText text;
    const std::string message =
        R"({"timestamp" : "2026-11-20T10:00:00Z" ,"a":{"timestamp":"2026-11-20T10:00:00Z"},"n":1.50,"sentAt":"2026-11-20T10:00:01.5Z","messageId":"m"})";
    CHECK(
        text.rewrite(message, 1h, "new") ==
        R"({"timestamp" : "2026-11-20T11:00:00.000Z" ,"a":{"timestamp":"2026-11-20T10:00:00Z"},"n":1.50,"sentAt":"2026-11-20T11:00:01.500Z","messageId":"m"})");
    CHECK(text.rewrite(message, 0ms, "new") == message);
    CHECK(text.rewrite(R"({"a":1})", 1h, "new") == R"({"a":1,"messageId":"new"})");
    CHECK(text.rewrite(R"({})", 1h, "new") == R"({"messageId":"new"})");
    CHECK(text.rewrite(R"({"messageId":null} )", 1h, "new") ==
          R"({"messageId":null,"messageId":"new"} )");
    CHECK(text.rewrite("[1]", 1h, "new") == "[1]");
    CHECK(text.rewrite("nonsense", 1h, "new") == "nonsense");
    CHECK(text.time_of(message) ==
          journeys::Timestamp{std::chrono::sys_days{std::chrono::year{2026} / 11 / 20}} + 10h);
    CHECK_FALSE(text.time_of("{}"));
}

TEST_CASE("what would cost a whole frame is told before it is sent", "[producer]") {
    runtime::MessageText text;
    for (const auto* message : {R"({})", R"( {"a":1} )", R"({"a":{"b":[1,"c",null]}})",
                                R"({"a":12345678901234567890123})", R"({"batch":[]})"}) {
        CAPTURE(message);
        CHECK_FALSE(text.fault_of(message));
    }
    for (const auto* message :
         {"", "nonsense", "[]", R"([{"a":1}])", "1", "null", R"({"a":1)", R"({"a":1}})",
          R"({"a":1}{"b":2})", R"({"a":1},{"b":2})", R"({"a":{"b":tru}})", R"({"a":[1,]})",
          R"({"a" 1})", "{\"a\":\"\xff\"}"}) {
        CAPTURE(message);
        CHECK(text.fault_of(message) == "not a JSON object");
    }
    const std::string deep(100, '[');
    CHECK(text.fault_of("{\"a\":" + deep + std::string(100, ']') + '}') ==
          "nested deeper than 64 levels");
    CHECK_FALSE(text.fault_of("{\"a\":\"" + std::string(1024 * 1024, 'a') + "\"}"));
}

TEST_CASE("where a producer sends to", "[producer]") {
    const auto parts = [](std::string_view url) {
        const auto parsed = runtime::parse_stream_url(url);
        return parsed.has_value() ? parsed->host + "|" + parsed->port + "|" + parsed->target
                                  : "wrong";
    };
    CHECK(parts("ws://shop.example:8080/v1/stream?x=1") == "shop.example|8080|/v1/stream?x=1");
    CHECK(parts("ws://127.0.0.1") == "127.0.0.1|80|/v1/stream");
    CHECK(parts("ws://[::1]:81/") == "::1|81|/v1/stream");
    CHECK(parts("wss://x") == "wrong");
    CHECK(parts("ws://:80") == "wrong");
    CHECK(parts("ws://x:y") == "wrong");
}

namespace {

runtime::StreamProducer::Callbacks numbered(int frames) {
    auto count = std::make_shared<int>(0);
    return {.next = [count, frames]() -> std::optional<runtime::StreamProducer::Frame> {
        if (*count == frames) return std::nullopt;
        const auto id = std::to_string((*count)++);
        return runtime::StreamProducer::Frame{"[" + track("a-" + id) + "," + track("b-" + id) + "]",
                                              2};
    }};
}

runtime::StreamProducer::Options to(std::uint16_t port, std::string key = "shop-key") {
    return {.url = {"127.0.0.1", std::to_string(port), "/v1/stream"},
            .write_key = std::move(key),
            .patience = 5s};
}

} // namespace

TEST_CASE_METHOD(ListenerFixture, "a producer ends when everything is acked", "[producer]") {
    open();
    const auto totals = runtime::StreamProducer::run(to(listener->port()), numbered(300));
    REQUIRE(totals.has_value());
    CHECK(totals->messages == 600);
    CHECK(totals->accepted == 600);
    CHECK(totals->frames == 300);
    CHECK(totals->resent == 0);
    CHECK(log.drafts().size() == 600);
}

TEST_CASE_METHOD(ListenerFixture, "a producer whose service restarts loses nothing", "[producer]") {
    open();
    const auto port = config.port = listener->port();
    log.holds = true;
    std::thread restart{[&] {
        log.wait_for_waiting(64); // All that may be in flight.
        listener->stop(0ms);      // Without a last word.
        listener.reset();
        while (log.waiting() > 0) log.release(0, true);
        log.holds = false;
        open();
    }};
    const auto totals = runtime::StreamProducer::run(to(port), numbered(300));
    restart.join();
    REQUIRE(totals.has_value());
    CHECK(totals->messages == 600);
    CHECK(totals->connections == 2);
    CHECK(totals->resent == 64);
    const auto ids = log.message_ids();
    CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == 600);
}

TEST_CASE_METHOD(ListenerFixture, "a producer says why it can't send", "[producer]") {
    open();
    auto options = to(listener->port(), "wrong");
    CHECK(runtime::StreamProducer::run(options, numbered(1)).error().code ==
          journeys::ErrorCode::unauthorized);
    listener.reset();
    options.patience = 0ms;
    CHECK(runtime::StreamProducer::run(options, numbered(1)).error().code ==
          journeys::ErrorCode::unavailable);
}
