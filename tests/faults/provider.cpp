#include "tests/faults/provider.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <mutex>
#include <sstream>

namespace faults {

namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using namespace std::chrono_literals;

namespace {

/// In a header, or, where a provider knows no such key, in the address for its reports, which is
/// the only part of our form that has an intent.
std::string key_of(const http::request<http::string_body>& request) {
    if (const auto key = request["webhook-id"]; !key.empty()) return std::string{key};
    constexpr std::string_view mark = "intent%3D";
    constexpr std::size_t digits = 32;
    const auto& body = request.body();
    const auto at = body.find(mark);
    return at == body.npos ? std::string{} : body.substr(at + mark.size(), digits);
}

} // namespace

struct Provider::Shared : std::enable_shared_from_this<Provider::Shared> {
    explicit Shared(asio::io_context& io)
        : context(io), acceptor(io, {asio::ip::address_v4::loopback(), 0}) {}

    asio::io_context& context;
    tcp::acceptor acceptor;
    std::set<std::shared_ptr<tcp::socket>> sockets; ///< The loop's thread only.

    mutable std::mutex mutex; ///< Guards what follows.
    Script script = [](const Call&) { return Answer{}; };
    std::map<std::string, Seen> seen;
    int requests = 0;
    std::set<std::string> answered; ///< Whose acceptance was written to the client.

    asio::awaitable<void> accept() {
        try {
            while (true) {
                auto socket = std::make_shared<tcp::socket>(
                    co_await acceptor.async_accept(asio::use_awaitable));
                sockets.insert(socket);
                asio::co_spawn(
                    context, [self = shared_from_this(), socket] { return self->serve(socket); },
                    asio::detached);
            }
        } catch (const std::exception&) { // Closed.
        }
    }

    asio::awaitable<void> serve(std::shared_ptr<tcp::socket> socket) {
        try {
            boost::beast::flat_buffer buffer;
            while (true) {
                http::request<http::string_body> request;
                co_await http::async_read(*socket, buffer, request, asio::use_awaitable);
                co_await answer(*socket, request);
            }
        } catch (const std::exception&) { // The client has gone.
        }
        error_code ignored;
        socket->close(ignored);
        sockets.erase(socket);
    }

    asio::awaitable<void> answer(tcp::socket& socket,
                                 const http::request<http::string_body>& request) {
        const auto id = key_of(request);
        Answer answer;
        {
            const std::scoped_lock lock{mutex};
            ++requests;
            auto& one = seen[id];
            one.path = std::string{request.target()};
            ++one.requests;
            if (answered.contains(id)) ++one.after_answer;
            one.payloads.insert(request.body());
            answer = script({id, one.path, one.requests, request.body()});
            if (answer.accepts) ++one.accepted;
        }
        asio::steady_timer timer{context};
        if (answer.delay > 0ms) {
            timer.expires_after(answer.delay);
            co_await timer.async_wait(asio::use_awaitable);
        }
        std::ostringstream text;
        text << "HTTP/1.1 " << answer.status << " Answer\r\ncontent-length: 2\r\n";
        for (const auto& [name, value] : answer.headers) text << name << ": " << value << "\r\n";
        text << "\r\nok";
        const auto bytes = text.str();
        switch (answer.way) {
        case Answer::Way::reply:
            co_await asio::async_write(socket, asio::buffer(bytes), asio::use_awaitable);
            break;
        case Answer::Way::silence: { // Until the client gives up.
            char byte = 0;
            co_await socket.async_read_some(asio::buffer(&byte, 1), asio::use_awaitable);
            break;
        }
        case Answer::Way::reset:
            socket.set_option(asio::socket_base::linger{true, 0});
            socket.close();
            break;
        case Answer::Way::dribble:
            for (const char& byte : bytes) {
                co_await asio::async_write(socket, asio::buffer(&byte, 1), asio::use_awaitable);
                timer.expires_after(1s);
                co_await timer.async_wait(asio::use_awaitable);
            }
            break;
        }
        if (!answer.accepts || answer.way != Answer::Way::reply) co_return;
        const std::scoped_lock lock{mutex};
        answered.insert(id);
    }
};

Provider::Provider(Loop& loop) : loop_(loop), shared_(std::make_shared<Shared>(loop.context())) {
    asio::co_spawn(
        loop.context(), [shared = shared_] { return shared->accept(); }, asio::detached);
}

Provider::~Provider() {
    asio::post(loop_.context(), asio::use_future([shared = shared_] {
                   error_code ignored;
                   shared->acceptor.close(ignored);
                   for (const auto& socket : shared->sockets) socket->close(ignored);
               }))
        .get();
}

std::uint16_t Provider::port() const { return shared_->acceptor.local_endpoint().port(); }

void Provider::set(Script script) {
    const std::scoped_lock lock{shared_->mutex};
    shared_->script = std::move(script);
}

std::map<std::string, Provider::Seen> Provider::seen() const {
    const std::scoped_lock lock{shared_->mutex};
    return shared_->seen;
}

int Provider::requests() const {
    const std::scoped_lock lock{shared_->mutex};
    return shared_->requests;
}

} // namespace faults
