/// Named places at which a fault test may end, fail or delay the process. Nothing at all in builds
/// without failpoints.
#pragma once

#include <string_view>

namespace actors {

#ifdef SOJOURN_FAILPOINTS
/// True where the caller is to behave as if its operation had failed.
bool failpoint(std::string_view name);
#else
constexpr bool failpoint(std::string_view) { return false; }
#endif

} // namespace actors
