#include "tests/runtime/listener_fixture.hpp"

#include <stdexcept>

using namespace std::chrono_literals;

std::string track(const std::string& message_id, const std::string& user) {
    return R"({"type":"track","event":"Product Viewed","userId":")" + user + R"(","messageId":")" +
           message_id + R"(","timestamp":"2026-11-20T10:00:00.000Z","properties":{"sku":"S-1"}})";
}

ListenerFixture::ListenerFixture() {
    config.port = 0;
    config.keys = runtime::KeyRing{{
        runtime::make_key("shop", "shop-key", {runtime::Scope::ingest}),
        runtime::make_key("app", "app-key", {runtime::Scope::ingest}),
        runtime::make_key("store", "store-key", {runtime::Scope::decide}),
        runtime::make_key("ops", "ops-key", {runtime::Scope::admin}),
    }};
}

ListenerFixture::~ListenerFixture() {
    listener.reset(); // Until it has ended it tells of what it refused.
}

void ListenerFixture::open() {
    auto opened =
        runtime::Listener::open(config, {.log = log,
                                         .credit = credit,
                                         .now =
                                             [] {
                                                 return journeys::Timestamp{std::chrono::sys_days{
                                                            std::chrono::year{2026} / 11 / 20}} +
                                                        11h;
                                             },
                                         .handlers = handlers,
                                         .reject =
                                             [this](runtime::RejectedMessage message) {
                                                 const std::lock_guard lock{mutex_};
                                                 rejects_.push_back(std::move(message));
                                             },
                                         .privacy = privacy,
                                         .not_ready =
                                             [this] {
                                                 const std::lock_guard lock{mutex_};
                                                 return not_ready_;
                                             },
                                         .metrics = [] { return std::string{"sojourn_up 1\n"}; },
                                         .echoes = echoes});
    if (!opened) throw std::runtime_error(opened.error().detail);
    listener = std::move(*opened);
}

RawClient ListenerFixture::connect() {
    if (!listener) open();
    return RawClient{listener->port()};
}

RawClient ListenerFixture::stream() {
    auto client = connect();
    if (client.open_stream().status != 101) throw std::runtime_error("not upgraded");
    return client;
}

RawClient::Answer ListenerFixture::post(std::string_view path, std::string_view body,
                                        std::string_view headers) {
    auto client = connect();
    client.send("POST " + std::string{path} + " HTTP/1.1\r\nHost: t\r\n" + std::string{headers} +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body});
    return client.read_answer();
}

RawClient::Answer ListenerFixture::request(std::string_view method, std::string_view target,
                                           std::string_view headers) {
    auto client = connect();
    client.send(std::string{method} + " " + std::string{target} + " HTTP/1.1\r\nHost: t\r\n" +
                std::string{headers} + "\r\n");
    return client.read_answer(method != "HEAD");
}

std::vector<runtime::RejectedMessage> ListenerFixture::rejects() {
    const std::lock_guard lock{mutex_};
    return rejects_;
}

void ListenerFixture::set_not_ready(std::string why) {
    const std::lock_guard lock{mutex_};
    not_ready_ = std::move(why);
}
