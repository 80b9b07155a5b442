#include "runtime/producer/stream_producer.hpp"

#include "runtime/base64.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <nlohmann/json.hpp>

namespace runtime {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;
using journeys::Error;
using journeys::ErrorCode;
using Steady = std::chrono::steady_clock;
using Tcp = net::ip::tcp;

constexpr std::chrono::milliseconds first_pause{100}, longest_pause{5'000};

/// All of it runs on the caller's thread.
class Producing {
public:
    Producing(const StreamProducer::Options& options, const StreamProducer::Callbacks& callbacks)
        : options_(options), callbacks_(callbacks), give_up_at_(Steady::now() + options.patience) {}

    journeys::Result<StreamProducer::Totals> run() {
        connect();
        io_.run();
        if (failure_) return *failure_;
        return totals_;
    }

private:
    using Stream = websocket::stream<Tcp::socket>;

    /// One connection. A handler of an old one finds that it is no longer `connection_`.
    struct Connection {
        explicit Connection(net::io_context& io) : stream(io) {}
        Stream stream;
        beast::flat_buffer in;
        websocket::response_type response;
        std::uint64_t acked = 0; ///< The server's number of the last acked frame.
    };
    using ConnectionPtr = std::shared_ptr<Connection>;

    void connect() {
        auto connection = connection_ = std::make_shared<Connection>(io_);
        resolver_.async_resolve(
            options_.url.host, options_.url.port,
            [this, connection](error_code error, const Tcp::resolver::results_type& found) {
                if (error) return lose(connection, error.message());
                net::async_connect(connection->stream.next_layer(), found,
                                   [this, connection](error_code failed, const Tcp::endpoint&) {
                                       if (failed) return lose(connection, failed.message());
                                       upgrade(connection);
                                   });
            });
    }

    void upgrade(const ConnectionPtr& connection) {
        error_code ignored;
        connection->stream.next_layer().set_option(Tcp::no_delay(true), ignored);
        auto timeouts = websocket::stream_base::timeout::suggested(beast::role_type::client);
        connection->stream.set_option(timeouts);
        connection->stream.auto_fragment(false);
        connection->stream.set_option(
            websocket::stream_base::decorator([this](websocket::request_type& request) {
                request.set(beast::http::field::authorization,
                            "Basic " + to_base64(options_.write_key + ":"));
            }));
        connection->stream.async_handshake(
            connection->response, options_.url.host + ":" + options_.url.port, options_.url.target,
            [this, connection](error_code error) {
                const auto status = connection->response.result_int();
                if (error && (status == 401 || status == 403))
                    return fail({ErrorCode::unauthorized, "the service refuses the write key"});
                if (error)
                    return lose(connection, error == websocket::error::upgrade_declined
                                                ? "the service answers " + std::to_string(status)
                                                : error.message());
                ++totals_.connections;
                pause_ = first_pause;
                next_ = 0;
                read(connection);
                write();
            });
    }

    void read(const ConnectionPtr& connection) {
        connection->stream.async_read(
            connection->in, [this, connection](error_code error, std::size_t) {
                if (connection != connection_) return;
                if (error) return lose(connection, error.message());
                const auto data = connection->in.cdata();
                if (!take({static_cast<const char*>(data.data()), data.size()}, *connection))
                    return fail({ErrorCode::unavailable, "the service's answer is not understood"});
                connection->in.consume(connection->in.size());
                give_up_at_ = Steady::now() + options_.patience;
                read(connection);
                write();
            });
    }

    bool take(std::string_view text, Connection& connection) {
        const auto answer = nlohmann::json::parse(text, nullptr, false);
        if (!answer.is_object() || !answer.contains("ack") || !answer["ack"].is_number_unsigned())
            return false;
        const auto ack = answer["ack"].get<std::uint64_t>();
        if (ack < connection.acked || ack - connection.acked > next_) return false;
        std::uint64_t messages = 0;
        for (; connection.acked < ack; ++connection.acked, --next_) {
            messages += unacked_.front().messages;
            unacked_.pop_front();
            ++totals_.frames;
        }
        const auto accepted = answer.value("accepted", std::uint64_t{0});
        totals_.messages += messages;
        totals_.accepted += accepted;
        totals_.rejected += messages - std::min(messages, accepted);
        if (callbacks_.rejected && (answer.contains("error") || answer.contains("rejected")))
            callbacks_.rejected(text);
        if (callbacks_.progress) callbacks_.progress(totals_);
        return true;
    }

    void write() {
        if (is_writing_ || is_waiting_ || !connection_ || !connection_->stream.is_open()) return;
        if (next_ == unacked_.size()) {
            if (unacked_.size() >= options_.frames_in_flight) return; // An ack goes on.
            if (!held_ && !has_ended_) {
                held_ = callbacks_.next();
                has_ended_ = !held_;
            }
            if (!held_) {
                if (unacked_.empty()) close();
                return;
            }
            if (held_->due > Steady::now()) return wait_until(held_->due);
            unacked_.push_back(std::move(*held_));
            held_.reset();
        } else if (resent_until_ > 0) {
            --resent_until_;
            ++totals_.resent;
        }
        is_writing_ = true;
        const auto connection = connection_;
        connection->stream.text(true);
        // The frame stays where it is until it is acked, which can't be before it is written in
        // full.
        connection->stream.async_write(net::buffer(unacked_[next_++].text),
                                       [this, connection](error_code error, std::size_t) {
                                           is_writing_ = false;
                                           if (connection != connection_) return write();
                                           if (error) return lose(connection, error.message());
                                           write();
                                       });
    }

    void wait_until(Steady::time_point due) {
        is_waiting_ = true;
        timer_.expires_at(due);
        timer_.async_wait([this](error_code) {
            is_waiting_ = false;
            write();
        });
    }

    void close() {
        const auto connection = std::exchange(connection_, nullptr);
        connection->stream.async_close(websocket::close_code::normal, [connection](error_code) {});
    }

    void lose(const ConnectionPtr& connection, const std::string& why) {
        if (connection != connection_ || failure_) return;
        error_code ignored;
        connection->stream.next_layer().close(ignored);
        connection_.reset();
        resent_until_ = unacked_.size();
        const auto now = Steady::now();
        if (now + pause_ > give_up_at_)
            return fail({ErrorCode::unavailable, "no connection to " + options_.url.host + ":" +
                                                     options_.url.port + ": " + why});
        if (callbacks_.lost) callbacks_.lost(why);
        retry_.expires_after(pause_);
        pause_ = std::min(pause_ * 2, longest_pause);
        retry_.async_wait([this](error_code error) {
            if (!error) connect();
        });
    }

    void fail(Error error) {
        failure_ = std::move(error);
        io_.stop();
    }

    const StreamProducer::Options& options_;
    const StreamProducer::Callbacks& callbacks_;
    net::io_context io_{1};
    Tcp::resolver resolver_{io_};
    net::steady_timer timer_{io_}, retry_{io_};
    ConnectionPtr connection_;
    std::deque<StreamProducer::Frame> unacked_;
    std::size_t next_ = 0; ///< Of `unacked_`: how many were written on this connection.
    std::optional<StreamProducer::Frame> held_; ///< Taken, and not yet due.
    StreamProducer::Totals totals_;
    std::optional<Error> failure_;
    std::chrono::milliseconds pause_ = first_pause;
    Steady::time_point give_up_at_;
    std::size_t resent_until_ = 0;
    bool is_writing_ = false, is_waiting_ = false, has_ended_ = false;
};

} // namespace

journeys::Result<StreamUrl> parse_stream_url(std::string_view url) {
    constexpr std::string_view scheme = "ws://";
    const auto wrong = [&] {
        return Error{ErrorCode::invalid_argument,
                     "\"" + std::string{url} + "\" is no ws://host[:port][/path]"};
    };
    if (!url.starts_with(scheme)) return wrong();
    auto rest = url.substr(scheme.size());
    StreamUrl parts;
    const auto slash = std::min(rest.find('/'), rest.size());
    parts.target = slash + 1 >= rest.size() ? "/v1/stream" : std::string{rest.substr(slash)};
    rest = rest.substr(0, slash);
    std::size_t colon = rest.rfind(':');
    if (rest.starts_with('[')) { // An address of IPv6.
        const auto end = rest.find(']');
        if (end == rest.npos) return wrong();
        parts.host = rest.substr(1, end - 1);
        colon = end + 1 < rest.size() && rest[end + 1] == ':' ? end + 1 : rest.npos;
    } else {
        parts.host = rest.substr(0, colon);
    }
    parts.port = colon == rest.npos ? "80" : std::string{rest.substr(colon + 1)};
    if (parts.host.empty() || parts.port.empty() ||
        parts.port.find_first_not_of("0123456789") != std::string::npos)
        return wrong();
    return parts;
}

journeys::Result<StreamProducer::Totals> StreamProducer::run(const Options& options,
                                                             const Callbacks& callbacks) {
    return Producing{options, callbacks}.run();
}

journeys::Result<std::string> get_from_host(const StreamUrl& url, std::string_view path) {
    net::io_context io{1};
    Tcp::resolver resolver{io};
    Tcp::socket socket{io};
    error_code error;
    const auto found = resolver.resolve(url.host, url.port, error);
    if (!error) net::connect(socket, found, error);
    const auto request = "GET " + std::string{path} + " HTTP/1.0\r\nHost: " + url.host + "\r\n\r\n";
    if (!error) net::write(socket, net::buffer(request), error);
    std::string answer;
    if (!error) net::read(socket, net::dynamic_buffer(answer, 1024 * 1024), error);
    const auto body = answer.find("\r\n\r\n");
    if ((error && error != net::error::eof) || body == answer.npos ||
        answer.find(" 200 ") != answer.find(' '))
        return Error{ErrorCode::unavailable, "no answer from " + url.host + ":" + url.port};
    return answer.substr(body + 4);
}

} // namespace runtime
