/// An orderly end of all actors, within a deadline.
#pragma once

#include "actors/system.hpp"

#include <chrono>

namespace runtime {

/// Lets channels finish what they have begun, writes what is unwritten, and ends the actors. False
/// where that took longer than `deadline`: then the process must end without running destructors.
bool stop_system(actors::System& system, std::chrono::milliseconds deadline);

} // namespace runtime
