/// Deliberate bugs of the simulated world, to show that the checks see each of them.
///
/// The pure rules and the actors are left as they are: what a bug in them would do is done around
/// them, in the table of rules that actors call and in the store and the log in memory. So the
/// simulation has its mutants in every build. Those of the adapters of PostgreSQL are switches of
/// the builds with failpoints, and are met by the harness that runs the real binary.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace simulation {

enum class Mutant {
    none,
    ack_before_commit,           ///< The producer hears of an append before it is committed.
    outbox_outside_transaction,  ///< Intents are written after the snapshots' commit, not with it.
    flush_without_epoch,         ///< A flush does not look who owns the partition.
    append_without_epoch,        ///< Nor does an append.
    snapshot_guarded_by_applied, ///< A snapshot replaces one of an older position, not revision.
    no_dedup,                    ///< Every message counts as new.
    position_too_early,          ///< The position covers what no snapshot holds yet.
    recall_ignored,              ///< A request is written although its run has ended.
    late_order_stays,            ///< A late order meets no exit.
    import_without_exit_check,   ///< Runs that a link brings are not tested against newer events.
    walk_outside_transaction,    ///< How far a walk has come is written after its copies, not with.
};

inline constexpr std::array mutant_names{
    std::pair{std::string_view{"ack-before-commit"}, Mutant::ack_before_commit},
    std::pair{std::string_view{"outbox-outside-transaction"}, Mutant::outbox_outside_transaction},
    std::pair{std::string_view{"flush-without-epoch"}, Mutant::flush_without_epoch},
    std::pair{std::string_view{"append-without-epoch"}, Mutant::append_without_epoch},
    std::pair{std::string_view{"snapshot-guarded-by-applied"}, Mutant::snapshot_guarded_by_applied},
    std::pair{std::string_view{"no-dedup"}, Mutant::no_dedup},
    std::pair{std::string_view{"position-too-early"}, Mutant::position_too_early},
    std::pair{std::string_view{"recall-ignored"}, Mutant::recall_ignored},
    std::pair{std::string_view{"late-order-stays"}, Mutant::late_order_stays},
    std::pair{std::string_view{"import-without-exit-check"}, Mutant::import_without_exit_check},
    std::pair{std::string_view{"walk-outside-transaction"}, Mutant::walk_outside_transaction},
};

constexpr std::optional<Mutant> mutant_called(std::string_view name) {
    for (const auto& [known, mutant] : mutant_names)
        if (known == name) return mutant;
    return std::nullopt;
}

} // namespace simulation
