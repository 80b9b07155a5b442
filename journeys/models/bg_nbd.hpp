/// BG/NBD and its modified form: orders come as a Poisson process whose rate is Gamma(r, alpha)
/// over customers; after an order the customer stops for good with probability p ~ Beta(a, b).
///
/// BG/NBD: Fader, Hardie, Lee 2005, Marketing Science 24:275-284; nobody stops after the first
/// order, so who ordered once is alive for certain. MBG/NBD: Batislam, Denizel, Filiztekin 2007;
/// Hoppe, Wagner 2007; one may.
#pragma once

#include "journeys/models/history.hpp"

#include <optional>

namespace journeys::models {

struct BgNbd {
    double r = 0, alpha = 0, a = 0, b = 0;
    bool modified = false; ///< MBG/NBD.

    double log_likelihood(const History& history) const;
    double p_alive(const History& history) const;
    /// Orders to expect within `weeks` from now.
    double expected_orders(const History& history, double weeks) const;
    /// The same of somebody who has just ordered for the first time; of MBG/NBD before it is known
    /// whether they stopped there.
    double expected_orders_of_new(double weeks) const;
    /// The share of new customers who order nothing more within `weeks`.
    double p_no_orders(double weeks) const;
    /// The T, in weeks since the first order, at which P(alive) falls to `threshold` if nothing is
    /// ordered; at most `t_x` where it is there already; nothing where it never does.
    std::optional<double> falls_to(double threshold, double x, double t_x) const;
};

} // namespace journeys::models
