/// An orderly end of all actors, within a deadline.
#pragma once

#include "actors/system.hpp"

#include <chrono>

namespace runtime {

/// Lets channels finish what they have begun, writes what is unwritten, and ends the actors. False
/// where that is not done by `until`: then the process must end without running destructors.
bool stop_system(actors::System& system, std::chrono::steady_clock::time_point until);

} // namespace runtime
