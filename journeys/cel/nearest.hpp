/// What somebody may have meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace journeys::cel {

/// ". Nearest: value" for the candidate that is closest to `name`; where none is close, ". Known:
/// a, b" for a few candidates, or nothing for many. Each is written with `prefix` in front.
std::string suggest(std::string_view name, const std::vector<std::string_view>& candidates,
                    std::string_view prefix = {});

} // namespace journeys::cel
