/// Brings what a flush left in `transfers` to the log of the customer it is for: appended and
/// deleted in one transaction, in the order in which it was written.
#pragma once

#include "runtime/postgres/event_log.hpp"

namespace runtime {

class TransferMover {
public:
    TransferMover(EventLogSettings settings, PostgresEventLog& log);
    ~TransferMover();
    void wake(); ///< Something was written. Once at the start it looks by itself.

private:
    void loop();
    journeys::Result<bool> move_some(Connection& connection); ///< Whether there may be more.
    bool pause(std::chrono::milliseconds span);

    const EventLogSettings settings_;
    PostgresEventLog& log_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool awake_ = true, stopping_ = false;
    std::thread thread_; ///< Last: it uses all the others.
};

} // namespace runtime
