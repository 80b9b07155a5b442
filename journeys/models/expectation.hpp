/// How many orders to expect of somebody who may stop after any of them.
#pragma once

namespace journeys::models {

/// E[(1 - (1 + c p)^-shape) / p] with p ~ Beta(a, b): the orders to expect within a time that is
/// `c` times the exposure so far, when the rate is Gamma distributed with `shape` and each order is
/// the last with probability p.
///
/// It is the (a+b-1)/(a-1) [1 - ... 2F1] of the papers without their singularity at a = 1: a sum of
/// positive terms, P(N > j) times the chance that j orders were survived, N negative binomial;
/// where that sum would be long, an integral. Relative error below 1e-9 for c up to 1e6.
/// Preconditions: shape, a, b > 0; c >= 0.
double expected_orders(double shape, double a, double b, double c);

} // namespace journeys::models
