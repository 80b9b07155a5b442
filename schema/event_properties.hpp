/// What an event carries, where that is known beforehand: of events that are made here always, of
/// the shop's own where config/events.yaml says it.
#pragma once

#include "schema/events_yaml.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace schema {

/// Name -> type, as config/events.yaml names types.
using PropertyTypes = std::map<std::string, std::string>;

/// All that the event may carry; null where it may carry anything. `declared`: what
/// config/events.yaml says, null where nobody reads it. The specification's own events are open,
/// whatever is declared of them.
const PropertyTypes* properties_of_event(std::string_view name,
                                         const std::map<std::string, EventDeclaration>* declared);

/// Whether the event may carry a `product_id`, by which interest in a product is known.
enum class NamesProduct : std::uint8_t { yes, perhaps, never };
NamesProduct names_product(std::string_view name,
                           const std::map<std::string, EventDeclaration>* declared);

} // namespace schema
