/// What a service's customers bought, from its snapshots.
#pragma once

#include "journeys/result.hpp"
#include "runtime/fitting/orders_csv.hpp"

#include <string>

namespace runtime::fitting {

/// One row for each purchase day that a customer remembers. `currency` not empty: only customers
/// who buy in it, or in one that is not known. Blocks until all are read; changes nothing.
journeys::Result<OrderTable> orders_in(const std::string& conninfo,
                                       const std::string& currency = {});

} // namespace runtime::fitting
