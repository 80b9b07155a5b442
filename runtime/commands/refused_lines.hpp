/// Lines of recorded files that could not be read, said on stderr.
#pragma once

#include "runtime/commands/commands.hpp"
#include "runtime/event_files.hpp"
#include "runtime/printable.hpp"

#include <cstdio>

namespace runtime {

/// `exit_input` where there are any, else `exit_done`.
inline int say_refused(const RecordedEvents& recorded) {
    for (const auto& refused : recorded.refused)
        std::fprintf(stderr, "%s:%llu: %s\n", refused.file.c_str(),
                     static_cast<unsigned long long>(refused.line), printable(refused.why).c_str());
    if (recorded.refused_count > recorded.refused.size())
        std::fprintf(
            stderr, "… and %llu more\n",
            static_cast<unsigned long long>(recorded.refused_count - recorded.refused.size()));
    return recorded.refused_count > 0 ? exit_input : exit_done;
}

} // namespace runtime
