/// Measures the expression language against the same conditions written by hand.
#pragma once

#include <ostream>

/// Prints one line for each measure: the median of five rounds that take turns, in nanoseconds, and
/// the ratio.
void bench_cel(std::ostream& out);
