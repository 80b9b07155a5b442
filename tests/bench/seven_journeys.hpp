/// The configuration that figures are made with.
#pragma once

#include <filesystem>

namespace bench {

/// Copies the folder of a configuration to `to`, which is not there yet, and keeps seven of its
/// journeys: what an event costs depends on how many look at it, and goals are set for seven.
/// Throws where one of them is missing.
void copy_with_seven_journeys(const std::filesystem::path& config, const std::filesystem::path& to);

} // namespace bench
