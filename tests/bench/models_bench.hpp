/// Measures what the models cost while a customer waits.
#pragma once

#include "tests/bench/measure.hpp"

#include <vector>

namespace bench {

/// `scale` divides the number of repetitions.
std::vector<Figure> bench_models(int rounds, int scale = 1);

} // namespace bench
