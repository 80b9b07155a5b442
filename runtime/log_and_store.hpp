/// The log and the store of a running service, and what moves between them by itself: transfers
/// from flushes into the log, and the sweep that wakes customers after a publication.
///
///   flush ──► store ── transfers ──► TransferMover ──► log
///   publication ──► WakeSweep ──► the store's rows
#pragma once

#include "runtime/postgres/connection.hpp"
#include "runtime/postgres/event_log.hpp"
#include "runtime/postgres/ownership.hpp"
#include "runtime/postgres/store.hpp"
#include "runtime/postgres/transfer_mover.hpp"
#include "runtime/postgres/wake_sweep.hpp"
#include "runtime/service_clock.hpp"
#include "schema/settings_yaml.hpp"

#include <functional>
#include <string>

namespace runtime {

/// Its end refuses what is pending and waits for what is being committed; so it comes after that of
/// everybody who uses it, and before the database's.
class LogAndStore {
public:
    /// `clock` and `ownership` outlive it.
    LogAndStore(const ConnectionSettings& connection, const schema::Config& config,
                const ServiceClock& clock, Ownership& ownership);

    PostgresEventLog& log() { return log_; }
    PostgresStore& store() { return store_; }
    WakeSweep& sweep() { return sweep_; }

    /// While this says that customers are behind, transactions are gathered; see
    /// `PostgresEventLog`.
    void gather_while(const std::function<bool()>& is_behind) {
        log_.gather_while(is_behind);
        store_.gather_while(is_behind);
    }
    /// Empty where events can be taken; otherwise why not, for people. Any thread.
    std::string why_not_ready() const;

private:
    LogAndStore(const EventLogSettings& settings, Ownership& ownership);

    const Ownership& ownership_;
    PostgresEventLog log_;
    TransferMover mover_;
    WakeSweep sweep_;
    PostgresStore store_; ///< After the mover, which it tells of what it has written.
};

} // namespace runtime
