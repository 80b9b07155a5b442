/// How well an audience is let in at its pace.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstdint>
#include <filesystem>

namespace bench {

struct AudienceOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    std::uint32_t customers = 100'000; ///< All of them in the audience.
    std::uint32_t pace = 5'000;        ///< Of the journey, a second.
};

/// Customers a second that are let into a journey by its audience: from the operator's request to
/// the last copy's being applied, so the walk's beginning is in it. Raw: the pace that the journey
/// states. Throws where not everybody was let in exactly once each round.
Figure bench_audience(const AudienceOptions& options);

} // namespace bench
