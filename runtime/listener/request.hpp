/// A request as the routes see it, and their answer: plain values, whatever carries them.
#pragma once

#include "journeys/result.hpp"
#include "runtime/listener/keys.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace runtime {

struct Request {
    std::string method;
    std::string path; ///< Without the query; as sent, not decoded.
    std::vector<std::pair<std::string, std::string>> query;   ///< Decoded.
    std::vector<std::pair<std::string, std::string>> headers; ///< Names in lower case.
    std::vector<std::string> arguments; ///< What stood for each `{…}` of the route's path, decoded.
    std::string body;                   ///< Unpacked.
    std::string key; ///< The name of the caller's key; empty where none is asked for.

    /// Empty where there is none; of several the first.
    std::string_view header(std::string_view name) const;
    std::string_view parameter(std::string_view name) const;
};

struct Response {
    int status = 200;
    std::string body;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;
    std::string fault = {}; ///< What of ours failed: for the log, never sent.
};

/// Takes the answer, once, from any thread. Dropping it unused answers 500.
using Respond = std::function<void(Response)>;

/// One path of the service beside those of producers.
struct Route {
    std::string method; ///< `GET` answers `HEAD` too.
    std::string path;   ///< `/v1/customers/{id}/timeline`; `{…}` stands for one part of a path.
    std::optional<Scope> scope; ///< None: the route looks after itself (pages, signed webhooks).
    std::function<void(Request, Respond)> handle; ///< On a thread of the listener; returns at once.
    /// Asks no key of a browser on this machine itself: by the name or number of loopback, and
    /// passed on by nobody.
    bool is_open_here = false;
};
using Handlers = std::vector<Route>;

/// Whether the name of a header says that a proxy has passed the request on. Lower case.
bool is_of_proxy(std::string_view header);
/// Whether a `Host` is this machine's own loopback, with or without a port.
bool is_loopback_host(std::string_view host);

/// `{"error":"…"}`; 503 says to come again after a second.
Response error_response(int status, std::string_view error);
/// What is said of an error to whoever asks: its detail, but of the storage no more than that it
/// failed, for the rest names our paths and statements.
std::string_view public_text(const journeys::Error& error);
/// 400, 401 or 404 where the question is at fault, else 503. What `public_text` leaves out is the
/// `fault`.
Response failure_response(const journeys::Error& error);
/// The same status, with `text` for what is said.
Response failure_response(const journeys::Error& error, std::string_view text);

/// `text` as a JSON string, quotes included. What is no UTF-8 becomes U+FFFD.
std::string json_text(std::string_view text);
/// What stands for the `{…}` of `pattern` in `path`; nothing where they do not match.
std::optional<std::vector<std::string>> match_path(std::string_view pattern, std::string_view path);

} // namespace runtime
