// Requests that two servers could read differently, and connections that never get on.

#include "tests/runtime/listener_fixture.hpp"

#include <catch2/catch.hpp>

#include <thread>

using namespace std::chrono_literals;

namespace {

struct Shape {
    const char* name;
    std::string bytes;
};

const std::string line =
    "POST /v1/track HTTP/1.1\r\nHost: t\r\nAuthorization: Basic c2hvcC1rZXk6\r\n";

std::vector<Shape> shapes() {
    return {
        {"Content-Length before Transfer-Encoding",
         line + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"Transfer-Encoding before Content-Length",
         line + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"},
        {"two different Content-Lengths",
         line + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"},
        {"two equal Content-Lengths", line + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
        {"a list of Content-Lengths", line + "Content-Length: 5, 5\r\n\r\nhello"},
        {"a signed Content-Length", line + "Content-Length: +5\r\n\r\nhello"},
        {"a negative Content-Length", line + "Content-Length: -5\r\n\r\nhello"},
        {"a hexadecimal Content-Length", line + "Content-Length: 0x5\r\n\r\nhello"},
        {"a Content-Length past 64 bits", line + "Content-Length: 99999999999999999999\r\n\r\n"},
        {"an encoding that is not known", line + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
        {"an encoding before chunked", line + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
        {"chunked not last", line + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
        {"chunked twice",
         line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"chunked in HTTP/1.0",
         "POST /v1/track HTTP/1.0\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"a bare LF behind a header",
         "POST /v1/track HTTP/1.1\r\nHost: t\nContent-Length: 0\r\n\r\n"},
        {"a bare LF behind the request line", "POST /v1/track HTTP/1.1\nHost: t\r\n\r\n"},
        {"a bare LF for the empty line", "POST /v1/track HTTP/1.1\r\nHost: t\r\n\n"},
        {"a bare CR in a value", line + "X: a\rb\r\n\r\n"},
        {"a blank before the colon", line + "Content-Length : 5\r\n\r\nhello"},
        {"a blank before the name", line + " Content-Length: 5\r\n\r\nhello"},
        {"a NUL in a value", line + std::string{"X: a\0b\r\n\r\n", 10}},
        {"a chunk's size that is no number",
         line + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"},
        {"a chunk's size with a sign",
         line + "Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n"},
        {"a chunk's size past 64 bits",
         line + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n0\r\n\r\n"},
        {"a chunk longer than its size",
         line + "Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n"},
        {"a bare LF behind a chunk's size",
         line + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n"},
        {"no Host", "GET /healthz HTTP/1.1\r\n\r\n"},
        {"two Hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
        {"no HTTP at all", "hello, world\r\n\r\n"},
        {"the request of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
        {"a version that is none", "GET /healthz HTTP/1.7\r\nHost: t\r\n\r\n"},
    };
}

} // namespace

TEST_CASE_METHOD(ListenerFixture, "ambiguous requests are refused, and nothing is read behind them",
                 "[listener]") {
    for (const auto& shape : shapes()) {
        INFO(shape.name);
        auto client = connect();
        // A second request behind it would be answered with 200.
        client.send(shape.bytes + "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n");
        const auto answer = client.read_answer();
        CHECK(answer.status == 400);
        CHECK(answer.header("Connection") == "close");
        CHECK(client.is_closed());
    }
    CHECK(log.drafts().empty());
}

TEST_CASE_METHOD(ListenerFixture, "lines that end in LF alone are refused at once", "[listener]") {
    // Nothing follows that would make them whole.
    for (const auto& shape : {
             Shape{"a request of such lines", "GET /healthz HTTP/1.1\nHost: t\n\n"},
             Shape{"its first line", "GET /healthz HTTP/1.1\n"},
             Shape{"one header", "GET /healthz HTTP/1.1\r\nHost: t\n"},
             Shape{"the empty line", line + "\n"},
             Shape{"a chunk's size", line + "Transfer-Encoding: chunked\r\n\r\n5\n"},
             Shape{"a chunk's size behind another",
                   line + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n5\n"},
             Shape{"a chunk's end", line + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\n"},
             Shape{"the last chunk", line + "Transfer-Encoding: chunked\r\n\r\n0\n\n"},
             Shape{"a trailer", line + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\n"},
         }) {
        INFO(shape.name);
        auto client = connect();
        client.send(shape.bytes);
        const auto answer = client.read_answer();
        CHECK(answer.status == 400);
        CHECK(client.is_closed());
    }
    CHECK(log.drafts().empty());
}

TEST_CASE_METHOD(ListenerFixture, "a body may come in pieces of any size", "[listener]") {
    auto client = connect();
    const auto message = track("m-1");
    char size[16];
    std::snprintf(size, sizeof size, "%zx", message.size());
    for (const char c : line + "Transfer-Encoding: chunked\r\n\r\n" + size + "\r\n" + message +
                            "\r\n0\r\nX: y\r\n\r\n")
        client.send(std::string(1, c));
    CHECK(client.read_answer().status == 200);
    const auto second = track("m-2");
    for (const char c :
         line + "Content-Length: " + std::to_string(second.size()) + "\r\n\r\n" + second)
        client.send(std::string(1, c));
    CHECK(client.read_answer().status == 200);
    CHECK(log.message_ids() == std::vector<std::string>{"m-1", "m-2"});
}

TEST_CASE_METHOD(ListenerFixture, "chunked bodies are read, trailers and extensions too",
                 "[listener]") {
    auto client = connect();
    const auto message = track("m-1");
    char size[16];
    std::snprintf(size, sizeof size, "%zx", message.size() - 4);
    client.send(line + "Transfer-Encoding: chunked\r\n\r\n4;a=b\r\n" + message.substr(0, 4) +
                "\r\n" + size + "\r\n" + message.substr(4) + "\r\n0\r\nX: y\r\n\r\n");
    CHECK(client.read_answer().status == 200);
    CHECK(log.message_ids() == std::vector<std::string>{"m-1"});
}

TEST_CASE_METHOD(ListenerFixture, "what is over a limit is told so", "[listener]") {
    config.limits.body_bytes_max = 1000;
    config.limits.header_bytes_max = 2000;
    SECTION("a body that says its size") {
        CHECK(post("/v1/batch", std::string(1001, ' ')).status == 413);
    }
    SECTION("a chunked body") {
        auto client = connect();
        client.send(line + "Transfer-Encoding: chunked\r\n\r\n800\r\n" + std::string(2048, ' ') +
                    "\r\n");
        CHECK(client.read_answer().status == 413);
        CHECK(client.is_closed());
    }
    SECTION("a header") {
        CHECK(request("GET", "/healthz", "X: " + std::string(3000, 'x') + "\r\n").status == 431);
    }
    SECTION("a target") { CHECK(request("GET", "/" + std::string(3000, 'x')).status == 431); }
}

TEST_CASE_METHOD(ListenerFixture, "connections that do not get on are ended", "[listener]") {
    config.limits.header_timeout = 60ms;
    config.limits.body_timeout = 60ms;
    config.limits.idle_timeout = 60ms;
    auto client = connect();
    SECTION("one that says nothing") {}
    SECTION("one whose header trickles") {
        std::thread trickle{[&] {
            for (int i = 0; i < 200 && client.send("G"); ++i) std::this_thread::sleep_for(2ms);
        }};
        CHECK(client.is_closed());
        trickle.join();
        return;
    }
    SECTION("one whose header stops") { client.send("GET /healthz HTTP/1.1\r\nHost"); }
    SECTION("one whose body stops") { client.send(line + "Content-Length: 100\r\n\r\n{"); }
    SECTION("one between requests") {
        client.send("GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n");
        CHECK(client.read_answer().status == 200);
    }
    SECTION("one that has half closed") {
        client.send("GET /heal");
        client.shut_down_sending();
    }
    CHECK(client.is_closed());
}

TEST_CASE_METHOD(ListenerFixture, "connections are bounded, for one address too", "[listener]") {
    SECTION("all") { config.limits.connections_max = 2; }
    SECTION("of one address") { config.limits.connections_per_address_max = 2; }
    auto first = stream();
    {
        auto second = stream();
        auto third = connect();
        const auto refused = third.read_answer();
        CHECK(refused.status == 503);
        CHECK(refused.header("Retry-After") == "1");
        CHECK(third.is_closed());
    }
    // Places become free again.
    int status = 0;
    for (int i = 0; i < 200 && status != 101; ++i) {
        status = connect().open_stream().status;
        if (status != 101) std::this_thread::sleep_for(5ms);
    }
    CHECK(status == 101);
}
