/// The door's paths for orchestrators and operators: its own, and those that it was given as
/// routes. Only for `listener/`.
#pragma once

#include "runtime/listener/arrival.hpp"
#include "runtime/listener/outcome.hpp"
#include "runtime/listener/worker.hpp"

#include <optional>

namespace runtime::listener {

/// `/healthz`, `/readyz` and `/metrics`, which ask no key; nothing for another request.
std::optional<Response> state_of_door(const Arrival& arrival, const Door& door);

/// Finds the route of the request and lets in whom it is for. Uses up query and body.
Outcome take_route(Arrival& arrival, const Door& door, const Place& place,
                   const MakeRespond& respond);

} // namespace runtime::listener
