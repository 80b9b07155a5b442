/// What a service still gives when producers want three times what it can.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace bench {

struct OverloadOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    std::uint32_t customers = 100'000;
    double seconds = 4; ///< Each round and side.
    std::size_t connections = 16;
    std::size_t messages_max = 2'000'000; ///< Sent in one load; bounds the disk.
};

/// Events a second that are acked within the time in which they are offered by a clock, in frames
/// of 100, at three times the sustainable rate; raw: at the sustainable one, which is measured
/// first. Producers wait for nobody, and forget what they could not send in time. The most memory
/// that the process held meanwhile must be nearly the same. Throws where what was sent is not
/// acked, applied and in snapshots, each once.
Figure bench_overload(const OverloadOptions& options);

} // namespace bench
