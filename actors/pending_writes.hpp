/// Which customers have become something that is not written yet, in the order in which they are to
/// be.
#pragma once

#include "actors/messages.hpp"

#include <algorithm>
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
    bool by_time = false;                                        ///< A timer was over.
    journeys::Timestamp refused_until = journeys::timestamp_min; ///< In no queue before.

    bool is_refused() const { return refused_until != journeys::timestamp_min; }
    /// A later one. Takes from `commit` what it needs.
    void add(Commit& commit, std::uint64_t commit_revision);
};

/// Two queues: the urgent go as soon as may be, the calm once they have waited for long enough, and
/// of the calm those at once whose timer was over: whoever sleeps is not to be woken for it again.
/// Whom the storage has refused is in neither, until their time has come.
class PendingWrites {
public:
    /// At `now`, which never goes back.
    void add(Commit& commit, std::uint64_t revision, journeys::Timestamp now);

    bool has_urgent() const { return !urgent_.empty(); }
    /// The next one's, taken out; nothing where that is gone, or in the other queue by now.
    std::optional<PendingWrite> take_urgent();

    /// Who has been calm since `until` or longer is due from now on.
    void make_due(journeys::Timestamp until) { calm_until_ = std::max(calm_until_, until); }
    bool has_calm_due() const {
        return !by_time_.empty() || (!calm_.empty() && calm_.front().since <= calm_until_);
    }
    /// As `take_urgent`, of those who are due.
    std::optional<PendingWrite> take_calm();

    /// Before what came for the customer since, and before all others.
    void put_back(PendingWrite earlier);
    /// One who has been refused for long enough goes first of all. False where there is none.
    bool try_refused(journeys::Timestamp now);

    /// But for those that are refused.
    bool is_empty() const { return pending_.size() == refused_.size(); }
    void clear();

private:
    struct Calm {
        std::uint32_t index = 0;
        journeys::Timestamp since{};
    };

    std::optional<PendingWrite> take(std::uint32_t index, bool urgent);

    std::unordered_map<std::uint32_t, PendingWrite> pending_; ///< By slot index.
    std::deque<std::uint32_t> urgent_;                        ///< In order; may name what is gone.
    std::deque<Calm> calm_;                                   ///< As `urgent_`.
    std::deque<std::uint32_t> by_time_; ///< As `urgent_`; of the calm, and before `calm_`.
    std::deque<std::uint32_t> refused_; ///< Of `pending_`, in order of their time.
    journeys::Timestamp calm_until_ = journeys::timestamp_min;
};

} // namespace actors
