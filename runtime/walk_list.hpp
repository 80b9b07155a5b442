/// How far events have come to the many whom they concern, for people and for programs.
#pragma once

#include "runtime/walk_book.hpp"

#include <string>
#include <vector>

namespace runtime {

/// What `sojourn walks` prints.
std::string walks_text(const std::vector<WalkStand>& stands);
/// One JSON object.
std::string walks_json(const std::vector<WalkStand>& stands);

} // namespace runtime
