#include "runtime/free_memory.hpp"

#include <cstddef>

#include <malloc.h>

/// jemalloc's, where the program is linked with it; tests with sanitizers are not.
extern "C" [[gnu::weak]] int mallctl(const char* name, void* old, std::size_t* old_size,
                                     void* value, std::size_t size);

namespace runtime {

void give_memory_back() {
    if (mallctl)
        mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0); // 4096 stands for all arenas.
    else
        ::malloc_trim(0);
}

} // namespace runtime
