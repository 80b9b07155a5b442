/// The customer behind an id as people write it, from the actors' memory.
#pragma once

#include "actors/system.hpp"
#include "journeys/customer.hpp"
#include "journeys/result.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace runtime {

/// Of several readings of the text the first that is known, behind tombstones; null where none is,
/// or where the customer's partition does not answer in time. `done` is called once, from an
/// actor's thread.
void find_customer(actors::System& system, std::string_view text,
                   std::function<void(std::shared_ptr<const journeys::Customer>)> done);

/// The same for whoever must not take silence for nobody: null is nobody, `unavailable` is no
/// answer. Blocking; not from an actor's thread.
journeys::Result<std::shared_ptr<const journeys::Customer>>
wait_for_customer(actors::System& system, const std::string& text);

} // namespace runtime
