#include "tests/bench/connections_bench.hpp"

#include "runtime/listener/listener.hpp"
#include "tests/bench/bare_door.hpp"
#include "tests/bench/load.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace bench {
namespace {

constexpr double goal = 1.25;
constexpr std::size_t other_files = 200;

void check(bool is_right, const std::string& what) {
    if (!is_right) throw std::runtime_error{"connections: " + what};
}

/// How many connections this process may have both ends of.
std::size_t connections_of(const ConnectionsOptions& options) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur =
        std::min<rlim_t>(limit.rlim_max, 2 * std::size_t{options.customers} + other_files);
    ::setrlimit(RLIMIT_NOFILE, &limit);
    check(limit.rlim_cur > 2 * other_files, "too few files may be open");
    return std::min(std::size_t{options.customers},
                    (static_cast<std::size_t>(limit.rlim_cur) - other_files) / 2);
}

/// A client's end costs its process a number, for the rest of it is the kernel's.
class Sockets {
public:
    explicit Sockets(std::size_t count) { sockets_.reserve(count); }
    ~Sockets() {
        for (const int socket : sockets_) ::close(socket);
    }
    Sockets(const Sockets&) = delete;

    void open(std::uint16_t port) {
        const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
        check(socket >= 0, "no socket is left");
        sockets_.push_back(socket);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port);
        check(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
              "nobody listens");
        constexpr std::string_view upgrade{
            "GET /v1/stream HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer demo\r\n\r\n"};
        check(::send(socket, upgrade.data(), upgrade.size(), MSG_NOSIGNAL) ==
                  static_cast<ssize_t>(upgrade.size()),
              "the upgrade was not sent");
        char answer[1024];
        std::size_t size = 0;
        std::string_view text;
        while (!text.ends_with("\r\n\r\n")) {
            const auto got = ::recv(socket, answer + size, sizeof answer - size, 0);
            check(got > 0, "a connection was closed");
            size += static_cast<std::size_t>(got);
            text = {answer, size};
        }
        check(text.find(" 101 ") != text.npos, "a connection was not upgraded");
    }

    /// Throws where one of them has been closed since.
    void check_all_open() const {
        for (const int socket : sockets_) {
            char byte = 0;
            check(::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0, "a connection has ended");
        }
    }

private:
    std::vector<int> sockets_;
};

/// Bytes of one of `count` connections to the server on `port`, which is in this process.
double weigh(std::uint16_t port, std::size_t count) {
    Sockets sockets{count};
    sockets.open(port); // What the first one brings with it is not every connection's.
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    const auto before = resident_bytes();
    for (std::size_t i = 1; i < count; ++i) sockets.open(port);
    std::this_thread::sleep_for(std::chrono::milliseconds{500}); // The last ones begin to read.
    const auto after = resident_bytes();
    sockets.check_all_open();
    return (after - before) / static_cast<double>(count - 1);
}

/// A log that nothing is appended to.
class NoLog : public actors::EventLog {
public:
    void append(std::vector<actors::Draft>,
                std::function<void(journeys::Result<void>)> done) override {
        done({});
    }
    void subscribe(actors::Partition, std::uint64_t, caf::actor) override {}
    void find_duplicates(actors::Partition, const journeys::CustomerId&, std::vector<std::uint64_t>,
                         std::uint64_t, caf::actor) override {}
    void advance_watermark(actors::Partition, std::uint64_t) override {}
};

double weigh_ours(std::size_t count) {
    NoLog log;
    const actors::Credit credit{1, {}};
    runtime::ListenerConfig config;
    config.port = 0;
    config.limits.connections_max = config.limits.connections_per_address_max = count + 1;
    config.keys = runtime::KeyRing{{runtime::make_key("bench", "demo", {runtime::Scope::ingest})}};
    auto opened = runtime::Listener::open(
        std::move(config), {.log = log, .credit = credit, .now = wall_now, .handlers = {}});
    check(opened.has_value(), opened ? "" : opened.error().detail);
    return weigh((*opened)->port(), count);
}

double weigh_bare(std::size_t count) {
    const BareDoor door{[](std::uint64_t, std::span<const BareMessage>) {}};
    return weigh(door.port(), count);
}

double in_process(double (*weigh_side)(std::size_t), std::size_t count) {
    const auto values = in_own_process([&] { return std::vector<double>{weigh_side(count)}; });
    check(values.size() == 1, "the measured process failed");
    return values.front();
}

} // namespace

Figure bench_connections(const ConnectionsOptions& options) {
    const auto count = connections_of(options);
    auto figure = compare(
        "an idle connection", "bytes", options.rounds,
        [&] { return in_process(weigh_ours, count); },
        [&] { return in_process(weigh_bare, count); });
    figure.goal = "<= 1.25";
    figure.reached = figure.ratio.median <= goal;
    figure.details = {{"connections", static_cast<double>(count)}};
    return figure;
}

} // namespace bench
