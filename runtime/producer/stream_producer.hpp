/// A producer over WebSocket: sends frames, keeps those that are not yet acked, and sends them
/// again after a lost connection.
#pragma once

#include "journeys/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace runtime {

/// `ws://host[:port][/path]`; the path is `/v1/stream` where none is given.
struct StreamUrl {
    std::string host, port, target;
};
journeys::Result<StreamUrl> parse_stream_url(std::string_view url);

class StreamProducer {
public:
    struct Frame {
        std::string text;
        std::size_t messages = 0;
        std::chrono::steady_clock::time_point due{}; ///< Not sent before.
    };
    struct Totals {
        std::uint64_t frames = 0, messages = 0; ///< Acked.
        std::uint64_t accepted = 0, rejected = 0, resent = 0, connections = 0;
    };
    struct Options {
        StreamUrl url;
        std::string write_key;
        std::size_t frames_in_flight = 64;
        /// How long to go on without a connection.
        std::chrono::milliseconds patience{30'000};
    };
    struct Callbacks {
        std::function<std::optional<Frame>()> next; ///< Nothing at the end.
        std::function<void(std::string_view)>
            rejected{}; ///< An answer that refuses something, as JSON.
        std::function<void(const Totals&)> progress{}; ///< After every ack.
        std::function<void(std::string_view)>
            lost{}; ///< Why a connection ended; it is tried again.
    };

    /// Blocks until everything is acked. `unauthorized` where the key is refused, `unavailable`
    /// where there was no connection for `patience`.
    static journeys::Result<Totals> run(const Options& options, const Callbacks& callbacks);
};

/// `GET` of a path on the host of `url`; the body.
journeys::Result<std::string> get_from_host(const StreamUrl& url, std::string_view path);

} // namespace runtime
