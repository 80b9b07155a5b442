#include "tests/bench/bare_door.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include <map>
#include <string>
#include <thread>

namespace bench {

namespace net = boost::asio;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using Tcp = net::ip::tcp;

class BareDoor::Implementation {
public:
    explicit Implementation(Take take) : take_(std::move(take)) {
        acceptor_.open(Tcp::v4());
        acceptor_.bind({net::ip::address_v4::loopback(), 0});
        acceptor_.listen(net::socket_base::max_listen_connections);
        port = acceptor_.local_endpoint().port();
        accept();
        thread_ = std::thread{[this] { io_.run(); }};
    }
    ~Implementation() {
        io_.stop();
        thread_.join();
    }

    void ack(std::vector<Done> done) {
        net::post(io_, [this, done = std::move(done)] {
            for (const auto& one : done) ack_at_once(one);
        });
    }

    void ack_at_once(const Done& done) {
        const auto found = connections_.find(done.connection);
        if (found == connections_.end()) return;
        auto& connection = *found->second;
        connection.acked += done.frames;
        connection.accepted += done.messages;
        if (connection.out.empty()) send(found->second);
    }

    std::uint16_t port = 0;

private:
    struct Connection {
        Connection(Tcp::socket socket, std::uint64_t its_number)
            : stream(std::move(socket)), number(its_number) {}
        websocket::stream<Tcp::socket> stream;
        const std::uint64_t number;
        boost::beast::flat_buffer in;
        std::string out; ///< The ack that is being written.
        std::uint64_t acked = 0, told = 0, accepted = 0;
    };
    using ConnectionPtr = std::shared_ptr<Connection>;

    void accept() {
        acceptor_.async_accept([this](error_code error, Tcp::socket socket) {
            if (error) return;
            socket.set_option(Tcp::no_delay(true), error);
            auto connection = std::make_shared<Connection>(std::move(socket), ++accepted_);
            connection->stream.auto_fragment(false);
            connection->stream.read_message_max(8u << 20);
            connection->stream.async_accept([this, connection](error_code failed) {
                if (failed) return;
                connection->stream.text(true);
                connections_.emplace(connection->number, connection);
                read(connection);
            });
            accept();
        });
    }

    void read(const ConnectionPtr& connection) {
        connection->stream.async_read(connection->in,
                                      [this, connection](error_code error, std::size_t) {
                                          if (error) {
                                              connections_.erase(connection->number);
                                              return;
                                          }
                                          take(*connection);
                                          read(connection);
                                      });
    }

    void take(Connection& connection) {
        auto& in = connection.in;
        in.reserve(in.size() + simdjson::SIMDJSON_PADDING);
        const auto data = in.cdata();
        const simdjson::padded_string_view text{static_cast<const char*>(data.data()), data.size(),
                                                data.size() + simdjson::SIMDJSON_PADDING};
        simdjson::ondemand::document document;
        simdjson::ondemand::array messages;
        taken_.clear();
        if (!parser_.iterate(text).get(document) && !document.get_array().get(messages))
            for (auto message : messages) {
                simdjson::ondemand::object object;
                BareMessage parsed;
                if (message.get_object().get(object) || !parse_message(object, parsed)) break;
                seen_ += parsed.seen;
                taken_.push_back(parsed);
            }
        take_(connection.number, taken_);
        in.consume(in.size());
    }

    /// One ack for all that came to an end while the last one was written.
    void send(const ConnectionPtr& connection) {
        connection->out = "{\"ack\":" + std::to_string(connection->acked) +
                          ",\"accepted\":" + std::to_string(connection->accepted) + "}";
        connection->told = connection->acked;
        connection->accepted = 0;
        connection->stream.async_write(net::buffer(connection->out),
                                       [this, connection](error_code error, std::size_t) {
                                           connection->out.clear();
                                           if (!error && connection->told < connection->acked)
                                               send(connection);
                                       });
    }

    const Take take_;
    net::io_context io_{1};
    Tcp::acceptor acceptor_{io_};
    std::map<std::uint64_t, ConnectionPtr> connections_;
    std::uint64_t accepted_ = 0;
    simdjson::ondemand::parser parser_;
    std::vector<BareMessage> taken_;
    std::size_t seen_ = 0;
    std::thread thread_;
};

BareDoor::BareDoor(Take take)
    : implementation_(std::make_unique<Implementation>(std::move(take))) {}
BareDoor::~BareDoor() = default;

std::uint16_t BareDoor::port() const { return implementation_->port; }
void BareDoor::ack(std::vector<Done> done) { implementation_->ack(std::move(done)); }
void BareDoor::ack_at_once(const Done& done) { implementation_->ack_at_once(done); }

} // namespace bench
