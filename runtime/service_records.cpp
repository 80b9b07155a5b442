#include "runtime/service_records.hpp"

#include "runtime/system_settings.hpp"

#include <utility>
#include <vector>

namespace runtime {

using journeys::Result;

namespace {

/// Without an address for the world, links name the one that the service listens on.
std::string base_of_links(const schema::Config& config) {
    if (!config.public_url.empty()) return config.public_url;
    return "http://" + config.listen.address + ':' + std::to_string(config.listen.port);
}

std::vector<RetentionRule> retention_rules(const schema::Config::Retention& kept, double speed) {
    return {
        {"timeline", "at", paced(kept.timeline, speed)},
        {"sandbox_messages", "at", paced(kept.sandbox, speed)},
        {"walks", "over_at", paced(kept.outbox, speed)},
        {"learned_versions", "published_at", paced(kept.timeline, speed)},
        {"outbox", "updated_at", paced(kept.outbox, speed), "state NOT IN ('pending', 'claimed')"}};
}

} // namespace

ServiceRecords::ServiceRecords(const std::string& conninfo, const schema::Config& config,
                               std::unique_ptr<Suppressions> suppressions, std::string link_key,
                               const ServiceClock& clock, Log& log)
    : clock_(clock), log_(log), suppressions_(std::move(suppressions)), audit_(conninfo),
      ledger_(conninfo), links_(base_of_links(config), std::move(link_key)) {
    audit_keeper_.emplace(audit_, *suppressions_, log);
    retention_.emplace(
        conninfo, retention_rules(config.retention, clock.speed()),
        [&clock] { return clock.now(); }, log);
}

Result<std::unique_ptr<ServiceRecords>> ServiceRecords::open(const std::string& conninfo,
                                                             const schema::Config& config,
                                                             const ServiceClock& clock, Log& log) {
    const auto suppression_key = service_key(conninfo, "suppressions");
    if (!suppression_key) return suppression_key.error();
    const auto link_key = service_key(conninfo, "links");
    if (!link_key) return link_key.error();
    auto suppressions = Suppressions::open(conninfo, *suppression_key);
    if (!suppressions) return suppressions.error();
    std::unique_ptr<ServiceRecords> records{
        new ServiceRecords{conninfo, config, std::move(*suppressions), *link_key, clock, log}};
    // The newest hash, so that an end that was cut off can be told from this line. Whether all of
    // it is unbroken is asked by `sojourn audit verify`, for that reads the whole.
    const auto newest = records->audit_.newest(1);
    if (!newest) return newest.error();
    if (!newest->empty())
        log.info("audit log", {{"entries", newest->front().id}, {"head", newest->front().hash}});
    return records;
}

void ServiceRecords::note(std::string actor, std::string action, std::string subject,
                          std::string detail) {
    AuditEntry entry;
    entry.at = clock_.now();
    entry.actor = std::move(actor);
    entry.action = std::move(action);
    entry.subject = std::move(subject);
    entry.detail = std::move(detail);
    if (const auto added = audit_.add({entry}); !added)
        log_.repeated_warning("the audit log cannot be written", {{"why", added.error().detail}});
}

void ServiceRecords::stop() {
    retention_.reset();
    audit_keeper_.reset();
}

} // namespace runtime
