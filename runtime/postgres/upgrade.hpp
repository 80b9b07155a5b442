/// A new release on a database that one of an older release may be working on.
#pragma once

#include "runtime/postgres/migrate.hpp"
#include "runtime/postgres/primacy.hpp"

#include <functional>
#include <vector>

namespace runtime {

/// Brings the database to the schema of this program, without changing a table under the hands of
/// who works on it: what is additive is applied at once; the first migration that is not, and all
/// behind it, only once `primacy` is ours and whoever owned a partition before is shut out by its
/// epoch. `waits` is called once, where another works; `gives_up` is asked again and again.
/// False: it gave up. Where nothing is left to wait for, `primacy` stays as it was.
journeys::Result<bool> bring_to_schema(const ConnectionSettings& settings, Primacy& primacy,
                                       const std::function<void()>& waits,
                                       const std::function<bool()>& gives_up,
                                       const std::vector<Migration>& known = migrations());

} // namespace runtime
