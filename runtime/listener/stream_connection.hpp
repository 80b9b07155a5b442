/// A producer's WebSocket, from the upgrade on. Only for `listener/`.
#pragma once

#include "runtime/listener/arrival.hpp"
#include "runtime/listener/worker.hpp"

#include <memory>

namespace runtime::listener {

/// Whether the request asks for a WebSocket.
bool is_upgrade(const HttpRequest& request);

/// `key` is what the producer has shown; `upgrade` the request, which is answered first.
std::shared_ptr<Connection> make_stream_connection(Worker& worker, Place place, Socket socket,
                                                   Key key, HttpRequest upgrade);

} // namespace runtime::listener
