/// What sojourn.yaml means for the actors.
#pragma once

#include "actors/system.hpp"
#include "schema/settings_yaml.hpp"

#include <algorithm>
#include <chrono>

namespace runtime {

/// Stored positions hang on it, so it is fixed: enough for the cores of one large machine.
inline constexpr actors::Partition partition_count = 8;

/// A span that is meant in real time, for whoever measures it by a service's clock of that speed.
inline journeys::Duration paced(journeys::Duration span, double clock_speed) {
    return std::chrono::duration_cast<journeys::Duration>(span * std::max(1.0, clock_speed));
}

actors::SystemSettings system_settings(const schema::Config& config, double clock_speed);

} // namespace runtime
