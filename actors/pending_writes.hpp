/// Which customers have become something that is not written yet, in the order in which they are to
/// be.
#pragma once

#include "actors/messages.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>
#include <vector>

namespace actors {

/// One customer's commits since they were last written, as one.
struct PendingWrite {
    Slot slot;
    CustomerWrite write;
    std::vector<ParkedRecord> parked;
    std::optional<ReleasedCustomer> released;
    std::vector<AskStanding> prove;
    std::uint64_t revision = 0; ///< The newest that the partition was told, written or not.
    std::uint64_t through = 0;
    bool urgent = false;                                         ///< Wants something of the world.
    journeys::Timestamp refused_until = journeys::timestamp_min; ///< In no queue before.

    bool is_refused() const { return refused_until != journeys::timestamp_min; }
    /// A later one. Takes from `commit` what it needs.
    void add(Commit& commit, std::uint64_t commit_revision);
};

/// Two queues: the urgent go as soon as may be, the calm as far as a checkpoint has come to them.
/// Whom the storage has refused is in neither, until their time has come.
class PendingWrites {
public:
    void add(Commit& commit, std::uint64_t revision);

    bool has_urgent() const { return !urgent_.empty(); }
    /// The next one's, taken out; nothing where that is gone, or in the other queue by now.
    std::optional<PendingWrite> take_urgent() { return take(urgent_, true); }

    /// Who is calm now belongs to the checkpoint; who comes later, to the next.
    void begin_checkpoint() { checkpoint_left_ = calm_.size(); }
    bool is_checkpoint_left() const { return checkpoint_left_ > 0; }
    /// As `take_urgent`, of the checkpoint.
    std::optional<PendingWrite> take_calm();

    /// Before what came for the customer since, and before all others.
    void put_back(PendingWrite earlier);
    /// One who has been refused for long enough goes first of all. False where there is none.
    bool try_refused(journeys::Timestamp now);

    /// But for those that are refused.
    bool is_empty() const { return pending_.size() == refused_; }
    void clear();

private:
    std::optional<PendingWrite> take(std::deque<std::uint32_t>& queue, bool urgent);

    std::unordered_map<std::uint32_t, PendingWrite> pending_; ///< By slot index.
    std::deque<std::uint32_t> urgent_, calm_;                 ///< In order; may name what is gone.
    std::size_t checkpoint_left_ = 0; ///< Of `calm_`: how many belong to the checkpoint under way.
    std::size_t refused_ = 0;         ///< Of `pending_`.
};

} // namespace actors
