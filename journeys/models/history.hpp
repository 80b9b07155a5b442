/// What the purchase models know of one customer, and nothing else. Times are in weeks.
#pragma once

#include <chrono>

namespace journeys::models {

/// The statistics that suffice for BG/NBD, MBG/NBD and Pareto/NBD: several orders of one day are
/// one purchase, and the first one is not counted.
struct History {
    double x = 0;   ///< Purchase days after the first.
    double t_x = 0; ///< From the first to the last of them.
    double T = 0;   ///< From the first to now; at least `t_x`.
    double z = 0;   ///< Mean spend of those x days, net of refunds; 0 where there is none.
};

using Weeks = std::chrono::duration<double, std::ratio<604800>>;

} // namespace journeys::models
