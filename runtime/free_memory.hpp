/// Gives back to the system what was freed.
#pragma once

namespace runtime {

/// Both allocators keep what is freed for themselves: glibc's until it is told, jemalloc, which the
/// product is linked with, for ten seconds. Takes milliseconds; any thread.
void give_memory_back();

} // namespace runtime
