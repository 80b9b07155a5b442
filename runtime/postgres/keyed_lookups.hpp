/// How the connections of the log and the store look rows up.
#pragma once

namespace runtime {

/// Settings, as a script: by key, wherever there is one. Tables of a few rows count as short with
/// the planner, but every commit leaves dead rows in them until nobody can see these any more, and
/// what was planned when a table was empty is kept: reading them whole, hundreds of times a second,
/// was a quarter of all that PostgreSQL did. A plan that is always the same need not be made anew.
/// Rows joined with `unnest` are taken in its order. And what has no key costs so much by the
/// planner's count that it would be compiled first.
constexpr auto looks_up_by_key =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
    "SET plan_cache_mode = force_generic_plan; SET jit = off";

} // namespace runtime
