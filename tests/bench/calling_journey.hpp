/// Events each of which leads to one call of a provider at once.
#pragma once

#include "journeys/time.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace bench {

/// Adds the journey to a configuration that has the channel `bench`.
void add_calling_journey(const std::filesystem::path& config);
/// The `n`th event, of one of 20,000 customers in turn; its call's body has `n`, too.
std::string calling_message(std::uint64_t n, journeys::Timestamp now);

} // namespace bench
