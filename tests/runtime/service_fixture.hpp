/// A whole service on a folder of its own, started and stopped as often as a test likes.
#pragma once

#include "runtime/producer/stream_producer.hpp"
#include "runtime/service.hpp"
#include "tests/runtime/postgres_fixture.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runtime::test {

class ServiceFolder {
public:
    /// `sojourn.yaml` with an admin's key `test-key`, sandbox channels, and `more` behind it.
    explicit ServiceFolder(std::string_view more = {});

    std::filesystem::path path() const { return folder_.path(); }
    std::filesystem::path config() const { return path() / "sojourn.yaml"; }
    std::filesystem::path socket() const;
    void write(const std::string& file, std::string_view text) const;

    void start(double clock_speed = 1, std::optional<std::uint16_t> port = std::nullopt);
    /// In good order; the test fails where that is not possible.
    void stop();
    Service& service() { return *service_; }
    StreamUrl url() const;

    /// Each text in a frame of its own, over WebSocket; when all are acked.
    StreamProducer::Totals send(const std::vector<std::string>& frames);
    /// `POST` with the key; the status and the body.
    std::pair<int, std::string> post(const std::string& path, const std::string& body,
                                     const std::string& headers = {});
    /// What an operator's command is told.
    std::string ask(std::string_view method, std::string_view target, std::string_view body = {});
    /// Waits until `GET /v1/customers/{id}` answers with a text that holds `part`; that text.
    std::string wait_for_customer(const std::string& id, std::string_view part);

private:
    TemporaryFolder folder_;
    std::unique_ptr<Service> service_;
};

} // namespace runtime::test
