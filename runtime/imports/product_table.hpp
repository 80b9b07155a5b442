/// A table of products for a trial without a service.
#pragma once

#include "journeys/result.hpp"
#include "runtime/product_shelf.hpp"

#include <istream>
#include <memory>
#include <string>

namespace runtime {

/// As `sojourn import products` reads it. The first mistake, as `name:line: …`, ends it.
journeys::Result<std::shared_ptr<ProductShelf>> read_product_table(std::istream& in,
                                                                   const std::string& name);

} // namespace runtime
