/// What the process that worked before has under way is ended on the server: it may be stuck, and
/// hold locks for as long as it is.
#pragma once

#include "runtime/postgres/connection.hpp"

#include <string_view>

namespace runtime {

/// Ends the connections that `owner`, an instance, has now, and waits until they are gone. Where it
/// lives it opens others, which are fenced once its partitions are taken over.
journeys::Result<void> end_instance(Connection& connection, std::string_view owner);

/// The same of whoever owned a partition last, but for `instance`: to be called by the one process
/// that works, before it asks for a row that a flush may have locked.
journeys::Result<void> end_former_owners(Connection& connection, std::string_view instance);

} // namespace runtime
