/// What the command line says, for every test of the program.
#pragma once

#include <cstdint>
#include <string>

namespace faults {

struct Options {
    std::uint64_t seed = 0; ///< 0: a new one at each run. A failure prints the one that was used.
    bool full = false;      ///< Every fault as large as the promise, see `sizes.hpp`.
    int cycles = 0;         ///< How often, how many; 0: each fault's own number.
    double minutes = 0;     ///< Of faults that last; 0: each fault's own time.
    std::string binary;     ///< The service; built with failpoints.
    bool keep = false;      ///< Leaves the folder of a failed run behind.
};

Options& options();

} // namespace faults
