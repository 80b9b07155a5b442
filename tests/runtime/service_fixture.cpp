#include "tests/runtime/service_fixture.hpp"

#include "runtime/listener/local_socket.hpp"
#include "tests/support/raw_client.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <fstream>
#include <thread>

/// libpqxx 6.4 forgets the result of a query on a connection that broke meanwhile.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx"; }

namespace runtime::test {

using namespace std::chrono_literals;

ServiceFolder::ServiceFolder(std::string_view more) {
    write("sojourn.yaml", std::string{R"(
listen: { port: 0 }
storage: { data_dir: data }
journeys: journeys
keys: [{ name: web, key: test-key, scopes: [ingest, decide, admin] }]
topics: [cart, offers]
channels:
  email: { type: sandbox, address: email, opt_in: false }
  sms: { type: sandbox, address: phone }
)"} + std::string{more});
    std::filesystem::create_directories(path() / "journeys");
}

void ServiceFolder::write(const std::string& file, std::string_view text) const {
    std::filesystem::create_directories((path() / file).parent_path());
    std::ofstream{path() / file} << text;
}

void ServiceFolder::start(double clock_speed, std::optional<std::uint16_t> port) {
    ServiceOptions options;
    options.config = config();
    options.clock_speed = clock_speed;
    options.port = port;
    std::vector<schema::Mistake> mistakes;
    auto started = Service::start(options, mistakes);
    for (const auto& mistake : mistakes) FAIL(schema::to_text(mistake));
    service_ = must(std::move(started));
    for (int i = 0; i < 1000 && !ask_service(socket(), "GET", "/readyz"); ++i)
        std::this_thread::sleep_for(10ms);
}

void ServiceFolder::stop() {
    REQUIRE(service_->stop());
    service_.reset();
}

std::filesystem::path ServiceFolder::socket() const {
    return std::filesystem::path{service_->data_dir()} / "sojourn.sock";
}

StreamUrl ServiceFolder::url() const {
    return must(
        parse_stream_url("ws://127.0.0.1:" + std::to_string(service_->port()) + "/v1/stream"));
}

StreamProducer::Totals ServiceFolder::send(const std::vector<std::string>& frames) {
    std::size_t next = 0;
    StreamProducer::Callbacks callbacks;
    callbacks.next = [&]() -> std::optional<StreamProducer::Frame> {
        if (next == frames.size()) return std::nullopt;
        StreamProducer::Frame frame;
        frame.text = frames[next++];
        frame.messages = 1;
        return frame;
    };
    return must(StreamProducer::run({.url = url(), .write_key = "test-key"}, callbacks));
}

std::pair<int, std::string> ServiceFolder::post(const std::string& path, const std::string& body,
                                                const std::string& headers) {
    RawClient client{service_->port()};
    client.send("POST " + path +
                " HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer test-key\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body);
    auto answer = client.read_answer();
    return {answer.status, std::move(answer.body)};
}

std::string ServiceFolder::ask(std::string_view method, std::string_view target,
                               std::string_view body) {
    return must(ask_service(socket(), method, target, body));
}

std::string ServiceFolder::wait_for_customer(const std::string& id, std::string_view part) {
    std::string text;
    for (int i = 0; i < 1000; ++i) {
        const auto answer = ask_service(socket(), "GET", "/v1/customers/" + id);
        text = answer ? *answer : answer.error().detail;
        if (text.find(part) != std::string::npos) return text;
        std::this_thread::sleep_for(10ms);
    }
    FAIL("no " << part << " in " << text);
    return text;
}

} // namespace runtime::test
