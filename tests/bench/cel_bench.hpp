/// Measures the expression language against the same conditions written by hand.
#pragma once

#include "tests/bench/measure.hpp"

#include <vector>

namespace bench {

/// Nanoseconds an evaluation. `scale` divides the number of repetitions.
std::vector<Figure> bench_cel(int rounds, int scale = 1);

} // namespace bench
