/// How the connections that write all the time look rows up.
#pragma once

namespace runtime {

/// Settings, as a script: rows are only ever looked up by key. Tables of a few rows count as short
/// with the planner, but every commit leaves dead rows in them until nobody can see these any more,
/// and what was planned when a table was empty is kept: reading them whole, hundreds of times a
/// second, was a quarter of all that PostgreSQL did. And a plan that is always the same need not be
/// made anew. Rows are taken in the order in which they are named, so statements that name them in
/// the order of the key cannot wait for each other.
constexpr auto looks_up_by_key =
    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; "
    "SET plan_cache_mode = force_generic_plan";

} // namespace runtime
