/// What an active customer weighs, and whether many of them make an event dearer.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstdint>
#include <filesystem>

namespace bench {

struct CrowdOptions {
    std::filesystem::path config = "config";
    int rounds = 5;
    std::uint32_t customers = 200'000, few = 1'000;
    std::uint64_t events = 200'000; ///< Of one round and side.
};

/// Resident bytes of a customer with an open run and a timer, beside a bare CAF actor after one
/// message that holds as large a state.
Figure bench_memory(const CrowdOptions& options);
/// Resident bytes that a customer who sleeps and waits leaves behind where the store alone knows of
/// the wait; beside such a wait in a `std::multimap`. In the details the same where all waits end
/// soon, so that the partition holds them; throws where afterwards not everybody who waits is
/// woken.
Figure bench_sleepers(const CrowdOptions& options);
/// CPU of an event among `customers` beside that among `few`, without making and decoding it. The
/// few have hundreds of events each in a round, and cost more by a longer memory of them; so a
/// detail says what an event costs among a tenth of the customers, where that counts for little.
Figure bench_scale(const CrowdOptions& options);

/// The same once and without a raw part, of `customers`: CPU microseconds of an event, and resident
/// bytes of all customers, while they are active and when they sleep.
double micros_among_active(const CrowdOptions& options);
double bytes_of_active(const CrowdOptions& options);
double bytes_of_sleepers(const CrowdOptions& options);

} // namespace bench
