/// From a connection's bytes to its requests, within limits, and only such as nobody else reads
/// differently: that is how one request is smuggled into another. Only for `listener/`.
#pragma once

#include "runtime/listener/arrival.hpp"
#include "runtime/listener/listener.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace runtime::listener {

/// Reads no socket: bytes are put into `bytes()`, and the two parts of a request read from there.
class HttpReader {
public:
    enum class Progress : std::uint8_t {
        is_done,    ///< The header, or the whole request.
        wants_more, ///< Bytes; then the same part is read again.
        is_refused, ///< For what `refusal()` says. What follows can't be told from its body.
        is_broken,  ///< The other side has gone.
    };
    struct Refusal {
        int status = 400;
        std::string why;
    };

    explicit HttpReader(const ListenerLimits& limits) : limits_(limits) {}

    /// What has been read and belongs to no request yet.
    boost::beast::flat_buffer& bytes() { return bytes_; }
    bool has_bytes() const { return bytes_.size() > 0; }

    /// The next request begins with the bytes that are left.
    void begin();
    Progress read_header();
    Progress read_body();
    /// Whether the other side waits with its body for `100 Continue`. After the header.
    bool is_waited_for() const;
    /// After the body.
    HttpRequest release() { return parser_->release(); }

    const Refusal& refusal() const { return refusal_; }

private:
    std::string_view text() const;
    Progress refuse(int status, std::string_view why);
    Progress refuse(boost::system::error_code error);

    const ListenerLimits& limits_;
    boost::beast::flat_buffer bytes_;
    std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
    Refusal refusal_;
};

} // namespace runtime::listener
