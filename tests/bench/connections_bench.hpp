/// What a producer that says nothing costs.
#pragma once

#include "tests/bench/measure.hpp"

#include <cstdint>

namespace bench {

struct ConnectionsOptions {
    int rounds = 5;
    /// One connection each; fewer where the process may not open as many files.
    std::uint32_t customers = 10'000;
};

/// Resident bytes of a WebSocket that is open and idle at the product's listener; raw: at a bare
/// Beast server. Each side in a process of its own, so this is to be called before there are
/// threads. Throws where a connection is not there.
Figure bench_connections(const ConnectionsOptions& options);

} // namespace bench
