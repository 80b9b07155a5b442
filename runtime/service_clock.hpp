/// The service's time: the wall's, or for demonstrations a faster one.
#pragma once

#include "journeys/time.hpp"
#include "runtime/failpoint.hpp"

#include <atomic>
#include <chrono>

namespace runtime {

/// start + speed × elapsed. For any thread. Elapsed time is the steady clock's, so it never goes
/// back.
class ServiceClock {
public:
    explicit ServiceClock(double speed = 1)
        : speed_(speed), began_(std::chrono::steady_clock::now()),
          start_(std::chrono::floor<journeys::Duration>(std::chrono::system_clock::now()) +
                 clock_offset()) {}

    journeys::Timestamp now() const {
        const std::chrono::duration<double, std::milli> elapsed =
            std::chrono::steady_clock::now() - began_;
        return start_.load(std::memory_order_relaxed) +
               journeys::Duration{static_cast<std::int64_t>(elapsed.count() * speed_)};
    }
    /// A log that a faster clock wrote goes on from where it ended.
    void start_no_earlier_than(journeys::Timestamp at) {
        const auto ahead = at - now();
        if (ahead.count() > 0) start_.store(start_.load() + ahead);
    }
    double speed() const { return speed_; }

private:
    double speed_;
    std::chrono::steady_clock::time_point began_;
    std::atomic<journeys::Timestamp> start_;
};

} // namespace runtime
