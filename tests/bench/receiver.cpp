#include "tests/bench/receiver.hpp"

#include "tests/bench/measure.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>

namespace bench {
namespace {

constexpr std::string_view answer{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"};

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

void send_at_once(int socket) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// The number behind `name` in `text`.
std::uint64_t number_behind(std::string_view text, std::string_view name, std::uint64_t otherwise) {
    const auto at = text.find(name);
    if (at == text.npos) return otherwise;
    auto digits = text.substr(at + name.size());
    digits.remove_prefix(std::min(digits.find_first_not_of(' '), digits.size()));
    std::from_chars(digits.data(), digits.data() + digits.size(), otherwise);
    return otherwise;
}

} // namespace

Receiver::Receiver() : listening_(::socket(AF_INET, SOCK_STREAM, 0)) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    auto* const plain = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listening_, plain, size) != 0 || ::listen(listening_, 128) != 0 ||
        ::getsockname(listening_, plain, &size) != 0 || ::pipe(wake_) != 0)
        throw std::runtime_error{"the receiver cannot listen"};
    port_ = ntohs(address.sin_port);
    thread_ = std::thread{[this] { run(); }};
}

Receiver::~Receiver() {
    ::close(wake_[1]);
    thread_.join();
    ::close(wake_[0]);
    ::close(listening_);
}

std::map<std::uint64_t, Receiver::Call> Receiver::calls() const {
    const std::scoped_lock lock{mutex_};
    return calls_;
}

std::size_t Receiver::count() const {
    const std::scoped_lock lock{mutex_};
    return calls_.size();
}

void Receiver::forget() {
    const std::scoped_lock lock{mutex_};
    calls_.clear();
}

double Receiver::cpu() {
    clockid_t clock{};
    timespec spent{};
    if (::pthread_getcpuclockid(thread_.native_handle(), &clock) != 0 ||
        ::clock_gettime(clock, &spent) != 0)
        throw std::runtime_error{"the receiver's CPU is not known"};
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

void Receiver::run() {
    std::vector<Connection> connections;
    std::vector<pollfd> polled;
    while (true) {
        polled.assign({{wake_[0], POLLIN, 0}, {listening_, POLLIN, 0}});
        for (const auto& connection : connections) polled.push_back({connection.socket, POLLIN, 0});
        if (::poll(polled.data(), polled.size(), -1) < 0) continue;
        if (polled[0].revents != 0) break;
        for (std::size_t i = connections.size(); i-- > 0;) {
            if (polled[i + 2].revents == 0 || read(connections[i])) continue;
            ::close(connections[i].socket);
            connections.erase(connections.begin() + static_cast<std::ptrdiff_t>(i));
        }
        if (polled[1].revents == 0) continue;
        const int socket = ::accept(listening_, nullptr, nullptr);
        if (socket < 0) continue;
        send_at_once(socket);
        connections.push_back({socket, {}});
    }
    for (const auto& connection : connections) ::close(connection.socket);
}

bool Receiver::read(Connection& connection) {
    char bytes[16 * 1024];
    const auto got = ::read(connection.socket, bytes, sizeof bytes);
    if (got <= 0) return false;
    connection.in.append(bytes, static_cast<std::size_t>(got));
    while (true) {
        const auto& in = connection.in;
        const auto end = in.find("\r\n\r\n");
        if (end == in.npos) return true;
        const auto size = number_behind(std::string_view{in}.substr(0, end), "Content-Length:", 0);
        if (in.size() < end + 4 + size) return true;
        take(in.substr(end + 4, size), seconds_now());
        connection.in.erase(0, end + 4 + size);
        if (::write(connection.socket, answer.data(), answer.size()) !=
            static_cast<ssize_t>(answer.size()))
            return false;
    }
}

void Receiver::take(const std::string& body, double at) {
    const auto n = number_behind(body, "\"n\":", UINT64_MAX);
    const std::scoped_lock lock{mutex_};
    auto& call = calls_[n];
    call.at = at;
    ++call.times;
}

Caller::Caller(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const auto address = loopback(port);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error{"the receiver does not answer"};
    send_at_once(socket_);
}

Caller::~Caller() { ::close(socket_); }

void Caller::call(std::uint64_t n) {
    const auto body =
        "{\"n\":" + std::to_string(n) + ",\"filler\":\"" + std::string(500, 'x') + "\"}";
    const auto request =
        "POST / HTTP/1.1\r\nHost: bench\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    char bytes[1024];
    std::size_t got = 0;
    if (::write(socket_, request.data(), request.size()) != static_cast<ssize_t>(request.size()))
        throw std::runtime_error{"the receiver has gone"};
    while (got < answer.size()) {
        const auto more = ::read(socket_, bytes, sizeof bytes);
        if (more <= 0) throw std::runtime_error{"the receiver has gone"};
        got += static_cast<std::size_t>(more);
    }
}

} // namespace bench
