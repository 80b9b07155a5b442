/// What events are called: the names of the e-commerce specification, their aliases, and other
/// systems' names.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace schema {

/// The name by which journeys know an event: of an alias (`Viewed Product`, `Order Created`) the
/// standard name, of any other name itself. Names are compared byte by byte.
std::string_view canonical_event_name(std::string_view name);

/// Names of events that the service makes itself, so that no producer may send them: they enter
/// and end journeys, and count as messages, decisions and consents.
bool is_kept_for_us(std::string_view name);

/// A name that another system uses for one of the standard events, as an error message tells it.
struct ElsewhereName {
    std::string_view name;   ///< `Placed Order`
    std::string_view system; ///< `Klaviyo`
    std::string_view ours;   ///< `Order Completed`
};
/// For a name that would match nothing here. Case and `_` for a blank make no difference.
std::optional<ElsewhereName> known_elsewhere(std::string_view name);

/// The canonical names of the specification and of what we make ourselves, sorted.
const std::vector<std::string_view>& standard_events();

} // namespace schema
