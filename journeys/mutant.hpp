/// Deliberate bugs that a build with failpoints can switch on, one at a time, to show that a test
/// would see each of them. In other builds every question is a constant no, and no code is left of
/// it.
///
/// The switch is the only variable outside of arguments that the rules ever read; nothing but tests
/// turns it.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

#ifdef SOJOURN_FAILPOINTS
#include <atomic>
#endif

namespace journeys {

enum class Mutant : unsigned char {
    none,
    ack_before_commit,           ///< The producer hears of an append before it is committed.
    outbox_outside_transaction,  ///< Intents are written after the snapshots' commit, not with it.
    flush_without_epoch,         ///< A flush does not look who owns the partition.
    append_without_epoch,        ///< Nor does an append.
    snapshot_guarded_by_applied, ///< A snapshot replaces one of an older position, not revision.
    no_dedup,                    ///< Every message counts as new.
    position_too_early,          ///< The position covers what no snapshot holds yet.
    recall_ignored,              ///< A request is written although its run has ended.
    late_order_stays,            ///< A late event meets no exit.
    walk_outside_transaction,    ///< How far a walk has come is written after its copies, not with.
    import_without_exit_check,   ///< Runs that a link brings are not tested against newer events.
};

/// What `SOJOURN_MUTANT` calls them.
constexpr std::array mutant_names{
    std::pair{std::string_view{"ack-before-commit"}, Mutant::ack_before_commit},
    std::pair{std::string_view{"outbox-outside-transaction"}, Mutant::outbox_outside_transaction},
    std::pair{std::string_view{"flush-without-epoch"}, Mutant::flush_without_epoch},
    std::pair{std::string_view{"append-without-epoch"}, Mutant::append_without_epoch},
    std::pair{std::string_view{"snapshot-guarded-by-applied"}, Mutant::snapshot_guarded_by_applied},
    std::pair{std::string_view{"no-dedup"}, Mutant::no_dedup},
    std::pair{std::string_view{"position-too-early"}, Mutant::position_too_early},
    std::pair{std::string_view{"recall-ignored"}, Mutant::recall_ignored},
    std::pair{std::string_view{"late-order-stays"}, Mutant::late_order_stays},
    std::pair{std::string_view{"walk-outside-transaction"}, Mutant::walk_outside_transaction},
    std::pair{std::string_view{"import-without-exit-check"}, Mutant::import_without_exit_check},
};

constexpr std::optional<Mutant> mutant_called(std::string_view name) {
    for (const auto& [known, mutant] : mutant_names)
        if (known == name) return mutant;
    return std::nullopt;
}

#ifdef SOJOURN_FAILPOINTS
namespace detail {
inline std::atomic<Mutant> mutant{Mutant::none};
}
/// From now on, in the whole process. Before threads that run the code are started, or between two
/// runs of a test.
inline void become(Mutant mutant) { detail::mutant.store(mutant, std::memory_order_relaxed); }
inline bool is_mutant(Mutant mutant) {
    return detail::mutant.load(std::memory_order_relaxed) == mutant;
}
#else
constexpr bool is_mutant(Mutant) { return false; }
#endif

} // namespace journeys
