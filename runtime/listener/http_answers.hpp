/// Answers of the door itself, leave for pages of other origins, and how an answer is written.
/// Only for `listener/`.
#pragma once

#include "runtime/listener/listener.hpp"
#include "runtime/listener/request.hpp"

#include <string>
#include <string_view>

namespace runtime::listener {

/// `{"success":false,"error":"…"}`, as producers are told.
Response failure(int status, std::string_view why);
/// The same, to come again after `Retry-After`.
Response unavailable(int status, std::string_view why, const ListenerLimits& limits);
/// For a key that is not known.
Response unauthorized();
/// `allowed`: the methods that are, with commas.
Response not_allowed(std::string_view allowed);

/// A page of any origin may read it: the browser library asks from the shop's own.
Response with_cors(Response response);
/// The answer to `OPTIONS`.
Response preflight(std::string_view methods);

/// What its bytes depend on besides the response.
struct WireForm {
    bool closes = false;      ///< The connection ends behind it.
    bool keeps_alive = false; ///< Said to whom would take the end for granted: HTTP/1.0.
    bool has_body = true;     ///< Not so for `HEAD`.
};
std::string http_text(const Response& response, WireForm form);

} // namespace runtime::listener
