#include "runtime/base64.hpp"
#include "runtime/channels/http_client.hpp"
#include "runtime/channels/registry.hpp"
#include "runtime/channels/webhook.hpp"
#include "tests/support/loopback.hpp"

#include <catch2/catch.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace runtime;
using namespace std::chrono_literals;
using Kind = actors::ProviderOutcome::Kind;

namespace {

/// Takes one connection on loopback, reads a request, answers with `answer` and closes.
class OneAnswer {
public:
    explicit OneAnswer(std::string answer) {
        thread_ = std::thread{[this, answer = std::move(answer)] {
            const int connection = ::accept(listening_.socket, nullptr, nullptr);
            char bytes[4096];
            while (request_.find("\r\n\r\n") == std::string::npos ||
                   request_.find("\"data\"") == std::string::npos) {
                const auto got = ::read(connection, bytes, sizeof bytes);
                if (got <= 0) break;
                request_.append(bytes, static_cast<std::size_t>(got));
            }
            if (!answer.empty()) (void)!::write(connection, answer.data(), answer.size());
            ::close(connection);
        }};
    }
    ~OneAnswer() {
        if (thread_.joinable()) thread_.join();
        ::close(listening_.socket);
    }
    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(listening_.port) + "/hook";
    }
    const std::string& request() {
        if (thread_.joinable()) thread_.join();
        return request_;
    }

private:
    support::ListeningSocket listening_ = support::listen_on_loopback(1);
    std::string request_;
    std::thread thread_;
};

/// Answers the first request, reads every further one to its end, and then hangs up.
class HangsUp {
public:
    HangsUp() {
        thread_ = std::thread{[this] {
            for (int connection;
                 (connection = ::accept(listening_.socket, nullptr, nullptr)) >= 0;) {
                while (read_one(connection) && ++requests_ == 1) {
                    constexpr std::string_view answer{
                        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
                    (void)!::write(connection, answer.data(), answer.size());
                }
                ::close(connection);
            }
        }};
    }
    ~HangsUp() { requests(); }
    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(listening_.port) + "/hook";
    }
    /// All there ever were: nobody connects any more.
    int requests() {
        if (!thread_.joinable()) return requests_;
        ::shutdown(listening_.socket, SHUT_RDWR);
        thread_.join();
        ::close(listening_.socket);
        return requests_;
    }

private:
    static bool read_one(int connection) {
        std::string request;
        char bytes[4096];
        while (request.find("\"data\"") == std::string::npos) {
            const auto got = ::read(connection, bytes, sizeof bytes);
            if (got <= 0) return false;
            request.append(bytes, static_cast<std::size_t>(got));
        }
        return true;
    }

    support::ListeningSocket listening_ = support::listen_on_loopback(4);
    int requests_ = 0;
    std::thread thread_;
};

/// Takes requests on as many connections as come, and answers one where it is told to.
class HoldsBack {
public:
    ~HoldsBack() {
        for (const int connection : connections_) ::close(connection);
        ::close(listening_.socket);
    }
    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(listening_.port) + "/hook";
    }
    std::size_t connections() const { return connections_.size(); }

    /// A connection on which the next request has come: a new one, or an open one. -1: none came.
    int next(std::chrono::milliseconds patience) {
        std::vector<pollfd> polled{{listening_.socket, POLLIN, 0}};
        for (const int connection : connections_) polled.push_back({connection, POLLIN, 0});
        if (::poll(polled.data(), polled.size(), static_cast<int>(patience.count())) <= 0)
            return -1;
        int found =
            std::ranges::find_if(polled, [](const auto& one) { return one.revents != 0; })->fd;
        if (found == listening_.socket)
            connections_.push_back(found = ::accept(listening_.socket, nullptr, nullptr));
        std::string request;
        char bytes[4096];
        while (request.find("\"data\"") == std::string::npos) {
            const auto got = ::read(found, bytes, sizeof bytes);
            if (got <= 0) return -1;
            request.append(bytes, static_cast<std::size_t>(got));
        }
        return found;
    }
    static void answer(int connection) {
        constexpr std::string_view answer{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"};
        (void)!::write(connection, answer.data(), answer.size());
    }

private:
    support::ListeningSocket listening_ = support::listen_on_loopback(16);
    std::vector<int> connections_;
};

