/// What a journey brought, measured against those whose messages were held out.
#pragma once

#include <cstdint>

namespace journeys {

/// `reached` of `people`.
struct Arm {
    std::int64_t people = 0, reached = 0;
    double share() const {
        return people > 0 ? static_cast<double>(reached) / static_cast<double>(people) : 0;
    }
};

struct Interval {
    double low = 0, high = 0;
};

/// Wilson's score interval of a share, 95 %.
Interval wilson(const Arm& arm);

/// The difference of two shares, first minus second, and its 95 % interval: Newcombe's hybrid score
/// interval (method 10 of R. G. Newcombe, Statistics in Medicine 17, 1998, 873–890), which keeps
/// its coverage for small arms and shares near 0, where the usual one fails.
struct Lift {
    double difference = 0;
    Interval interval;
    /// False where an arm has nobody: then there is nothing to compare.
    bool is_measured = false;
    /// The interval leaves 0 out.
    bool is_certain() const { return is_measured && (interval.low > 0 || interval.high < 0); }
};
Lift lift(const Arm& sent, const Arm& held_out);

} // namespace journeys
