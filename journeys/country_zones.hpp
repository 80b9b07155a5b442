/// The time of a country, for a customer of whom no zone is known.
#pragma once

#include <string_view>

namespace journeys {

/// The IANA zone of an ISO 3166 country code of two letters, in either case, where all of the
/// country has one time; empty for the others and for what is no such code.
std::string_view zone_of_country(std::string_view country);

} // namespace journeys
