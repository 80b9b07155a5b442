#include "tests/faults/proxy.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <functional>
#include <set>

namespace faults {

using namespace std::chrono_literals;
using Socket = asio::generic::stream_protocol::socket;
using boost::system::error_code;

namespace {

/// A reset instead of an orderly end, where the protocol has one.
void cut_off(Socket& socket) {
    error_code ignored;
    socket.set_option(asio::socket_base::linger{true, 0}, ignored);
    socket.close(ignored);
}

/// Reads PostgreSQL's messages out of the server's bytes: after how many of them the reply to a
/// COMMIT begins.
class CommitFinder {
public:
    /// Where in `bytes` a reply to COMMIT begins; npos: nowhere. Bytes must come without gaps.
    std::size_t look(std::string_view bytes) {
        constexpr std::size_t head = 5;
        constexpr std::string_view commit{"COMMIT\0", 7};
        auto found = std::string_view::npos;
        for (std::size_t at = 0; at < bytes.size();) {
            if (body_left_ > 0) {
                const auto taken = std::min(body_left_, bytes.size() - at);
                at += taken;
                body_left_ -= taken;
                continue;
            }
            const auto begin = at;
            while (at < bytes.size() && held_.size() < head) held_ += bytes[at++];
            if (held_.size() < head) return found;
            std::size_t size = 0;
            for (std::size_t i = 1; i < head; ++i)
                size = size << 8 | static_cast<unsigned char>(held_[i]);
            const bool is_complete = held_[0] == 'C' && bytes.substr(at).starts_with(commit);
            held_.clear();
            body_left_ = size - 4;
            if (is_complete && found == std::string_view::npos) found = begin;
        }
        return found;
    }

private:
    std::string held_; ///< Of a message's head.
    std::size_t body_left_ = 0;
};

/// What a PostgreSQL client calls itself; empty where the bytes are no start of a session.
std::string role_in(std::string_view startup) {
    constexpr std::string_view key{"application_name\0", 17};
    const auto at = startup.find(key);
    if (at == startup.npos) return {};
    const std::string name{startup.substr(at + key.size()).data()};
    const auto end = name.rfind('/'); // sojourn/<instance>/<role>/<number>
    const auto begin = name.rfind('/', end - 1);
    return end == name.npos || begin == name.npos ? name : name.substr(begin + 1, end - begin - 1);
}

struct Pair {
    explicit Pair(asio::io_context& context) : client(context), server(context) {}
    Socket client, server;
    std::string role;
    CommitFinder commits;
    void cut() {
        cut_off(client);
        cut_off(server);
    }
};

} // namespace

struct Proxy::Shared : std::enable_shared_from_this<Proxy::Shared> {
    explicit Shared(asio::io_context& io) : context(io) {}

    asio::io_context& context;
    std::function<asio::awaitable<void>(Socket&)> connect;
    std::function<void()> stop_accepting;
    std::function<void()> accept_again; ///< Of a port: nobody listens while it refuses.
    std::uint16_t port = 0;

    mutable std::mutex mutex; ///< Guards what follows.
    Weather weather;
    int commits_to_lose = 0, commits_lost = 0;
    std::string losing_role;
    std::set<std::shared_ptr<Pair>> pairs;

    Weather now() const {
        const std::scoped_lock lock{mutex};
        return weather;
    }

    void accepted(Socket client) {
        if (now().way == Weather::Way::refuse) return cut_off(client);
        auto pair = std::make_shared<Pair>(context);
        pair->client = std::move(client);
        {
            const std::scoped_lock lock{mutex};
            pairs.insert(pair);
        }
        asio::co_spawn(
            context, [self = shared_from_this(), pair] { return self->serve(pair); },
            asio::detached);
    }

    asio::awaitable<void> serve(std::shared_ptr<Pair> pair) {
        try {
            co_await connect(pair->server);
            asio::co_spawn(
                context,
                [self = shared_from_this(), pair]() -> asio::awaitable<void> {
                    co_await self->pump(*pair, false);
                    self->end(pair);
                },
                asio::detached);
            co_await pump(*pair, true);
        } catch (const std::exception&) { // The other side is not there: neither are we.
        }
        end(pair);
    }

    void end(const std::shared_ptr<Pair>& pair) {
        pair->cut();
        const std::scoped_lock lock{mutex};
        pairs.erase(pair);
    }

    bool takes_a_commit(const Pair& pair) {
        const std::scoped_lock lock{mutex};
        if (commits_to_lose == 0 || (!losing_role.empty() && losing_role != pair.role))
            return false;
        --commits_to_lose;
        ++commits_lost;
        return true;
    }

