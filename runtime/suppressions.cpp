#include "runtime/suppressions.hpp"

#include "journeys/lower_case.hpp"
#include "runtime/database_session.hpp"
#include "runtime/signature.hpp"

#include <nlohmann/json.hpp>
#include <openssl/rand.h>

#include <mutex>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

namespace {

constexpr std::size_t key_bytes = 32, hash_bytes = 16;

pqxx::binarystring binary(const std::string& text) {
    return pqxx::binarystring{text.data(), text.size()};
}
std::string text_of(const pqxx::field& field) { return pqxx::binarystring{field}.str(); }

} // namespace

class Suppressions::Session : public DatabaseSession {
    using DatabaseSession::DatabaseSession;
};

Suppressions::Suppressions(std::string conninfo, std::string key)
    : key_(std::move(key)), session_(std::make_unique<Session>(std::move(conninfo))) {}
Suppressions::~Suppressions() = default;

Result<std::unique_ptr<Suppressions>> Suppressions::open(std::string conninfo, std::string key) {
    std::unique_ptr<Suppressions> made{new Suppressions{std::move(conninfo), std::move(key)}};
    if (auto read = made->read(); !read) return read.error();
    return made;
}

Result<void> Suppressions::read() {
    std::unordered_set<std::string> found;
    auto done = session_->run([&](pqxx::work& work) {
        found.clear(); // A broken connection begins again.
        for (const auto& row : work.exec("SELECT hash FROM suppressions"))
            found.insert(text_of(row[0]));
    });
    if (!done) return done;
    const std::unique_lock lock{mutex_};
    hashes_ = std::move(found);
    return {};
}

std::string Suppressions::hash(std::string_view kind, std::string_view address) const {
    return hmac_sha256(key_, std::string{kind} + '\n' + journeys::to_lower(address))
        .substr(0, hash_bytes);
}

std::string Suppressions::subject(std::string_view customer) const {
    return "customer:" +
           hex_text(hmac_sha256(key_, "subject\n" + std::string{customer}).substr(0, hash_bytes));
}

bool Suppressions::contains(std::string_view kind, std::string_view address) const {
    const std::shared_lock lock{mutex_};
    return !hashes_.empty() && hashes_.contains(hash(kind, address));
}

Result<std::vector<Suppressions::Kept>>
Suppressions::find(const std::set<std::pair<std::string, std::string>>& kinds_and_addresses) const {
    return session_->run([&](pqxx::work& work) {
        std::vector<Kept> all;
        for (const auto& [kind, address] : kinds_and_addresses)
            for (const auto& row : work.exec_params(
                     "SELECT reason, source, (extract(epoch FROM at) * 1000)::bigint FROM "
                     "suppressions WHERE hash = $1",
                     binary(hash(kind, address))))
                all.push_back({kind, address, row[0].as<std::string>(), row[1].as<std::string>(),
                               journeys::from_millis(row[2].as<std::int64_t>())});
        return all;
    });
}

std::size_t Suppressions::size() const {
    const std::shared_lock lock{mutex_};
    return hashes_.size();
}

Result<void> Suppressions::add(const std::vector<SuppressedAddress>& addresses,
                               journeys::Timestamp at) {
    if (addresses.empty()) return {};
    std::vector<std::string> hashes;
    auto rows = nlohmann::json::array();
    for (const auto& each : addresses) {
        hashes.push_back(hash(each.kind, each.address));
        rows.push_back({{"hash", hex_text(hashes.back())},
                        {"kind", each.kind},
                        {"reason", each.reason},
                        {"source", each.source}});
    }
    // In one statement, for an import brings a million of them. Of two words on one address the
    // harder counts.
    auto written = session_->run([&](pqxx::work& work) {
        work.exec_params(
            "INSERT INTO suppressions (hash, kind, reason, source, at) SELECT DISTINCT ON (hash) "
            "decode(hash, 'hex'), kind, reason, source, to_timestamp($2::float8 / 1000) FROM "
            "json_to_recordset($1::json) AS r(hash text, kind text, reason text, source text) "
            "ORDER BY hash, reason = 'stop' ON CONFLICT (hash) DO UPDATE SET "
            "reason = excluded.reason WHERE suppressions.reason = 'stop'",
            rows.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
            journeys::to_millis(at));
    });
    if (!written) return written;
    const std::unique_lock lock{mutex_};
    hashes_.insert(hashes.begin(), hashes.end());
    return {};
}

Result<void> Suppressions::lift_stop(std::string_view kind, std::string_view address) {
    const auto which = hash(kind, address);
    const auto gone = session_->run([&](pqxx::work& work) {
        return work
            .exec_params("DELETE FROM suppressions WHERE hash = $1 AND reason = 'stop'",
                         binary(which))
            .affected_rows();
    });
    if (!gone) return gone.error();
    if (*gone > 0) {
        const std::unique_lock lock{mutex_};
        hashes_.erase(which);
    }
    return {};
}

Result<std::string> service_key(const std::string& conninfo, const std::string& name) {
    std::string fresh(key_bytes, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(fresh.data()), key_bytes) != 1)
        return Error{ErrorCode::unavailable, "there is no randomness for a key"};
    DatabaseSession session{conninfo};
    return session.run([&](pqxx::work& work) {
        work.exec_params("INSERT INTO service_keys (name, value) VALUES ($1, $2) "
                         "ON CONFLICT DO NOTHING",
                         name, binary(fresh));
        const auto row = work.exec_params1("SELECT value FROM service_keys WHERE name = $1", name);
        return text_of(row[0]);
    });
}

} // namespace runtime
