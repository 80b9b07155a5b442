#include "runtime/listener/http_reader.hpp"

namespace runtime::listener {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

/// Whether an LF has no CR before it.
bool has_bare_feed(std::string_view text) {
    for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1))
        if (at == 0 || text[at - 1] != '\r') return true;
    return false;
}

/// What Beast leaves open and others read differently; empty: nothing.
std::string_view reason_to_refuse(const HttpRequest& request) {
    if (request.version() != 11 && request.version() != 10) return "HTTP/1.1 only";
    const auto hosts = request.count(http::field::host);
    if (hosts > 1 || (hosts == 0 && request.version() == 11)) return "one Host header is required";
    const auto encodings = request.count(http::field::transfer_encoding);
    if (encodings > 0) {
        if (request.version() == 10 || encodings > 1 ||
            !beast::iequals(request[http::field::transfer_encoding], "chunked"))
            return "Transfer-Encoding must be chunked";
        if (request.count(http::field::content_length) > 0)
            return "Content-Length with Transfer-Encoding";
    }
    if (request.count(http::field::content_length) > 1) return "several Content-Lengths";
    const auto length = request[http::field::content_length];
    if (length.find_first_not_of("0123456789") != length.npos) return "Content-Length is no number";
    return {};
}

} // namespace

std::string_view HttpReader::text() const {
    return {static_cast<const char*>(bytes_.cdata().data()), bytes_.size()};
}

void HttpReader::begin() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max) + 1);
    parser_->body_limit(limits_.body_bytes_max);
}

/// Beast would accept folded lines, which others read as headers of their own; so it sees a header
/// only when it is whole and has none. A line that ends in LF alone would never be whole.
HttpReader::Progress HttpReader::read_header() {
    const auto end = text().find("\r\n\r\n");
    const auto size = end == std::string_view::npos ? text().size() : end + 4;
    if (size > limits_.header_bytes_max) return refuse(431, "the header is over the limit");
    if (has_bare_feed(text().substr(0, size))) return refuse(400, "a line ends in LF alone");
    if (end == std::string_view::npos) return Progress::wants_more;
    const auto header = text().substr(0, end);
    if (header.find("\r\n ") != header.npos || header.find("\r\n\t") != header.npos)
        return refuse(400, "folded header lines");
    error_code error;
    bytes_.consume(parser_->put(bytes_.cdata(), error));
    if (error) return refuse(error);
    if (const auto why = reason_to_refuse(parser_->get()); !why.empty()) return refuse(400, why);
    return Progress::is_done;
}

bool HttpReader::is_waited_for() const {
    return beast::iequals(parser_->get()[http::field::expect], "100-continue") &&
           !parser_->is_done();
}

HttpReader::Progress HttpReader::read_body() {
    parser_->eager(true);
    while (!parser_->is_done() && has_bytes()) {
        error_code error;
        bytes_.consume(parser_->put(bytes_.cdata(), error));
        if (error == http::error::need_more) break;
        if (error) return refuse(error);
    }
    if (parser_->is_done()) return Progress::is_done;
    // What Beast leaves is the beginning of a chunk's line, of which it waits for the CRLF.
    if (has_bare_feed(text())) return refuse(400, "a chunk's line ends in LF alone");
    if (text().size() > limits_.header_bytes_max)
        return refuse(431, "a chunk's line is over the limit");
    return Progress::wants_more;
}

HttpReader::Progress HttpReader::refuse(int status, std::string_view why) {
    refusal_ = {status, std::string{why}};
    return Progress::is_refused;
}

/// Beast found the request wanting, or the other side has gone.
HttpReader::Progress HttpReader::refuse(error_code error) {
    if (error == http::error::header_limit) return refuse(431, "the header is over the limit");
    if (error == http::error::body_limit) return refuse(413, "the body is over the limit");
    if (error == http::error::end_of_stream || error == http::error::partial_message ||
        error.category() != make_error_code(http::error::bad_method).category())
        return Progress::is_broken;
    return refuse(400, error.message());
}

} // namespace runtime::listener
