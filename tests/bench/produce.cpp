#include "tests/bench/produce.hpp"

#include "tests/bench/measure.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include <charconv>
#include <chrono>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace bench {
namespace {

namespace net = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using Tcp = net::ip::tcp;

constexpr std::chrono::seconds patience{60};
constexpr double never = std::numeric_limits<double>::infinity();

/// The number behind `"name":` in an ack; 0 where there is none.
std::uint64_t number_in(std::string_view text, std::string_view name) {
    const auto at = text.find(name);
    std::uint64_t number = 0;
    if (at != text.npos) {
        const auto digits = text.substr(at + name.size());
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
    }
    return number;
}

/// All of it runs on the caller's thread.
class Run {
public:
    Run(std::uint16_t port, const Producing& producing, const MakeFrame& make)
        : producing_(producing), make_(make) {
        for (std::size_t i = 0; i < producing.connections; ++i)
            connections_.push_back(std::make_unique<Connection>(io_, i, port));
    }

    Produced run() {
        const auto cpu = thread_cpu();
        begin_ = seconds_now();
        for (auto& connection : connections_) {
            read(*connection);
            write(*connection);
        }
        while (open_ > 0 && failure_.empty())
            if (io_.run_one_for(patience) == 0 && open_ > 0) failure_ = "no ack comes";
        if (!failure_.empty()) throw std::runtime_error{"the load: " + failure_};
        produced_.took = last_ack_ - begin_;
        produced_.cpu = thread_cpu() - cpu;
        return std::move(produced_);
    }

private:
    struct Unacked {
        double at = 0; ///< When it was to be sent.
        std::size_t messages = 0;
    };
    struct Connection {
        Connection(net::io_context& io, std::size_t its_number, std::uint16_t port)
            : stream(io), timer(io), number(its_number) {
            stream.next_layer().connect({net::ip::address_v4::loopback(), port});
            stream.next_layer().set_option(Tcp::no_delay(true));
            stream.auto_fragment(false);
            stream.secure_prng(false);
            stream.set_option(
                websocket::stream_base::decorator([](websocket::request_type& request) {
                    request.set(boost::beast::http::field::authorization, "Bearer demo");
                }));
            stream.handshake("127.0.0.1", "/v1/stream");
            stream.text(true);
        }
        websocket::stream<Tcp::socket> stream;
        net::steady_timer timer;
        const std::size_t number;
        boost::beast::flat_buffer in;
        std::string out; ///< The frame that is being written.
        std::deque<Unacked> unacked;
        std::uint64_t acked = 0, made = 0;
        bool is_writing = false, is_waiting = false, has_ended = false, is_closing = false;
    };

    /// When the connection's next frame is to be sent, in seconds from the beginning; `never` where
    /// there is none.
    double next_of(const Connection& connection, double now) const {
        if (producing_.rate == 0)
            return now < producing_.seconds && frames_ < producing_.frames_max ? now : never;
        const auto frame = connection.made * producing_.connections + connection.number;
        const auto due = static_cast<double>(frame * producing_.frame_messages) / producing_.rate;
        if (frames_ >= producing_.frames_max || due >= producing_.seconds) return never;
        if (producing_.drops_late && now >= producing_.seconds) return never;
        return due;
    }

    void write(Connection& connection) {
        if (connection.is_writing || connection.is_waiting || connection.has_ended) return;
        if (producing_.rate == 0 && connection.unacked.size() >= producing_.in_flight) return;
        const auto now = seconds_now() - begin_;
        const auto due = next_of(connection, now);
        if (due == never) {
            connection.has_ended = true;
            return close_when_acked(connection);
        }
        if (due > now) return wait(connection, due - now);
        ++connection.made;
        ++frames_;
        connection.out = make_(producing_.frame_messages);
        connection.unacked.push_back({begin_ + due, producing_.frame_messages});
        produced_.sent += producing_.frame_messages;
        connection.is_writing = true;
        connection.stream.async_write(net::buffer(connection.out),
                                      [this, &connection](error_code error, std::size_t) {
                                          connection.is_writing = false;
                                          if (error) return fail(error.message());
                                          write(connection);
                                      });
    }

    void wait(Connection& connection, double seconds) {
        connection.is_waiting = true;
        connection.timer.expires_after(std::chrono::duration_cast<std::chrono::nanoseconds>(
            std::chrono::duration<double>{seconds}));
        connection.timer.async_wait([this, &connection](error_code) {
            connection.is_waiting = false;
            write(connection);
        });
    }

    void read(Connection& connection) {
        connection.stream.async_read(
            connection.in, [this, &connection](error_code error, std::size_t) {
                if (error && connection.is_closing) return;
                if (error) return fail(error.message());
                const auto data = connection.in.cdata();
                take({static_cast<const char*>(data.data()), data.size()}, connection);
                connection.in.consume(connection.in.size());
                read(connection);
                write(connection);
                close_when_acked(connection);
            });
    }

    void take(std::string_view text, Connection& connection) {
        const auto ack = number_in(text, "\"ack\":");
        if (ack <= connection.acked || ack - connection.acked > connection.unacked.size())
            return fail("an answer that is not understood: " + std::string{text.substr(0, 200)});
        last_ack_ = seconds_now();
        std::uint64_t messages = 0;
        for (; connection.acked < ack; ++connection.acked) {
            messages += connection.unacked.front().messages;
            produced_.waits.push_back(last_ack_ - connection.unacked.front().at);
            connection.unacked.pop_front();
        }
        const auto accepted = number_in(text, "\"accepted\":");
        produced_.accepted += accepted;
        produced_.rejected += messages - std::min(messages, accepted);
        if (last_ack_ - begin_ <= producing_.seconds) produced_.accepted_in_time += accepted;
    }

    void close_when_acked(Connection& connection) {
        if (!connection.has_ended || connection.is_writing || connection.is_closing ||
            !connection.unacked.empty())
            return;
        connection.is_closing = true;
        connection.stream.async_close(websocket::close_code::normal,
                                      [this](error_code) { --open_; });
    }

    void fail(const std::string& why) {
        if (failure_.empty()) failure_ = why;
    }

    const Producing& producing_;
    const MakeFrame& make_;
    net::io_context io_{1};
    std::vector<std::unique_ptr<Connection>> connections_;
    std::size_t open_ = producing_.connections, frames_ = 0;
    double begin_ = 0, last_ack_ = 0;
    Produced produced_;
    std::string failure_;
};

} // namespace

Produced produce(std::uint16_t port, const Producing& producing, const MakeFrame& make) {
    Produced produced;
    std::exception_ptr failure;
    std::thread{[&] {
        try {
            produced = Run{port, producing, make}.run();
        } catch (...) {
            failure = std::current_exception();
        }
    }}.join();
    if (failure) std::rethrow_exception(failure);
    return produced;
}

} // namespace bench
