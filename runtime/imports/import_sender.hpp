/// Sends what an import has read to the service, in the order of its rows, while more is read.
#pragma once

#include "journeys/result.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace runtime {

class ImportSender {
public:
    static constexpr std::size_t messages_max = 1000;     ///< Of one request.
    static constexpr std::size_t bytes_max = 1024 * 1024; ///< Of one request.
    static constexpr std::chrono::seconds patience{
        120}; ///< With a service that does not take them.

    /// `rejected`: a row that the service refused, by its line; called by `add` and `finish` alone.
    /// An empty socket sends nothing. `path` takes a JSON object with one list, of that name.
    ImportSender(std::filesystem::path socket,
                 std::function<void(std::uint64_t line, const std::string& why)> rejected,
                 std::string path = "/admin/import", std::string_view list = "batch");
    ~ImportSender();

    /// `messages`: JSON objects, each followed by a comma; `suppression`: an object of
    /// `/admin/suppressions`, or nothing. Waits while two requests are under way. False once
    /// sending has failed.
    bool add(std::uint64_t line, std::string_view messages, std::size_t count,
             std::string_view suppression = {});
    /// Waits until everything is durable; or why it is not.
    journeys::Result<void> finish();

private:
    struct Request {
        std::string body;
        std::vector<std::uint64_t> lines; ///< Of each message.
        std::string suppressions;         ///< Each followed by a comma.
    };
    struct Refused {
        std::uint64_t line;
        std::string why;
    };
    Request empty() const { return {"{\"" + list_ + "\":[", {}, {}}; }
    void hand_over();
    void tell();
    void run();
    journeys::Result<void> send(const Request& request);
    /// Again and again while the service is full, or its storage is away.
    journeys::Result<std::string> ask(const char* target, std::string_view body) const;

    std::filesystem::path socket_;
    std::function<void(std::uint64_t, const std::string&)> rejected_;
    const std::string path_, list_;
    Request gathering_ = empty();
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Request> waiting_; ///< Guarded by `mutex_`, as what follows.
    std::vector<Refused> refused_;
    std::optional<journeys::Error> failure_;
    bool is_last_ = false, is_sending_ = false;
    std::thread thread_;
};

} // namespace runtime
