#include "tests/faults/options.hpp"

namespace faults {

Options& options() {
    static Options all{.binary = SOJOURN_BINARY};
    return all;
}

int cycles_or(int few) { return options().cycles > 0 ? options().cycles : few; }

} // namespace faults
