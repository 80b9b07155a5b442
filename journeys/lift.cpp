#include "journeys/lift.hpp"

#include <cmath>

namespace journeys {
namespace {

constexpr double z = 1.959963984540054; ///< Of the standard normal distribution, at 97.5 %.

} // namespace

Interval wilson(const Arm& arm) {
    if (arm.people <= 0) return {0, 1};
    const auto n = static_cast<double>(arm.people);
    const double share = arm.share();
    const double middle = share + z * z / (2 * n);
    const double spread = z * std::sqrt(share * (1 - share) / n + z * z / (4 * n * n));
    const double scale = 1 + z * z / n;
    return {(middle - spread) / scale, (middle + spread) / scale};
}

Lift lift(const Arm& sent, const Arm& held_out) {
    Lift result;
    if (sent.people <= 0 || held_out.people <= 0) return result;
    const double p1 = sent.share(), p2 = held_out.share();
    const auto own = wilson(sent), other = wilson(held_out);
    result.is_measured = true;
    result.difference = p1 - p2;
    result.interval.low = result.difference - std::hypot(p1 - own.low, other.high - p2);
    result.interval.high = result.difference + std::hypot(own.high - p1, p2 - other.low);
    return result;
}

} // namespace journeys
