/// From an event to the provider's call, under load.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace bench {

struct TriggerOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    std::uint32_t customers = 100'000;
    double seconds = 4;                 ///< Of load, each round.
    std::size_t messages_max = 800'000; ///< Of one load; bounds the disk.
};

/// Milliseconds that 99 of 100 triggers need at most. First the rate that can be kept up is found,
/// then frames of 100 messages come at half of it, whether or not the service keeps up; one message
/// of each opens a run whose first step calls a webhook. Counted from the instant at which the
/// frame was to be sent to the instant at which the receiver has the call, commits included. Beside
/// it: fdatasync of 4 KB and a POST to a receiver of its own. Throws where a trigger is missing or
/// came twice, or an event was lost.
Figure bench_trigger(const TriggerOptions& options);

} // namespace bench
