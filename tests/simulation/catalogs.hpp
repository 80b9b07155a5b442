/// What the simulated shop publishes: the same few journeys in several versions.
#pragma once

#include "journeys/catalog.hpp"

#include <vector>

namespace simulation {

/// In the order in which they may be published; the first is in force from the start. Made once,
/// and shared.
const std::vector<journeys::CatalogPtr>& catalogs();

} // namespace simulation
