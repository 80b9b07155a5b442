/// Arms failpoints and mutants, in builds that have them.
///
/// `SOJOURN_FAILPOINT=NAME:ACTION[@N]`, several separated by commas. ACTION is `kill` (SIGKILL),
/// `error` (the operation fails), `delay:MS` or `hang`, which says so on stderr; with `@N` only the
/// N-th passage acts, else every one. `OTHER@N>` before all that: what OTHER, another name, has not
/// yet let pass N times is not counted, e.g. `walk.before@3>flush_commit.after:kill`.
/// `SOJOURN_MUTANT` is one of `journeys::mutant_names`.
#pragma once

#include "journeys/result.hpp"

#include <chrono>
#include <string_view>

namespace runtime {

/// By the environment. `invalid_argument` where what it says is no failpoint and no mutant, or
/// where it says anything at all and this build has none. Before any thread is started.
journeys::Result<void> arm_faults_by_environment();

/// By so much the wall clock counts as wrong: `SOJOURN_CLOCK_OFFSET`, in seconds. 0 in builds
/// without failpoints.
std::chrono::milliseconds clock_offset();

#ifdef SOJOURN_FAILPOINTS
/// The same by a text; empty disarms. While no other thread runs.
journeys::Result<void> arm_failpoints(std::string_view text);
#endif

} // namespace runtime
