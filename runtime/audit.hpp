/// Who decided what, in order, bound together by hashes: an entry that was changed, taken out or
/// put in afterwards no longer fits the ones behind it.
///
/// An entry's hash is SHA-256 over the hash before it and the entry's own fields, each with its
/// length. The first one follows 32 zero bytes. Taking entries off the end leaves no gap, so the
/// service logs the newest hash at every start: `verify` is asked whether it is still there.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
    /// The change of consent that a flush has stored, as an entry.
    struct ConsentChange {
        journeys::Timestamp at{};
        std::string customer; ///< As `journeys::to_text` writes it.
        std::string channel, topic, state;
        std::string data; ///< Packed: `source` and `text_version`.
    };
    using MakeEntry = std::function<AuditEntry(const ConsentChange&)>;
    /// Enters the oldest `limit` changes that flushes have left, and takes them out, in one
    /// transaction: how many.
    journeys::Result<int> take_consent_changes(int limit, const MakeEntry& make_entry);
    /// The newest `limit`, oldest first; with `subject` only those of it.
    journeys::Result<std::vector<AuditEntry>> newest(int limit, const std::string& subject = {});

    struct Verdict {
        std::uint64_t entries = 0;
        std::string head;                         ///< The newest hash; empty where there is none.
        std::optional<std::uint64_t> broken_at{}; ///< The first entry that does not fit.
        /// The entry of the hash that was asked for; nothing where it is not there any more.
        std::optional<std::uint64_t> found_at{};
    };
    /// `head`: a hash that was the newest once, in hexadecimal; its beginning will do.
    journeys::Result<Verdict> verify(const std::string& head = {});

    /// Whether the text may be the beginning of a hash, and is long enough to tell it from others.
    static bool is_head(std::string_view text);
    /// One line on a verdict; whether it is a good one beside it.
    static std::pair<std::string, bool> told(const Verdict& verdict, const std::string& head);

private:
    class Session;
    class Chain;
    std::unique_ptr<Session> session_;
};

/// 32 bytes.
std::string audit_hash(const std::string& previous, const AuditEntry& entry);

} // namespace runtime
