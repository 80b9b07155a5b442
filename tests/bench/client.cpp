#include "tests/bench/client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <stdexcept>

namespace bench {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

struct Client::Connection {
    asio::io_context context;
    beast::tcp_stream stream{context};
    beast::flat_buffer buffer;
};

Client::Client(std::uint16_t port) : connection_(std::make_unique<Connection>()) {
    connection_->stream.connect({asio::ip::address_v4::loopback(), port});
    connection_->stream.socket().set_option(asio::ip::tcp::no_delay{true});
}

Client::~Client() = default;

std::string Client::post(const std::string& target, std::string body) {
    return ask(true, target, std::move(body));
}

std::string Client::get(const std::string& target) { return ask(false, target, {}); }

std::string Client::ask(bool is_post, const std::string& target, std::string body) {
    http::request<http::string_body> request{is_post ? http::verb::post : http::verb::get, target,
                                             11};
    request.set(http::field::host, "bench");
    request.set(http::field::authorization, "Bearer demo");
    request.body() = std::move(body);
    request.prepare_payload();
    http::write(connection_->stream, request);
    http::response<http::string_body> response;
    http::read(connection_->stream, connection_->buffer, response);
    if (response.result() != http::status::ok)
        throw std::runtime_error{target + ": " + response.body()};
    return std::move(response.body());
}

} // namespace bench
