/// How a walk's row says how far it has come.
#pragma once

#include "actors/ports.hpp"

#include <string>

namespace runtime {

/// One statement, without parameters: only ids and numbers of ours go into it, ids as hexadecimal
/// digits. It changes nothing where the walk does not stand at `before`.
std::string move_walk_sql(const actors::WalkProgress& progress);

} // namespace runtime