HttpResponse call(HttpRequest request) {
    HttpClient client;
    std::promise<HttpResponse> answered;
    client.request(std::move(request),
                   [&](HttpResponse response) { answered.set_value(std::move(response)); });
    return answered.get_future().get();
}

actors::ProviderRequest message() {
    actors::ProviderRequest request;
    request.channel = "crm";
    request.intent = {1, 2};
    request.customer = {journeys::IdNamespace::user, "ada"};
    request.address = "ada@example.com";
    request.payload = R"({"journey":"cart-abandon"})";
    return request;
}

} // namespace

TEST_CASE("a webhook is signed as the specification's own vectors are", "[channels]") {
    // From the tests of the reference libraries, github.com/standard-webhooks/standard-webhooks
    // (MIT).
    const auto signature = [](std::string_view secret, const std::string& id, std::int64_t at,
                              const std::string& body) {
        return sign_webhook(*from_base64(secret), id, at, body);
    };
    CHECK(signature("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                    R"({"test": 2432232314})") ==
          "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    CHECK(signature("C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
                    1649367553, R"({"email":"test@example.com","username":"test_user"})") ==
          "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
}

TEST_CASE("a webhook's secret is 24 to 64 bytes behind whsec_", "[channels]") {
    const auto accepts = [](const std::string& secret) {
        return make_webhook({"http://127.0.0.1/", secret}).has_value();
    };
    CHECK(accepts(""));
    CHECK(accepts("whsec_" + to_base64(std::string(24, 'k'))));
    CHECK(accepts("whsec_" + to_base64(std::string(64, 'k'))));
    CHECK_FALSE(accepts("whsec_" + to_base64(std::string(23, 'k'))));
    CHECK_FALSE(accepts("whsec_" + to_base64(std::string(65, 'k'))));
    CHECK_FALSE(accepts(to_base64(std::string(24, 'k'))));
    CHECK_FALSE(accepts("whsec_not base64"));
}

TEST_CASE("a webhook's receiver that is gone stops its channel", "[channels]") {
    const auto webhook = std::move(make_webhook({"http://127.0.0.1/", ""})).value();
    HttpResponse answer;
    answer.status = 410;
    const auto gone = webhook->classify(answer);
    CHECK(gone.kind == actors::ProviderOutcome::Kind::retry); // It waits until somebody resumes.
    CHECK(gone.stops_channel);
    CHECK(gone.detail == "HTTP 410");
    for (const long status : {200L, 400L, 404L, 429L, 500L}) {
        answer.status = status;
        CHECK_FALSE(webhook->classify(answer).stops_channel);
    }
}

TEST_CASE("every attempt of a webhook has the same id and body, and a time of its own",
          "[channels]") {
    const auto webhook =
        std::move(make_webhook({"http://127.0.0.1/", "whsec_" + to_base64(std::string(24, 'k'))}))
            .value();
    const auto first = webhook->prepare(message(), std::chrono::sys_seconds{100s}).value();
    const auto second = webhook->prepare(message(), std::chrono::sys_seconds{200s}).value();
    CHECK(first.body == second.body);
    CHECK(
        first.body ==
        R"({"type":"message.triggered","address":"ada@example.com","data":{"journey":"cart-abandon"}})");
    const auto header = [](const HttpRequest& request, std::string_view name) {
        for (const auto& [each, value] : request.headers)
            if (each == name) return value;
        return std::string{};
    };
    CHECK(header(first, "webhook-id") == journeys::to_text(message().intent));
    CHECK(header(first, "webhook-id") == header(second, "webhook-id"));
    CHECK(header(first, "webhook-timestamp") == "100");
    CHECK(header(first, "webhook-signature") != header(second, "webhook-signature"));
}

TEST_CASE("an answer means accepted, rejected, try again, or nobody knows", "[channels]") {
    const auto kind = [](long status) {
        HttpResponse response;
        response.status = status;
        return classify_by_status(response).kind;
    };
    for (const long status : {200, 201, 202, 204, 299}) CHECK(kind(status) == Kind::accepted);
    for (const long status : {301, 302, 400, 401, 403, 404, 410, 413, 422})
        CHECK(kind(status) == Kind::rejected);
    for (const long status : {408, 425, 429, 503}) CHECK(kind(status) == Kind::retry);
    for (const long status : {500, 502, 504}) CHECK(kind(status) == Kind::unknown);
    HttpResponse nothing;
    CHECK(classify_by_status(nothing).kind == Kind::retry);
    nothing.may_have_arrived = true;
    CHECK(classify_by_status(nothing).kind == Kind::unknown);
}

TEST_CASE("Retry-After is read in both its forms, and bounded", "[channels]") {
    const std::chrono::sys_seconds now{std::chrono::sys_days{2026y / 11 / 20} + 8h};
    CHECK(parse_retry_after("0", now) == 0ms);
    CHECK(parse_retry_after("120", now) == 120s);
    CHECK(parse_retry_after("99999999", now) == 24h);
    CHECK(parse_retry_after("Fri, 20 Nov 2026 08:00:30 GMT", now) == 30s);
    CHECK(parse_retry_after("Fri, 20 Nov 2026 07:00:00 GMT", now) == 0ms);
    CHECK_FALSE(parse_retry_after("-1", now));
    CHECK_FALSE(parse_retry_after("soon", now));
    CHECK_FALSE(parse_retry_after("", now));
}

TEST_CASE("the client tells what came over the wire", "[channels]") {
    HttpRequest request;
    request.body = R"({"data":1})";
    request.timeout = 2s;
    SECTION("an answer, with its Retry-After") {
        OneAnswer server{"HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno"};
        request.url = server.url();
        const auto response = call(request);
        CHECK(response.status == 429);
        CHECK(response.body == "no");
        CHECK(response.retry_after == 7s);
        CHECK(server.request().starts_with("POST /hook HTTP/1.1\r\n"));
    }
    SECTION("a redirect is not followed") {
        OneAnswer server{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: "
                         "0\r\n\r\n"};
        request.url = server.url();
        CHECK(call(request).status == 302);
    }
    SECTION("a connection that ends after the request was written: it may have arrived") {
        OneAnswer server{""};
        request.url = server.url();
        const auto response = call(request);
        CHECK(response.status == 0);
        CHECK(response.may_have_arrived);
    }
    SECTION("nobody listens: it has certainly not arrived") {
        request.url = "http://127.0.0.1:1/";
        const auto response = call(request);
        CHECK(response.status == 0);
        CHECK_FALSE(response.may_have_arrived);
    }
    SECTION("no other protocol than HTTP") {
        request.url = "file:///etc/hostname";
        CHECK(call(request).status == 0);
    }
}

TEST_CASE("a request that a used connection swallowed is not written again by the library",
          "[channels]") {
    HangsUp server;
    HttpClient client;
    const auto once = [&] {
        std::promise<HttpResponse> answered;
        HttpRequest request;
        request.url = server.url();
        request.body = R"({"data":1})";
        request.timeout = 5s;
        client.request(std::move(request),
                       [&](HttpResponse response) { answered.set_value(std::move(response)); });
        return answered.get_future().get();
    };
    CHECK(once().status == 200);
    const auto swallowed = once();
    CHECK(swallowed.status == 0);
    CHECK(swallowed.may_have_arrived);
    CHECK(server.requests() == 2);
}

TEST_CASE("as many requests are under way at once as there may be connections, and the next waits",
          "[channels]") {
    constexpr std::size_t connections = 5, requests = connections + 2;
    HoldsBack server;
    HttpClient client{connections};
    std::vector<std::future<HttpResponse>> answers;
    for (std::size_t i = 0; i < requests; ++i) {
        auto answered = std::make_shared<std::promise<HttpResponse>>();
        answers.push_back(answered->get_future());
        HttpRequest request;
        request.url = server.url();
        request.body = R"({"data":1})";
        request.timeout = 20s;
        client.request(std::move(request), [answered](HttpResponse response) {
            answered->set_value(std::move(response));
        });
    }
    std::vector<int> busy;
    for (std::size_t i = 0; i < connections; ++i) busy.push_back(server.next(10s));
    CHECK(std::ranges::count(busy, -1) == 0);
    CHECK(server.connections() == connections); // None of them was answered yet.
    HoldsBack::answer(busy[3]);
    CHECK(server.next(10s) == busy[3]); // The next one goes where a place became free.
    HoldsBack::answer(busy[3]);
    CHECK(server.next(10s) == busy[3]);
    for (const int connection : busy) HoldsBack::answer(connection);
    for (auto& answer : answers) CHECK(answer.get().status == 200);
    CHECK(server.next(0ms) == -1); // Nor does one wait to be taken.
    CHECK(server.connections() == connections);
}
