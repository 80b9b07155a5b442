/// Outgoing HTTP for channels: libcurl's multi interface on one thread, connections kept alive.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace runtime {

struct HttpRequest {
    std::string url; ///< http or https.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;                          ///< Sent by POST.
    std::chrono::milliseconds timeout{15'000}; ///< From connecting to the answer's last byte.
    std::string user; ///< `name:secret` of Basic authentication; empty: none. Never logged.
};

struct HttpResponse {
    long status = 0;  ///< 0: no answer.
    std::string body; ///< Its first 64 KiB.
    std::optional<std::chrono::milliseconds>
        retry_after; ///< From seconds or from a date; at most a day.
    /// Of `status == 0`: whether any byte of the request may have reached the other side.
    bool may_have_arrived = false;
    std::string error; ///< Of `status == 0`, in libcurl's words.
};

/// `request` may be called from any thread; `done` is called on the client's own thread and must be
/// brief. TLS certificates are verified, redirects are not followed.
class HttpClient {
public:
    explicit HttpClient(std::size_t connections_max = 256);
    /// Ends what is under way as unanswered, and calls its `done`.
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    void request(HttpRequest request, std::function<void(HttpResponse)> done);

private:
    class Loop;
    std::unique_ptr<Loop> loop_;
};

/// `Retry-After` as seconds, or as an HTTP date seen from `now`; nothing where it is neither. At
/// most a day.
std::optional<std::chrono::milliseconds> parse_retry_after(const std::string& value,
                                                           std::chrono::sys_seconds now);

} // namespace runtime
