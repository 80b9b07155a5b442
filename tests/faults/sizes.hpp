/// How large the faults are: small for every build, or as large as the promise that was made.
#pragma once

#include <array>
#include <chrono>

namespace faults {

/// Of one fault: how often it happens, how long it lasts, or how many it concerns.
struct Size {
    enum class Unit { cycles, seconds, customers, connections } unit;
    const char* what;
    int few, full;
};

namespace sizes {

using Unit = Size::Unit;
inline constexpr Size random_kills{Unit::cycles, "kill -9 at random instants", 20, 1'000};
inline constexpr Size kills_in_recovery{Unit::cycles, "kill -9 during recovery", 5, 50};
inline constexpr Size kills_unresent{Unit::cycles, "kill -9 while producers give up", 4, 50};
inline constexpr Size orderly_ends{Unit::cycles, "SIGTERM under load", 4, 50};
inline constexpr Size said_stops{Unit::cycles, "a person says STOP", 12, 120};
inline constexpr Size stands_still{Unit::seconds, "SIGSTOP, behind the take-over", 3, 30};
inline constexpr Size storage_kills{Unit::cycles, "PostgreSQL is killed every 5 s", 3, 50};
inline constexpr Size storage_cuts{Unit::cycles, "the way to PostgreSQL is cut", 10, 500};
inline constexpr Size storage_slow{Unit::seconds, "PostgreSQL is slow", 6, 60};
inline constexpr Size storage_half_open{Unit::seconds, "PostgreSQL is half open", 12, 60};
inline constexpr Size storage_full_up{Unit::seconds, "no connection left", 4, 60};
inline constexpr Size storage_read_only{Unit::seconds, "PostgreSQL is read-only", 8, 60};
inline constexpr Size disk_full{Unit::seconds, "the disk is full", 10, 60};
inline constexpr Size idle_transaction{Unit::seconds, "a transaction idles", 6, 600};
inline constexpr Size held_snapshot{Unit::seconds, "a snapshot is held", 6, 600};
inline constexpr Size repeats{Unit::seconds, "producers repeat and reorder", 8, 60};
inline constexpr Size hot_customer{Unit::seconds, "half of the traffic is one's", 6, 60};
inline constexpr Size overload{Unit::seconds, "three times what it can do", 8, 60};
inline constexpr Size idle_connections{Unit::connections, "idle connections", 1'000, 10'000};
inline constexpr Size overdue_timers{Unit::customers, "timers overdue at a start", 4'000,
                                     1'000'000};
inline constexpr Size active_at_kill{Unit::customers, "active customers at a kill -9", 2'000,
                                     100'000};
inline constexpr Size stored_at_start{Unit::customers, "customers stored at a start", 2'000,
                                      1'000'000};

inline constexpr std::array all{
    random_kills,    kills_in_recovery, kills_unresent, orderly_ends,     said_stops,
    stands_still,    storage_kills,     storage_cuts,   storage_slow,     storage_half_open,
    storage_full_up, storage_read_only, disk_full,      idle_transaction, held_snapshot,
    repeats,         hot_customer,      overload,       idle_connections, overdue_timers,
    active_at_kill,  stored_at_start};

} // namespace sizes

/// As `--cycles` or, of seconds, `--minutes` says; else as large as `--full` asks, or small.
int count_of(const Size& size);
std::chrono::milliseconds span_of(const Size& size); ///< Of seconds.
/// Whether it is at least as large as the promise: then its figures must hold, too.
bool is_full(const Size& size);
/// A line for each, with both sizes.
void print_sizes();

} // namespace faults
