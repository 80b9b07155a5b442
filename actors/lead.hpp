/// How many intents a channel has granted before a connection is free for them.
#pragma once

#include "journeys/time.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>

namespace actors {

/// A grant is a commit away. Who asks for it only when a connection is free lets the connection
/// idle meanwhile: with eight of them and calls of a millisecond that was 560 messages a second.
/// So as many are granted ahead as the connections will call in `span`: many before a fast
/// provider, one before a slow one, whose messages are to be decided as late as can be, and which a
/// crash would leave without a known outcome.
class Lead {
public:
    /// A call took so long, in service time.
    void called(journeys::Duration took) {
        const auto ms = static_cast<double>(std::max(took, journeys::Duration{0}).count());
        mean_ms_ += (ms - mean_ms_) / calls_remembered;
    }
    /// At least 1, at most `most` for each of so many connections.
    std::size_t ahead(std::size_t connections) const {
        const double each = static_cast<double>(span.count()) / std::max(mean_ms_, least_ms);
        const auto count = static_cast<double>(connections) * each;
        return std::clamp(static_cast<std::size_t>(std::llround(count)), std::size_t{1},
                          most * connections);
    }

    static constexpr std::chrono::milliseconds span{50}; ///< Several group commits.
    static constexpr std::size_t most = 64;

private:
    static constexpr double calls_remembered = 16, least_ms = 0.1;
    double mean_ms_ = 50; ///< Until calls have shown better.
};

} // namespace actors
