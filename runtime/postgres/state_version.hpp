/// Which release's states a database holds, and the way back to the release before.
#pragma once

#include "runtime/postgres/connection.hpp"

#include <cstdint>

namespace runtime {

/// Before this process writes a customer's state: notes the version that it writes.
/// `invalid_state` where a newer release has written here, whose states it could not read.
journeys::Result<void> claim_state_version(Connection& connection);

struct Rewritten {
    std::uint64_t states = 0;     ///< Which the release before can read now, and could not.
    std::uint64_t rewarded = 0;   ///< Customers of whom a reward will not be taken back now.
    std::uint64_t unreadable = 0; ///< Of which we cannot make anything ourselves: left as they are.
};
/// Rewrites every customer's state as the release before this one reads it, a thousand a
/// transaction; called again it goes on where it was cut off. Nobody else may work on the database:
/// the caller holds its `Primacy`, and whoever owned a partition is shut out by its epoch.
/// `invalid_state` where a state is on its way from one customer to another: then the service is to
/// be started and stopped in order first.
journeys::Result<Rewritten> write_states_for_release_before(Connection& connection);

} // namespace runtime
