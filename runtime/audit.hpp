/// Who decided what, in order, bound together by hashes: an entry that was changed, taken out or
/// put in afterwards no longer fits the ones behind it.
///
/// An entry's hash is SHA-256 over the hash before it and the entry's own fields, each with its
/// length. The first one follows 32 zero bytes. Taking entries off the end leaves no gap, so the
/// service logs the newest hash at every start: what was logged must be found again.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace runtime {

struct AuditEntry {
    std::uint64_t id = 0; ///< From 1, without gaps.
    journeys::Timestamp at{};
    std::string actor; ///< A key's name, `operator` (the local socket), `customer`, `service`.
    std::string
        action; ///< `config.loaded`, `consent.changed`, `channel.paused`, `customer.erased`, …
    std::string subject; ///< What it was done to; a customer as a keyed hash.
    std::string detail;
    std::string hash; ///< Hexadecimal.
};

/// Blocking; any thread, one call at a time.
class Audit {
public:
    explicit Audit(std::string conninfo);
    ~Audit();

    /// All of them, in order, or none.
    journeys::Result<void> add(const std::vector<AuditEntry>& entries);
    /// The newest `limit`, oldest first; with `subject` only those of it.
    journeys::Result<std::vector<AuditEntry>> newest(int limit, const std::string& subject = {});

    struct Verdict {
        std::uint64_t entries = 0;
        std::string head;                         ///< The newest hash; empty where there is none.
        std::optional<std::uint64_t> broken_at{}; ///< The first entry that does not fit.
    };
    journeys::Result<Verdict> verify();

private:
    class Session;
    std::unique_ptr<Session> session_;
};

/// 32 bytes.
std::string audit_hash(const std::string& previous, const AuditEntry& entry);

} // namespace runtime
