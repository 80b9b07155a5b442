/// What is known of a customer, for programs. The fields are named as in
/// expressions, because they are read through the same tables.
#pragma once

#include "journeys/catalog.hpp"
#include "journeys/customer.hpp"

#include <string>

namespace runtime {

/// `{"customer":{…},"cart":{…},"session":{…},"orders":[…],"runs":[{…}]}` as of `now`.
std::string customer_json(const journeys::Customer& customer, const journeys::Catalog& catalog,
                          journeys::Timestamp now);

/// `Mon 19:47`, or with the date where it is further off than six days.
std::string local_text(journeys::Timestamp at, std::string_view zone, journeys::Timestamp now);

} // namespace runtime
