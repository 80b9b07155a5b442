/// Marks that stand in a message for the links of the customer's own pages. Whoever writes the
/// request puts signed addresses in their place, so that neither the rules nor the ledger know the
/// key that signs them.
#pragma once

#include <string_view>

namespace journeys::links {

inline constexpr std::string_view unsubscribe = "https://unsubscribe.sojourn.invalid/";
inline constexpr std::string_view preferences = "https://preferences.sojourn.invalid/";
/// Confirms a subscription that is `pending` (double opt-in).
inline constexpr std::string_view confirm = "https://confirm.sojourn.invalid/";

} // namespace journeys::links
