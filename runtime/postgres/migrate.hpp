/// Brings a database to the schema of this program.
#pragma once

#include "runtime/postgres/connection.hpp"

#include <vector>

namespace runtime {

/// One file of schema/migrations; embedded in the binary. One that begins with `-- Additive` leaves
/// all that the release before it uses as it was: that release starts on its database, too.
struct Migration {
    int number;
    const char* name;
    const char* sql;
};

/// In order, from 1.
const std::vector<Migration>& migrations();

/// Applies what is missing, each in a transaction, under an advisory lock so that two processes do
/// not meet; answers how many. `invalid_state` where an applied one has changed since, or the
/// database has one that this program does not know and that is not additive.
journeys::Result<int> migrate(Connection& connection,
                              const std::vector<Migration>& known = migrations());

/// The same, but ends before the first missing one that is not additive: what it applies, a process
/// of the release before can work with.
journeys::Result<int> migrate_additive(Connection& connection,
                                       const std::vector<Migration>& known = migrations());

/// Whether the database misses none. Changes nothing, and waits for nobody.
journeys::Result<bool> is_migrated(Connection& connection,
                                   const std::vector<Migration>& known = migrations());

/// Stores the count of partitions in a new database; `invalid_argument` where another one is
/// stored.
journeys::Result<void> fix_partition_count(Connection& connection, std::uint16_t partitions);

} // namespace runtime
