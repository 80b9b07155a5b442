/// The customer behind an id as people write it, from the actors' memory.
#pragma once

#include "actors/system.hpp"
#include "journeys/customer.hpp"

#include <functional>
#include <memory>
#include <string_view>

namespace runtime {

/// Of several readings of the text the first that is known, behind tombstones; null where none is.
/// `done` is called once, from an actor's thread.
void find_customer(actors::System& system, std::string_view text,
                   std::function<void(std::shared_ptr<const journeys::Customer>)> done);

} // namespace runtime
