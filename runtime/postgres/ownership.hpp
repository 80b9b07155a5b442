/// Which partitions this process owns, under which epoch. The store's take-over fills it; appends
/// and flushes go by it. For any thread.
#pragma once

#include "actors/ports.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace runtime {

struct OwnedPartition {
    std::uint64_t epoch = 0;
    std::uint64_t last_offset = 0; ///< Of the log, at take-over.
    std::uint64_t watermark = 0;
    journeys::Timestamp
        accepted_at{}; ///< Of the last record or flush at take-over: the log's clock goes on.
    bool lost = false; ///< Another process has taken it over.
};

class Ownership {
public:
    void take(actors::Partition partition, OwnedPartition owned) {
        const std::lock_guard lock{mutex_};
        partitions_[partition] = owned;
    }
    void lose(actors::Partition partition, std::uint64_t epoch) {
        const std::lock_guard lock{mutex_};
        const auto found = partitions_.find(partition);
        if (found != partitions_.end() && found->second.epoch == epoch) found->second.lost = true;
    }
    /// Whether another process has taken any of them over: then this one is to end.
    bool has_lost() const {
        const std::lock_guard lock{mutex_};
        return std::ranges::any_of(partitions_, [](const auto& one) { return one.second.lost; });
    }
    void advance_watermark(actors::Partition partition, std::uint64_t watermark) {
        const std::lock_guard lock{mutex_};
        const auto found = partitions_.find(partition);
        if (found == partitions_.end()) return;
        found->second.watermark = std::max(found->second.watermark, watermark);
    }
    std::map<actors::Partition, OwnedPartition> all() const {
        const std::lock_guard lock{mutex_};
        return partitions_;
    }
    std::optional<OwnedPartition> find(actors::Partition partition) const {
        const std::lock_guard lock{mutex_};
        const auto found = partitions_.find(partition);
        if (found == partitions_.end()) return std::nullopt;
        return found->second;
    }

private:
    mutable std::mutex mutex_;
    std::map<actors::Partition, OwnedPartition> partitions_;
};

} // namespace runtime
