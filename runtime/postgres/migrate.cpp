#include "runtime/postgres/migrate.hpp"

#include "journeys/ids.hpp"

#include <algorithm>
#include <string_view>

namespace runtime {
namespace {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

bool is_additive(const Migration& migration) {
    return std::string_view{migration.sql}.starts_with("-- Additive");
}

std::string checksum(const Migration& migration) {
    return journeys::to_hex(0, journeys::hash(std::string_view{migration.sql})).substr(16);
}

Result<void> apply(Connection& connection, const Migration& migration) {
    auto transaction = Transaction::begin(connection);
    if (!transaction) return transaction.error();
    if (auto applied = connection.run_script(migration.sql); !applied)
        return Error{applied.error().code,
                     std::string{"migration "} + migration.name + ": " + applied.error().detail};
    SqlParams params;
    params.add(std::int32_t{migration.number})
        .add_text(migration.name)
        .add_text(checksum(migration))
        .add(is_additive(migration));
    if (auto noted = connection.run("INSERT INTO migrations (number, name, checksum, additive) "
                                    "VALUES ($1, $2, $3, $4)",
                                    params);
        !noted)
        return noted.error();
    return transaction->commit();
}

/// How many of ours the database has; an error where it has others that we cannot live with.
Result<std::size_t> applied_count(Connection& connection, const std::vector<Migration>& all) {
    auto rows =
        connection.run("SELECT number, name, checksum, additive FROM migrations ORDER BY number");
    if (!rows) return rows.error();
    for (int row = static_cast<int>(all.size()); row < static_cast<int>(rows->size()); ++row)
        if (!rows->boolean(row, 3))
            return Error{ErrorCode::invalid_state,
                         "the database was made by a newer version: it has migration " +
                             std::string{rows->bytes(row, 1)}};
    const auto count = std::min(static_cast<std::size_t>(rows->size()), all.size());
    for (std::size_t i = 0; i < count; ++i) {
        const auto row = static_cast<int>(i);
        if (rows->int4(row, 0) != all[i].number || rows->bytes(row, 2) != checksum(all[i]))
            return Error{ErrorCode::invalid_state,
                         "migration " + std::string{rows->bytes(row, 1)} +
                             " of the database is not the one of this version"};
    }
    return count;
}

enum class Which { all, additive };

Result<int> migrate_locked(Connection& connection, const std::vector<Migration>& all, Which which) {
    auto made = connection.run_script(
        "CREATE TABLE IF NOT EXISTS migrations (number integer PRIMARY KEY, name text NOT NULL, "
        "checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()); "
        "ALTER TABLE migrations ADD COLUMN IF NOT EXISTS additive boolean NOT NULL DEFAULT false");
    if (!made) return made.error();
    const auto done = applied_count(connection, all);
    if (!done) return done.error();
    int applied_now = 0;
    for (std::size_t i = *done; i < all.size(); ++i, ++applied_now) {
        if (which == Which::additive && !is_additive(all[i])) break;
        if (auto applied = apply(connection, all[i]); !applied) return applied.error();
    }
    return applied_now;
}

Result<int> migrate(Connection& connection, const std::vector<Migration>& known, Which which) {
    const char* lock = "SELECT pg_advisory_lock(hashtext('sojourn migrations'))";
    if (auto locked = connection.run(lock); !locked) return locked.error();
    auto count = migrate_locked(connection, known, which);
    if (!connection.is_lost())
        (void)connection.run("SELECT pg_advisory_unlock(hashtext('sojourn migrations'))");
    return count;
}

} // namespace

Result<int> migrate(Connection& connection, const std::vector<Migration>& known) {
    return migrate(connection, known, Which::all);
}

Result<int> migrate_additive(Connection& connection, const std::vector<Migration>& known) {
    return migrate(connection, known, Which::additive);
}

Result<bool> is_migrated(Connection& connection, const std::vector<Migration>& known) {
    const auto done = applied_count(connection, known);
    if (!done) return done.error();
    return *done == known.size();
}

Result<void> fix_partition_count(Connection& connection, std::uint16_t partitions) {
    SqlParams params;
    params.add(std::int32_t{partitions});
    auto stored = connection.run("INSERT INTO deployment (partitions) VALUES ($1) ON CONFLICT "
                                 "(only_row) DO UPDATE SET partitions = deployment.partitions "
                                 "RETURNING partitions",
                                 params);
    if (!stored) return stored.error();
    if (stored->int4(0, 0) != partitions)
        return Error{ErrorCode::invalid_argument,
                     "the database was made with " + std::to_string(stored->int4(0, 0)) +
                         " partitions and cannot be used with " + std::to_string(partitions)};
    return {};
}

} // namespace runtime
