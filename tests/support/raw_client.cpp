#include "tests/support/raw_client.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

void wait_at_most_ten_seconds(int socket) {
    const timeval patience{10, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

} // namespace

RawClient::RawClient(std::uint16_t port)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    wait_at_most_ten_seconds(socket_);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("cannot connect");
}

RawClient::RawClient(const std::string& local_socket)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    wait_at_most_ten_seconds(socket_);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, local_socket.c_str(), local_socket.size() + 1);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("cannot connect");
}

RawClient::~RawClient() {
    if (socket_ >= 0) ::close(socket_);
}

bool RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::size_t RawClient::send_what_fits(std::string_view bytes) {
    std::size_t total = 0;
    for (int tries = 0; tries < 20 && !bytes.empty();) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0) {
            ++tries;
            ::usleep(5'000);
            continue;
        }
        total += static_cast<std::size_t>(sent);
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return total;
}

void RawClient::shut_down_sending() { ::shutdown(socket_, SHUT_WR); }

bool RawClient::fill() {
    char bytes[64 * 1024];
    const auto size = ::recv(socket_, bytes, sizeof bytes, 0);
    if (size <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(size));
    return true;
}

std::string RawClient::Answer::header(std::string_view name) const {
    std::size_t at = 0;
    while ((at = head.find("\r\n", at)) != std::string::npos) {
        at += 2;
        const auto matches = [](char a, char b) {
            return std::tolower(static_cast<unsigned char>(a)) ==
                   std::tolower(static_cast<unsigned char>(b));
        };
        if (head.size() - at <= name.size() || head[at + name.size()] != ':' ||
            !std::equal(name.begin(), name.end(), head.begin() + static_cast<std::ptrdiff_t>(at),
                        matches))
            continue;
        const auto begin = at + name.size() + 2;
        return head.substr(begin, head.find("\r\n", begin) - begin);
    }
    return {};
}

RawClient::Answer RawClient::read_answer(bool has_body) {
    Answer answer;
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
        if (!fill()) return answer;
    answer.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    const auto length = answer.header("Content-Length");
    const auto size = length.empty() || !has_body ? 0 : std::stoul(length);
    while (buffer_.size() < size)
        if (!fill()) return {};
    answer.body = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return answer;
}

bool RawClient::is_closed() {
    if (!buffer_.empty()) return false;
    char byte = 0;
    const auto size = ::recv(socket_, &byte, 1, 0);
    return size == 0 || (size < 0 && errno == ECONNRESET);
}

RawClient::Answer RawClient::open_stream(std::string_view target, std::string_view headers) {
    send("GET " + std::string{target} +
         " HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
         std::string{headers} + "\r\n");
    return read_answer();
}

std::string RawClient::frame(unsigned opcode, std::string_view payload, bool is_last) {
    std::string bytes;
    bytes += static_cast<char>((is_last ? 0x80U : 0U) | opcode);
    if (payload.size() < 126) {
        bytes += static_cast<char>(0x80U | payload.size());
    } else {
        const int size_bytes = payload.size() < 65536 ? 2 : 8;
        bytes += static_cast<char>(0x80U | (size_bytes == 2 ? 126U : 127U));
        for (int i = size_bytes - 1; i >= 0; --i)
            bytes += static_cast<char>(payload.size() >> (8 * i));
    }
    bytes.append(4, '\0'); // The mask: nothing, as is allowed.
    return bytes.append(payload);
}

std::optional<RawClient::Frame> RawClient::read_frame() {
    const auto need = [&](std::size_t size) {
        while (buffer_.size() < size)
            if (!fill()) return false;
        return true;
    };
    if (!need(2)) return std::nullopt;
    Frame frame;
    frame.opcode = static_cast<unsigned char>(buffer_[0]) & 0x0fU;
    std::size_t size = static_cast<unsigned char>(buffer_[1]) & 0x7fU, header = 2;
    if (size >= 126) {
        const std::size_t size_bytes = size == 126 ? 2 : 8;
        if (!need(2 + size_bytes)) return std::nullopt;
        size = 0;
        for (std::size_t i = 0; i < size_bytes; ++i)
            size = size << 8 | static_cast<unsigned char>(buffer_[2 + i]);
        header += size_bytes;
    }
    if (!need(header + size)) return std::nullopt;
    frame.payload = buffer_.substr(header, size);
    buffer_.erase(0, header + size);
    return frame;
}

std::string RawClient::read_text() {
    const auto frame = read_frame();
    return frame && frame->opcode == 1 ? frame->payload : std::string{};
}

unsigned RawClient::read_close() {
    while (const auto frame = read_frame())
        if (frame->opcode == 8) return frame->code();
    return 0;
}
