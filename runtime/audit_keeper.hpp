/// Brings changes of consent from flushes into the audit log, without holding a flush up.
#pragma once

#include "actors/observer.hpp"
#include "runtime/audit.hpp"
#include "runtime/log.hpp"
#include "runtime/suppressions.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace runtime {

/// One thread enters what flushes have left in `consent_changes`; at its start what another process
/// has left there, and at its end the rest.
class AuditKeeper {
public:
    AuditKeeper(Audit& audit, const Suppressions& suppressions, Log& log);
    /// Enters what is left.
    ~AuditKeeper();

    /// From the threads of actors; returns at once.
    void flushed(const actors::FlushRequest& request);

private:
    void run();
    bool enter_all(); ///< False where the database does not answer.
    AuditEntry entry_of(const Audit::ConsentChange& change) const;

    Audit& audit_;
    const Suppressions& suppressions_;
    Log& log_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_due_ = true, stopping_ = false; ///< Guarded by `mutex_`.
    std::thread thread_;
};

} // namespace runtime
