#include "tests/faults/options.hpp"

namespace faults {

Options& options() {
    static Options all{.binary = SOJOURN_BINARY};
    return all;
}

} // namespace faults
