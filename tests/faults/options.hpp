/// What the command line says, for every test of the program.
#pragma once

#include <cstdint>
#include <string>

namespace faults {

struct Options {
    std::uint64_t seed = 0; ///< 0: a new one at each run. A failure prints the one that was used.
    int cycles = 0;         ///< Of the tests that repeat a fault; 0: each test's own small number.
    double minutes = 0;     ///< Of the soak and of faults that last; 0: short.
    std::string binary;     ///< The service; built with failpoints.
    bool keep = false;      ///< Leaves the folder of a failed run behind.
};

Options& options();

/// `cycles` as the command line says, else `few`.
int cycles_or(int few);

} // namespace faults
