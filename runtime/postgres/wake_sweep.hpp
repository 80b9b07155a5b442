/// Wakes every customer, a few at a time, after a publication under which time does something else:
/// other models, other thresholds. Who sleeps would else meet it with their next event only.
#pragma once

#include "journeys/time.hpp"
#include "runtime/postgres/connection.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace runtime {

struct WakeSweepSettings {
    ConnectionSettings connection;
    std::function<journeys::Timestamp()> clock;
    std::int32_t batch = 1000;            ///< Customers at a time,
    std::chrono::milliseconds pause{200}; ///< and how long between two batches.
};

/// It only brings `wake_at` forward; the partitions do the rest, at their own pace. How far it has
/// come is stored with each batch, so it goes on after a crash.
class WakeSweep {
public:
    explicit WakeSweep(WakeSweepSettings settings);
    ~WakeSweep();

    /// After the publication was acknowledged. `reason` names what is new: nothing is done where it
    /// is the one that was swept for last. 0: nothing can need it, which is noted, so that what was
    /// taken away and comes back is swept for again.
    void begin(std::uint64_t reason);

private:
    void loop();
    journeys::Result<bool> wake_some(Connection& connection,
                                     std::uint64_t reason); ///< Whether more are to come.

    const WakeSweepSettings settings_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<std::uint64_t> reason_; ///< Of a sweep that is not done.
    bool stopping_ = false;
    std::thread thread_; ///< Last: it uses all the others.
};

} // namespace runtime
