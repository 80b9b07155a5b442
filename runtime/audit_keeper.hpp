/// Brings changes of consent from flushes into the audit log, without holding a flush up.
#pragma once

#include "actors/observer.hpp"
#include "runtime/audit.hpp"
#include "runtime/log.hpp"
#include "runtime/suppressions.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace runtime {

/// One thread writes what several report. A flush is committed before its consents are here, so a
/// process that is killed in between leaves them out of the audit log; the timeline, which is
/// written by the flush itself, has them in any case.
class AuditKeeper {
public:
    AuditKeeper(Audit& audit, const Suppressions& suppressions, Log& log);
    /// Writes what is left.
    ~AuditKeeper();

    /// From the threads of actors; returns at once.
    void flushed(const actors::FlushRequest& request);

private:
    void run();

    Audit& audit_;
    const Suppressions& suppressions_;
    Log& log_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<AuditEntry> waiting_; ///< Guarded by `mutex_`; bounded.
    bool stopping_ = false;
    std::thread thread_;
};

} // namespace runtime
