// Producers over WebSocket: acks, their order, and every way in which a connection ends.

#include "tests/runtime/listener_fixture.hpp"

#include <catch2/catch.hpp>

#include <thread>

using namespace std::chrono_literals;

TEST_CASE_METHOD(ListenerFixture, "a frame is acked when it is durable, not before", "[listener]") {
    log.holds = true;
    auto client = stream();
    client.send_text(track("m-1"));
    REQUIRE(log.wait_for_waiting(1) == 1);

    // The answer to a ping comes on the same connection: nothing was written before it.
    client.send_frame(9, "still there?");
    const auto pong = client.read_frame();
    REQUIRE(pong);
    CHECK(pong->opcode == 10);

    log.release();
    CHECK(client.read_text() == R"({"ack":1,"accepted":1})");
    CHECK(log.message_ids() == std::vector<std::string>{"m-1"});
}

TEST_CASE_METHOD(ListenerFixture, "a frame is a message, an array of them, or a batch",
                 "[listener]") {
    auto client = stream();
    client.send_text(track("m-1"));
    CHECK(client.read_text() == R"({"ack":1,"accepted":1})");
    client.send_text("[" + track("m-2") + "," + track("m-3") + "]");
    CHECK(client.read_text() == R"({"ack":2,"accepted":2})");
    client.send_text(R"({"batch":[)" + track("m-4") + R"(],"sentAt":"2026-11-20T10:00:01Z"})");
    CHECK(client.read_text() == R"({"ack":3,"accepted":1})");
    CHECK(log.message_ids() == std::vector<std::string>{"m-1", "m-2", "m-3", "m-4"});
    CHECK(log.appends() == 3);
}

TEST_CASE_METHOD(ListenerFixture, "acks are in the order of frames, whatever the log's order",
                 "[listener]") {
    log.holds = true;
    auto client = stream();
    for (int i = 1; i <= 3; ++i) {
        client.send_text(track("m-" + std::to_string(i)));
        REQUIRE(log.wait_for_waiting(static_cast<std::size_t>(i)) == static_cast<std::size_t>(i));
    }
    log.release(2);
    log.release(1);
    client.send_frame(9, "nothing yet");
    CHECK(client.read_frame()->opcode == 10);
    log.release(0);
    // One answer covers them all: they became durable together.
    CHECK(client.read_text() == R"({"ack":3,"accepted":3})");
}

