/// Outgoing HTTP, and mail by SMTP, for channels: libcurl's multi interface on one thread,
/// connections kept alive, HTTP/2 where the other side speaks it, proxies as the environment says.
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
    std::string url; ///< http or https; smtp or smtps where `mail_to` is given.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;                          ///< Sent by POST.
    std::chrono::milliseconds timeout{15'000}; ///< From connecting to the answer's last byte.
    std::string user; ///< `name:secret` of Basic authentication; empty: none. Never logged.
    // Of SMTP: the envelope; `body` is the message, its lines ended by CR LF. `headers` are not
    // used.
    std::string mail_from;
    std::string mail_to;      ///< Empty: this is HTTP.
    bool must_encrypt = true; ///< An smtp server that offers no STARTTLS is refused.
};

struct HttpResponse {
    long status = 0;  ///< 0: no answer. Of SMTP the last reply's code.
    std::string body; ///< Its first 64 KiB.
    std::optional<std::chrono::milliseconds>
        retry_after; ///< From seconds or from a date; at most a day.
    /// `X-RateLimit-Reset` or `RateLimit-Reset`: seconds from now, or since 1970.
    std::optional<std::chrono::milliseconds> rate_limit_reset;
    std::string message_id; ///< `X-Message-Id`, bounded.
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

/// Seconds from now, or since 1970; at most a day. Nothing where it is neither.
std::optional<std::chrono::milliseconds> parse_rate_limit_reset(const std::string& value,
                                                                std::chrono::sys_seconds now);

} // namespace runtime
