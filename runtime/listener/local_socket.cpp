#include "runtime/listener/local_socket.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace runtime {
namespace {

using journeys::Error;
using journeys::ErrorCode;

constexpr std::size_t answer_bytes_max = 256 * 1024 * 1024; // A customer's export may be long.

struct Descriptor {
    int number;
    explicit Descriptor(int own) : number(own) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number >= 0) ::close(number);
    }
};

Error failed(const std::string& path) {
    return {ErrorCode::unavailable, path + ": " + std::strerror(errno)};
}

/// Why something failed, for people: our routes say it as a member `error`.
std::string why(std::string body) {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    if (!json.is_object() || !json.contains("error") || !json["error"].is_string()) return body;
    return json["error"].get<std::string>();
}

/// What an answer to a request of HTTP/1.0 says: status line, headers, and the body up to the end.
journeys::Result<std::string> read_answer(std::string answer) {
    const auto body_at = answer.find("\r\n\r\n");
    int status = 0;
    if (answer.starts_with("HTTP/1.") && answer.size() > 12)
        std::from_chars(answer.data() + 9, answer.data() + 12, status);
    if (body_at == std::string::npos || status == 0)
        return Error{ErrorCode::unavailable, "the service broke off its answer"};
    answer.erase(0, body_at + 4);
    if (status < 300) return answer;
    if (status == 404) return Error{ErrorCode::not_found, why(std::move(answer))};
    const bool is_passing = status >= 500 || status == 429;
    return Error{is_passing ? ErrorCode::unavailable : ErrorCode::invalid_argument,
                 why(std::move(answer))};
}

} // namespace

journeys::Result<std::string> ask_service(const std::filesystem::path& socket,
                                          std::string_view method, std::string_view target,
                                          std::string_view body,
                                          std::chrono::milliseconds patience) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = socket.string();
    if (path.size() >= sizeof address.sun_path)
        return Error{ErrorCode::unavailable, path + ": too long for a socket"};
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);

    const Descriptor descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience);
    const timeval wait{seconds.count(),
                       static_cast<suseconds_t>((patience - seconds).count() * 1000)};
    if (descriptor.number < 0 ||
        ::setsockopt(descriptor.number, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0 ||
        ::setsockopt(descriptor.number, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0 ||
        ::connect(descriptor.number, reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
            0)
        return Error{ErrorCode::unavailable, failed(path).detail + "; is `sojourn serve` running?"};

    std::string request{method};
    request.append(" ").append(target).append(" HTTP/1.0\r\n");
    if (!body.empty())
        request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    request.append("\r\n").append(body);
    for (std::string_view rest = request; !rest.empty();) {
        const auto sent = ::send(descriptor.number, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return failed(path);
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }

    std::string answer;
    char bytes[16 * 1024];
    while (true) {
        const auto size = ::recv(descriptor.number, bytes, sizeof bytes, 0);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return failed(path);
        if (size == 0) return read_answer(std::move(answer));
        answer.append(bytes, static_cast<std::size_t>(size));
        if (answer.size() > answer_bytes_max)
            return Error{ErrorCode::limit_exceeded, "the service's answer is too long"};
    }
}

} // namespace runtime