TEST_CASE_METHOD(ListenerFixture, "one bad message leaves the others of its frame", "[listener]") {
    auto client = stream();
    client.send_text("[" + track("m-1") + R"(,{"type":"track","event":"X","messageId":"m-9"},)" +
                     track("m-2") + "]");
    const auto answer = client.read_text();
    CHECK_THAT(answer,
               Catch::StartsWith(R"({"ack":1,"accepted":2,"rejected":[{"frame":1,"index":1,)"
                                 R"("messageId":"m-9","error":")"));
    CHECK(log.message_ids() == std::vector<std::string>{"m-1", "m-2"});
    REQUIRE(rejects().size() == 1);
    CHECK(rejects()[0].reason == schema::RejectReason::no_identity);
    CHECK(rejects()[0].key == "shop");
    CHECK_THAT(rejects()[0].raw, Catch::Contains("m-9"));
}

TEST_CASE_METHOD(ListenerFixture, "a message of stand-ins for nobody is refused", "[listener]") {
    auto client = stream();
    client.send_text(track("m-1", "undefined"));
    CHECK_THAT(client.read_text(), Catch::StartsWith(R"({"ack":1,"accepted":0,"rejected":[)"));
    CHECK(log.drafts().empty());
}

TEST_CASE_METHOD(ListenerFixture, "malformed JSON refuses its frame and keeps the connection",
                 "[listener]") {
    auto client = stream();
    client.send_text("{nonsense");
    CHECK_THAT(client.read_text(), Catch::StartsWith(R"({"ack":1,"accepted":0,"error":")"));
    client.send_text(track("m-1"));
    CHECK(client.read_text() == R"({"ack":2,"accepted":1})");
}

TEST_CASE_METHOD(ListenerFixture, "a refused frame is answered in its place", "[listener]") {
    log.holds = true;
    auto client = stream();
    client.send_text(track("m-1"));
    client.send_text("{nonsense");
    client.send_text(track("m-2"));
    REQUIRE(log.wait_for_waiting(2) == 2);
    log.release(1);
    log.release(0);
    CHECK(client.read_text() == R"({"ack":1,"accepted":1})");
    CHECK_THAT(client.read_text(), Catch::StartsWith(R"({"ack":2,"accepted":0,"error":")"));
    CHECK(client.read_text() == R"({"ack":3,"accepted":1})");
}

TEST_CASE_METHOD(ListenerFixture, "an event and the links it shows are one append", "[listener]") {
    auto client = stream();
    client.send_text(
        R"({"type":"track","event":"X","userId":"ada","anonymousId":"a-1","messageId":"m"})");
    CHECK(client.read_text() == R"({"ack":1,"accepted":1})");
    const auto drafts = log.drafts();
    REQUIRE(drafts.size() == 2);
    CHECK(log.appends() == 1);
    CHECK(to_text(drafts[0].customer) == "user:ada");
    CHECK(drafts[0].kind == journeys::RecordKind::event);
    CHECK(drafts[0].message_hash != 0);
    CHECK(to_text(drafts[1].customer) == "anonymous:a-1");
    CHECK(drafts[1].kind == journeys::RecordKind::link);
    CHECK_FALSE(drafts[0].bytes.empty());
    CHECK_FALSE(drafts[1].bytes.empty());
}

TEST_CASE_METHOD(ListenerFixture,
                 "storage that fails ends the connection, and its link is shown again",
                 "[listener]") {
    const auto both =
        R"({"type":"track","event":"X","userId":"ada","anonymousId":"a-1","messageId":"m"})";
    log.fails = true;
    {
        auto client = stream();
        client.send_text(both);
        CHECK(client.read_close() == 1013);
    }
    log.fails = false;
    auto client = stream();
    client.send_text(both);
    CHECK(client.read_text() == R"({"ack":1,"accepted":1})");
    CHECK(log.drafts().size() == 2);
}

TEST_CASE_METHOD(ListenerFixture, "what lies before a failed frame is acked before the close",
                 "[listener]") {
    log.holds = true;
    auto client = stream();
    for (int i = 1; i <= 3; ++i) client.send_text(track("m-" + std::to_string(i)));
    REQUIRE(log.wait_for_waiting(3) == 3);
    log.release(1, true);
    log.release(1);
    log.release(0);
    CHECK(client.read_text() == R"({"ack":1,"accepted":1})");
    CHECK(client.read_close() == 1013);
}

TEST_CASE_METHOD(ListenerFixture, "a frame over the limit closes with 1009, behind the acks",
                 "[listener]") {
    config.limits.messages.frame_bytes_max = 2000;
    log.holds = true;
    auto client = stream();
    client.send_text(track("m-1"));
    REQUIRE(log.wait_for_waiting(1) == 1);
    SECTION("in one piece") { client.send_text(std::string(2001, ' ')); }
    SECTION("in fragments") {
        client.send_frame(1, std::string(1500, ' '), false);
        client.send_frame(0, std::string(1500, ' '), false);
    }
    SECTION("announced, and begun") {
        auto frame = RawClient::frame(1, std::string(100'000, ' '));
        client.send(std::string_view{frame}.substr(0, 5000));
    }
    std::this_thread::sleep_for(20ms); // Either order is right; this is the harder one.
    log.release();
    CHECK(client.read_text() == R"({"ack":1,"accepted":1})");
    CHECK(client.read_close() == 1009);
}

TEST_CASE_METHOD(ListenerFixture, "a frame of exactly the limit is taken", "[listener]") {
    const auto message = track("m-1");
    config.limits.messages.frame_bytes_max = message.size() + 10;
    auto client = stream();
    client.send_text(message + std::string(10, ' '));
    CHECK(client.read_text() == R"({"ack":1,"accepted":1})");
}

TEST_CASE_METHOD(ListenerFixture, "a message over its limit is an item refused", "[listener]") {
    config.limits.messages.message_bytes_max = 300;
    auto client = stream();
    auto large = track("m-2");
    large.insert(large.size() - 1, R"(,"more":")" + std::string(300, 'x') + '"');
    client.send_text("[" + track("m-1") + "," + large + "]");
    CHECK_THAT(client.read_text(),
               Catch::StartsWith(R"({"ack":1,"accepted":1,"rejected":[{"frame":1,"index":1,)"));
}

TEST_CASE_METHOD(ListenerFixture, "frames that are no text, or no UTF-8, end the connection",
                 "[listener]") {
    auto client = stream();
    SECTION("binary") {
        client.send_frame(2, track("m-1"));
        CHECK(client.read_close() == 1003);
    }
    SECTION("no UTF-8") {
        client.send_text("\xff\xfe");
        CHECK(client.read_close() == 1007);
    }
    SECTION("reserved opcodes") {
        client.send_frame(3, "x");
        CHECK(client.read_close() == 1002);
    }
    CHECK(log.drafts().empty());
}

TEST_CASE_METHOD(ListenerFixture, "a producer's close is answered", "[listener]") {
    auto client = stream();
    client.send_frame(8, std::string{"\x03\xe8", 2});
    CHECK(client.read_close() == 1000);
    CHECK(client.is_closed());
}

TEST_CASE_METHOD(ListenerFixture, "a service going down closes with 1012 after the last ack",
                 "[listener]") {
    log.holds = true;
    auto client = stream();
    client.send_text(track("m-1"));
    REQUIRE(log.wait_for_waiting(1) == 1);
    std::thread stopping{[&] { listener->stop(5s); }};
    std::this_thread::sleep_for(20ms);
    log.release();
    CHECK(client.read_text() == R"({"ack":1,"accepted":1})");
    const auto frame = client.read_frame();
    REQUIRE(frame);
    CHECK(frame->opcode == 8);
    CHECK(frame->code() == 1012);
    client.send_frame(8, std::string{"\x03\xf4", 2});
    CHECK(client.is_closed());
    { const auto gone = std::move(client); }
    stopping.join();
}

TEST_CASE_METHOD(ListenerFixture, "going down waits no longer than it is told to", "[listener]") {
    log.holds = true;
    auto client = stream();
    client.send_text(track("m-1"));
    REQUIRE(log.wait_for_waiting(1) == 1);
    listener->stop(20ms);
    CHECK(client.read_frame() == std::nullopt);
    log.release(); // Too late, and harmless.
}

TEST_CASE_METHOD(ListenerFixture, "only a known key for events is upgraded", "[listener]") {
    const auto upgrade = [&](std::string_view target, std::string_view headers) {
        return connect().open_stream(target, headers).status;
    };
    CHECK(upgrade("/v1/stream", "") == 401);
    CHECK(upgrade("/v1/stream?write_key=wrong", "") == 401);
    CHECK(upgrade("/v1/stream", "Authorization: Basic d3Jvbmc6\r\n") == 401);
    CHECK(upgrade("/v1/stream?write_key=store-key", "") == 403);
    CHECK(upgrade("/v1/stream?write_key=shop-key", "") == 101);
    CHECK(upgrade("/v1/stream?write_key=ops-key", "") == 403);
    CHECK(upgrade("/v1/stream", "Authorization: Basic c2hvcC1rZXk6\r\n") == 101);
    CHECK(upgrade("/v1/stream", "Authorization: Basic c2hvcC1rZXk=\r\n") == 101);
    CHECK(upgrade("/v1/stream", "Authorization: Bearer shop-key\r\n") == 101);
    set_not_ready("storage is down");
    CHECK(upgrade("/v1/stream?write_key=shop-key", "") == 503);
    CHECK(request("GET", "/v1/stream").status == 426);
}

TEST_CASE_METHOD(ListenerFixture, "without credit nothing is read, and nothing lost",
                 "[listener]") {
    auto client = stream();
    client.send_text(track("m-0"));
    CHECK(client.read_text() == R"({"ack":1,"accepted":1})");

    credit.take(0, 1000);
    const auto frame = RawClient::frame(1, track("m"));
    std::string many;
    while (many.size() < 32 * 1024 * 1024) many += frame;
    const auto sent = client.send_what_fits(many);
    CHECK(sent < many.size());       // The socket has filled: back-pressure.
    CHECK(log.drafts().size() <= 2); // At most the one that was being read.

    credit.give_back(0, 1000);
    std::thread rest{[&] { client.send(std::string_view{many}.substr(sent, frame.size() * 50)); }};
    // More frames than were sent in full are not waited for.
    const auto frames = sent / frame.size();
    std::uint64_t acked = 1;
    while (acked < 1 + frames) {
        const auto next = client.read_frame();
        CAPTURE(acked, frames, log.appends(), next.has_value(), next ? next->opcode : 99U,
                next ? next->code() : 0U);
        const auto text = next ? next->payload : std::string{};
        REQUIRE_THAT(text, Catch::StartsWith("{\"ack\":"));
        acked = std::stoull(text.substr(7));
    }
    rest.join();
    CHECK(log.drafts().size() >= frames);
}

TEST_CASE_METHOD(ListenerFixture, "frames in flight are bounded, and go on when they drain",
                 "[listener]") {
    config.limits.frames_in_flight_max = 3;
    log.holds = true;
    auto client = stream();
    for (int i = 0; i < 10; ++i) client.send_text(track("m-" + std::to_string(i)));
    CHECK(log.wait_for_waiting(3) == 3);
    std::this_thread::sleep_for(20ms);
    CHECK(log.waiting() == 3);
    for (int i = 0; i < 10; ++i) {
        REQUIRE(log.wait_for_waiting(1) >= 1);
        log.release();
    }
    std::uint64_t acked = 0;
    while (acked < 10) acked = std::stoull(client.read_text().substr(7));
    CHECK(acked == 10);
}

TEST_CASE_METHOD(ListenerFixture, "a reader that takes no acks can't grow memory", "[listener]") {
    config.limits.unsent_bytes_max = 10'000;
    config.limits.write_timeout = 100ms;
    auto client = stream();
    // Every item is refused, so that answers are longer than frames.
    std::string items = "[{}";
    for (int i = 0; i < 1000; ++i) items += ",{}";
    const auto frame = RawClient::frame(1, items + "]");
    std::string many;
    while (many.size() < 8 * 1024 * 1024) many += frame;
    const auto sent = client.send_what_fits(many);
    CHECK(sent < many.size());
    // In the end it is given up.
    for (int i = 0; i < 200 && client.send(frame); ++i) std::this_thread::sleep_for(5ms);
    CHECK_FALSE(client.send(frame));
}

TEST_CASE_METHOD(ListenerFixture, "silence is pinged; who answers stays, who does not is dropped",
                 "[listener]") {
    config.limits.ping_interval = 30ms;
    config.limits.pong_timeout = 30ms;
    auto client = stream();
    for (int i = 0; i < 3; ++i) {
        const auto ping = client.read_frame();
        REQUIRE(ping);
        CHECK(ping->opcode == 9);
        client.send_frame(10, ping->payload);
    }
    CHECK(client.read_frame()->opcode == 9);
    CHECK(client.read_frame() == std::nullopt); // Unanswered.
}

TEST_CASE_METHOD(ListenerFixture, "a frame that never ends does not hold its place", "[listener]") {
    config.limits.body_timeout = 60ms;
    auto client = stream();
    client.send_frame(1, "{\"type\":", false);
    CHECK(client.read_close() == 1008);
}

TEST_CASE_METHOD(ListenerFixture, "fragments are one frame", "[listener]") {
    auto client = stream();
    const auto message = track("m-1");
    client.send_frame(1, message.substr(0, 10), false);
    client.send_frame(9, "between");
    client.send_frame(0, message.substr(10));
    CHECK(client.read_frame()->opcode == 10);
    CHECK(client.read_text() == R"({"ack":1,"accepted":1})");
}

TEST_CASE_METHOD(ListenerFixture, "several threads serve their connections alike", "[listener]") {
    config.threads = 3;
    std::vector<RawClient> clients;
    for (int i = 0; i < 6; ++i) clients.push_back(stream());
    for (int i = 0; i < 6; ++i)
        clients[static_cast<std::size_t>(i)].send_text(track("m-" + std::to_string(i)));
    for (auto& client : clients) CHECK(client.read_text() == R"({"ack":1,"accepted":1})");
    CHECK(log.drafts().size() == 6);
}
