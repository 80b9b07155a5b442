/// A product's event on its way to everybody who is interested, and what that costs the others.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace bench {

struct InterestedOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    std::uint32_t customers = 50'000; ///< All interested; a tenth as many others send events.
    double seconds = 4;               ///< Of the others alone, each round.
    std::uint32_t producers = 4;      ///< Of the others; each sends a frame of one message
    double frames_a_second = 100;     ///< so often, whether or not the service keeps up.
};

/// Two figures of the same rounds. The first: seconds from the change of a product's price to the
/// last interested customer's having their copy applied; raw: from the first frame of a producer
/// that sends the same number of events, of the same customers into the same journey, to the last's
/// being applied. The second: microseconds that 99 of 100 single frames of other producers wait for
/// their ack meanwhile, counted from when each was to be sent; raw: the same while nothing else
/// happens. Throws where not everybody got exactly one copy each round.
std::vector<Figure> bench_interested(const InterestedOptions& options);

} // namespace bench
