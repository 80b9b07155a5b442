/// What a thread is called, for `top -H`, `perf` and debuggers.
#pragma once

#include <pthread.h>

namespace runtime {

/// Names the calling thread. At most 15 bytes; a longer name is not taken.
inline void name_thread(const char* name) { ::pthread_setname_np(::pthread_self(), name); }

} // namespace runtime
