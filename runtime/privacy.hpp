/// A person's right to be forgotten, and to have what is known of them (GDPR, articles 17 and 15).
#pragma once

#include "actors/system.hpp"
#include "journeys/catalog.hpp"
#include "runtime/audit.hpp"
#include "runtime/suppressions.hpp"

#include <functional>
#include <memory>
#include <string>

namespace runtime {

/// All of it outlives the desk.
struct PrivacyParts {
    std::string conninfo;
    actors::System& system;
    actors::EventLog& log;
    Suppressions& suppressions;
    Audit& audit;
    std::function<journeys::CatalogPtr()> catalog;
    std::function<journeys::Timestamp()> now;
    actors::Partition partitions = 0;
};

class PrivacyDesk {
public:
    explicit PrivacyDesk(PrivacyParts parts);
    ~PrivacyDesk();

    /// Removes the customer behind `id`, and every id that reaches them, from snapshots, outbox,
    /// timeline, dead letters, sandbox and the log. An address that said no, bounced or complained
    /// stays suppressed, as a keyed hash; the audit log has one more entry, which names nobody.
    ///
    /// First an `Erasure` goes into the log, so that nothing is sent from its acknowledgement on;
    /// once it is applied and flushed, what the log holds of the person is overwritten. Answers
    /// when all of it is done, with the count of rows; blocking, up to a minute. `not_found` for
    /// nobody, `unavailable` where the erasure stands in the log and the rest has to be asked for
    /// again.
    journeys::Result<std::size_t> erase(const std::string& id, const std::string& actor);

    /// All that is stored of the customer, as one JSON object: profile, consents, timeline,
    /// messages, and the events in the log as they came. `not_found` for nobody.
    journeys::Result<std::string> export_all(const std::string& id, const std::string& actor);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace runtime
