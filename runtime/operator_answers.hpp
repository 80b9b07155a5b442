/// What the routes of operators have in common: who asks, and how a failure is told.
#pragma once

#include "runtime/listener/request.hpp"

#include <string>
#include <utility>

namespace runtime {

inline Response plain(std::string text) {
    return {.body = std::move(text), .content_type = "text/plain; charset=utf-8"};
}

inline void answer_error(const Respond& respond, const journeys::Error& error) {
    respond(failure_response(error));
}

/// A key by its name, or whoever may open the local socket.
inline std::string actor_of(const Request& request) {
    return request.key.empty() ? "operator" : "key " + request.key;
}

} // namespace runtime
