/// What a running service writes down beside its log: who must not be written to any more, who did
/// what, which message was whose, the key of links, and for how long old rows stay.
#pragma once

#include "actors/observer.hpp"
#include "journeys/result.hpp"
#include "runtime/audit.hpp"
#include "runtime/audit_keeper.hpp"
#include "runtime/links.hpp"
#include "runtime/log.hpp"
#include "runtime/message_ledger.hpp"
#include "runtime/retention.hpp"
#include "runtime/service_clock.hpp"
#include "runtime/suppressions.hpp"
#include "schema/settings_yaml.hpp"

#include <memory>
#include <optional>
#include <string>

namespace runtime {

class ServiceRecords {
public:
    /// Makes the installation's keys where there are none yet, and begins to delete what is too
    /// old. `clock` and `log` outlive it. Blocking.
    static journeys::Result<std::unique_ptr<ServiceRecords>> open(const std::string& conninfo,
                                                                  const schema::Config& config,
                                                                  const ServiceClock& clock,
                                                                  Log& log);

    Suppressions& suppressions() { return *suppressions_; }
    Audit& audit() { return audit_; }
    MessageLedger& ledger() { return ledger_; }
    const Links& links() const { return links_; }

    /// What an operator or the service itself did, into the audit log. Any thread; blocking.
    void note(std::string actor, std::string action, std::string subject, std::string detail);
    /// From the threads of actors; returns at once.
    void flushed(const actors::FlushRequest& request) { audit_keeper_->flushed(request); }
    /// Deletes nothing any more, and writes what is left. When the actors have ended.
    void stop();

private:
    ServiceRecords(const std::string& conninfo, const schema::Config& config,
                   std::unique_ptr<Suppressions> suppressions, std::string link_key,
                   const ServiceClock& clock, Log& log);

    const ServiceClock& clock_;
    Log& log_;
    std::unique_ptr<Suppressions> suppressions_;
    Audit audit_;
    std::optional<AuditKeeper> audit_keeper_; ///< Until `stop`, as `retention_`.
    MessageLedger ledger_;
    Links links_;
    std::optional<Retention> retention_;
};

} // namespace runtime