    asio::awaitable<void> pump(Pair& pair, bool from_client) {
        auto& from = from_client ? pair.client : pair.server;
        auto& to = from_client ? pair.server : pair.client;
        std::array<char, 64 * 1024> buffer;
        asio::steady_timer timer{context};
        const auto sleep = [&](std::chrono::milliseconds span) {
            timer.expires_after(span);
            return timer.async_wait(asio::use_awaitable);
        };
        try {
            while (true) {
                const auto size =
                    co_await from.async_read_some(asio::buffer(buffer), asio::use_awaitable);
                std::string_view bytes{buffer.data(), size};
                if (from_client && pair.role.empty()) pair.role = role_in(bytes);
                if (!from_client) {
                    const auto commit = pair.commits.look(bytes);
                    if (commit != bytes.npos && takes_a_commit(pair)) co_return;
                }
                while (now().way == Weather::Way::black_hole) co_await sleep(10ms);
                if (const auto delay = now().delay; delay > 0ms) co_await sleep(delay);
                while (!bytes.empty()) {
                    const auto rate = now().bytes_per_second;
                    const auto part = bytes.substr(0, rate == 0 ? bytes.size() : 1 + rate / 100);
                    co_await asio::async_write(to, asio::buffer(part), asio::use_awaitable);
                    bytes.remove_prefix(part.size());
                    if (rate != 0) co_await sleep(10ms);
                }
            }
        } catch (const std::exception&) { // One side has ended.
        }
    }
};

namespace {

template <class Protocol>
void accept_on(const std::shared_ptr<Proxy::Shared>& shared,
               const typename Protocol::endpoint& where) {
    using Acceptor = asio::basic_socket_acceptor<Protocol>;
    const auto acceptor = std::make_shared<Acceptor>(shared->context, where);
    if constexpr (std::is_same_v<Protocol, asio::ip::tcp>)
        shared->port = acceptor->local_endpoint().port();
    asio::co_spawn(
        shared->context,
        [shared, acceptor]() -> asio::awaitable<void> {
            try {
                while (true)
                    shared->accepted(Socket{co_await acceptor->async_accept(asio::use_awaitable)});
            } catch (const std::exception&) { // Closed.
            }
        },
        asio::detached);
    shared->stop_accepting = [acceptor] {
        error_code ignored;
        acceptor->close(ignored);
    };
}

} // namespace

Proxy::Proxy(Loop& loop) : loop_(loop), shared_(std::make_shared<Shared>(loop.context())) {}

std::unique_ptr<Proxy> Proxy::before_postgres(Loop& loop, const std::filesystem::path& folder,
                                              const std::filesystem::path& server_folder) {
    using Unix = asio::local::stream_protocol;
    const std::string file = ".s.PGSQL.5432";
    auto proxy = std::make_unique<Proxy>(loop);
    const Unix::endpoint server{(server_folder / file).string()};
    proxy->shared_->connect = [server](Socket& socket) -> asio::awaitable<void> {
        Unix::socket own{socket.get_executor()};
        co_await own.async_connect(server, asio::use_awaitable);
        socket = std::move(own);
    };
    std::filesystem::remove(folder / file);
    accept_on<Unix>(proxy->shared_, Unix::endpoint{(folder / file).string()});
    return proxy;
}

std::unique_ptr<Proxy> Proxy::before_port(Loop& loop, std::uint16_t port) {
    using asio::ip::tcp;
    auto proxy = std::make_unique<Proxy>(loop);
    const tcp::endpoint server{asio::ip::address_v4::loopback(), port};
    proxy->shared_->connect = [server](Socket& socket) -> asio::awaitable<void> {
        tcp::socket own{socket.get_executor()};
        co_await own.async_connect(server, asio::use_awaitable);
        socket = std::move(own);
    };
    const auto& shared = proxy->shared_;
    accept_on<tcp>(shared, tcp::endpoint{asio::ip::address_v4::loopback(), 0});
    shared->accept_again = [shared = std::weak_ptr{shared}, at = shared->port] {
        if (const auto self = shared.lock())
            accept_on<tcp>(self, tcp::endpoint{asio::ip::address_v4::loopback(), at});
    };
    return proxy;
}

Proxy::~Proxy() {
    asio::post(loop_.context(), asio::use_future([shared = shared_] {
                   shared->stop_accepting();
                   const std::scoped_lock lock{shared->mutex};
                   for (const auto& pair : shared->pairs) pair->cut();
               }))
        .get();
}

std::uint16_t Proxy::port() const { return shared_->port; }

void Proxy::set(Weather weather) {
    const bool refused = shared_->now().way == Weather::Way::refuse,
               refuses = weather.way == Weather::Way::refuse;
    {
        const std::scoped_lock lock{shared_->mutex};
        shared_->weather = weather;
    }
    if (refused == refuses || !shared_->accept_again) return;
    asio::post(loop_.context(), asio::use_future([shared = shared_, refuses] {
                   refuses ? shared->stop_accepting() : shared->accept_again();
               }))
        .get();
}

void Proxy::reset_all(const std::string& role) {
    asio::post(loop_.context(), asio::use_future([shared = shared_, role] {
                   const std::scoped_lock lock{shared->mutex};
                   for (const auto& pair : shared->pairs)
                       if (role.empty() || pair->role == role) pair->cut();
               }))
        .get();
}

void Proxy::lose_commit_replies(int count, const std::string& role) {
    const std::scoped_lock lock{shared_->mutex};
    shared_->commits_to_lose = count;
    shared_->losing_role = role;
}

int Proxy::lost_commit_replies() const {
    const std::scoped_lock lock{shared_->mutex};
    return shared_->commits_lost;
}

std::size_t Proxy::connections() const {
    const std::scoped_lock lock{shared_->mutex};
    return shared_->pairs.size();
}

} // namespace faults
