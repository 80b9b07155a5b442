/// A producer's WebSocket, from the upgrade on. Only for `listener/`.
#pragma once

#include "runtime/listener/worker.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <memory>

namespace runtime::listener {

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;

/// Whether the request asks for a WebSocket.
bool is_upgrade(const HttpRequest& request);

/// `key` is what the producer has shown; `upgrade` the request, which is answered first.
std::shared_ptr<Connection> make_stream_connection(Worker& worker, Place place, Socket socket,
                                                   Key key, HttpRequest upgrade);

} // namespace runtime::listener
