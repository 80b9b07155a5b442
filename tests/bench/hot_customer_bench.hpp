/// What it costs everybody when half of the traffic is one customer's.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace bench {

struct HotCustomerOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    std::uint32_t customers = 100'000;
    double seconds = 4;                 ///< Of load, each round and side.
    std::size_t messages_max = 400'000; ///< Of one load; bounds the disk.
};

/// Events a second in frames of 100, until all are applied, where every other message is of one and
/// the same customer; raw: the same service, with all customers alike. Throws where a message is
/// lost, doubled or parked.
Figure bench_hot_customer(const HotCustomerOptions& options);

} // namespace bench
