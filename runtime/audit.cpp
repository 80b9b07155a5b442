#include "runtime/audit.hpp"

#include "journeys/local_time.hpp"
#include "runtime/database_session.hpp"
#include "runtime/signature.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <tuple>

namespace runtime {

using journeys::Result;

namespace {

constexpr std::size_t hash_bytes = SHA256_DIGEST_LENGTH;
/// As `sojourn audit` shows of an entry.
constexpr std::size_t head_digits_min = 16;
constexpr auto columns = "id, (extract(epoch FROM at) * 1000)::bigint, actor, action, subject, "
                         "detail, hash";

std::string text_of(const pqxx::field& field) { return pqxx::binarystring{field}.str(); }

/// With the hash as bytes.
AuditEntry entry_of(const pqxx::row& row) {
    AuditEntry entry;
    entry.id = row[0].as<std::uint64_t>();
    entry.at = journeys::from_millis(row[1].as<std::int64_t>());
    entry.actor = row[2].as<std::string>();
    entry.action = row[3].as<std::string>();
    entry.subject = row[4].as<std::string>();
    entry.detail = row[5].as<std::string>();
    entry.hash = text_of(row[6]);
    return entry;
}

} // namespace

std::string audit_hash(const std::string& previous, const AuditEntry& entry) {
    std::string text = previous;
    const auto field = [&](const std::string& value) {
        text += std::to_string(value.size()) + ':' + value;
    };
    field(std::to_string(entry.id));
    field(std::to_string(journeys::to_millis(entry.at)));
    field(entry.actor);
    field(entry.action);
    field(entry.subject);
    field(entry.detail);
    std::string digest(hash_bytes, '\0');
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           reinterpret_cast<unsigned char*>(digest.data()));
    return digest;
}

class Audit::Session : public DatabaseSession {
    using DatabaseSession::DatabaseSession;
};

/// The end of the chain, to be lengthened in a transaction. One writer at a time; readers go on.
class Audit::Chain {
public:
    explicit Chain(pqxx::work& work) : work_(work) {
        work.exec("LOCK TABLE audit IN EXCLUSIVE MODE");
        const auto last = work.exec("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1");
        if (last.empty()) return;
        id_ = last[0][0].as<std::uint64_t>();
        previous_ = text_of(last[0][1]);
    }

    /// By COPY: an import brings a hundred thousand changes of consent within seconds.
    void add(const std::vector<AuditEntry>& entries) {
        pqxx::stream_to rows{
            work_, "audit",
            std::vector<std::string>{"id", "at", "actor", "action", "subject", "detail", "hash"}};
        for (auto entry : entries) {
            entry.id = ++id_;
            previous_ = audit_hash(previous_, entry);
            rows << std::make_tuple(entry.id, journeys::to_text(entry.at), entry.actor,
                                    entry.action, entry.subject, entry.detail,
                                    "\\x" + hex_text(previous_));
        }
        rows.complete();
    }

private:
    pqxx::work& work_;
    std::uint64_t id_ = 0;
    std::string previous_ = std::string(hash_bytes, '\0');
};

Audit::Audit(std::string conninfo) : session_(std::make_unique<Session>(std::move(conninfo))) {}
Audit::~Audit() = default;

Result<void> Audit::add(const std::vector<AuditEntry>& entries) {
    if (entries.empty()) return {};
    return session_->run([&](pqxx::work& work) { Chain{work}.add(entries); });
}

Result<int> Audit::take_consent_changes(int limit, const MakeEntry& make_entry) {
    return session_->run([&](pqxx::work& work) {
        Chain chain{work};
        const auto rows = work.exec_params(
            "WITH taken AS (DELETE FROM consent_changes WHERE id IN (SELECT id FROM "
            "consent_changes ORDER BY id LIMIT $1) RETURNING *) SELECT (extract(epoch FROM at) * "
            "1000)::bigint, customer, channel, topic, state, data FROM taken ORDER BY id",
            limit);
        std::vector<AuditEntry> entries;
        for (const auto& row : rows)
            entries.push_back(
                make_entry({journeys::from_millis(row[0].as<std::int64_t>()), text_of(row[1]),
                            row[2].as<std::string>(), row[3].as<std::string>(),
                            row[4].as<std::string>(), text_of(row[5])}));
        if (!entries.empty()) chain.add(entries);
        return static_cast<int>(entries.size());
    });
}

Result<std::vector<AuditEntry>> Audit::newest(int limit, const std::string& subject) {
    return session_->run([&](pqxx::work& work) {
        std::vector<AuditEntry> entries;
        const auto rows = work.exec_params(
            std::string{"SELECT "} + columns +
                " FROM audit WHERE $2 = '' OR subject = $2 ORDER BY id DESC LIMIT $1",
            limit, subject);
        for (const auto& row : rows) {
            entries.push_back(entry_of(row));
            entries.back().hash = hex_text(entries.back().hash);
        }
        std::ranges::reverse(entries);
        return entries;
    });
}

bool Audit::is_head(std::string_view text) {
    return text.size() >= head_digits_min && text.size() <= 2 * hash_bytes &&
           text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::pair<std::string, bool> Audit::told(const Verdict& verdict, const std::string& head) {
    if (verdict.broken_at)
        return {"the chain is broken at entry " + std::to_string(*verdict.broken_at), false};
    auto text = std::to_string(verdict.entries) + " entries, unbroken; head " + verdict.head;
    if (head.empty()) return {std::move(text), true};
    if (!verdict.found_at)
        return {"no entry has the hash " + head +
                    ": entries were taken off the end, or all of it was written anew",
                false};
    return {text + "; " + head + " is entry " + std::to_string(*verdict.found_at), true};
}

Result<Audit::Verdict> Audit::verify(const std::string& head) {
    return session_->run([&](pqxx::work& work) {
        Verdict verdict;
        std::string previous(hash_bytes, '\0');
        constexpr int page = 10'000;
        for (std::uint64_t after = 0;;) {
            const auto rows = work.exec_params(std::string{"SELECT "} + columns +
                                                   " FROM audit WHERE id > $1 ORDER BY id LIMIT $2",
                                               after, page);
            for (const auto& row : rows) {
                const auto entry = entry_of(row);
                const bool fits =
                    entry.id == verdict.entries + 1 && entry.hash == audit_hash(previous, entry);
                if (!fits && !verdict.broken_at) verdict.broken_at = entry.id;
                if (!head.empty() && hex_text(entry.hash).starts_with(head))
                    verdict.found_at = entry.id;
                ++verdict.entries;
                previous = entry.hash;
                after = entry.id;
            }
            if (rows.size() < page) break;
        }
        if (verdict.entries > 0) verdict.head = hex_text(previous);
        return verdict;
    });
}

} // namespace runtime
