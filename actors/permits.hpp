/// A channel's free places, lent to customers: who takes one may hand a message over in the very
/// transition that comes to its step, so that one flush writes the intent and its grant.
#pragma once

#include "actors/ports.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace actors {

/// Filled by the channel while nothing waits before it and nothing holds it back. Taken from any
/// thread; what is taken comes back unused, or arrives at the channel with the grant.
class Permits {
public:
    explicit Permits(Partition partitions) : of_(std::make_unique<OfPartition[]>(partitions)) {}

    bool take(Partition partition) {
        auto& of = of_[partition];
        if (of.is_gone || !take_one(free_)) return false;
        of.taken.fetch_add(1);
        if (!of.is_gone) return true;
        give_back(partition);
        return false;
    }
    void give_back(Partition partition) {
        if (take_one(of_[partition].taken)) free_.fetch_add(1);
    }

    // The channel's part.
    void lend(std::size_t count) { free_.fetch_add(count); }
    std::size_t call_in() { return free_.exchange(0); } ///< How many there were.
    /// False where it was forgotten before.
    bool arrived(Partition partition) { return take_one(of_[partition].taken); }
    /// The partition is lost, and with it what it has taken: how many.
    std::size_t forget(Partition partition) {
        of_[partition].is_gone = true;
        return of_[partition].taken.exchange(0);
    }

private:
    using Count = std::atomic<std::size_t>;
    static bool take_one(Count& count) {
        auto value = count.load();
        while (value > 0)
            if (count.compare_exchange_weak(value, value - 1)) return true;
        return false;
    }
    struct OfPartition {
        Count taken{0};
        std::atomic<bool> is_gone{false};
    };
    Count free_{0};
    std::unique_ptr<OfPartition[]> of_;
};

/// One that was taken: given back unless it is `kept`.
class Permit {
public:
    Permit(Permits& from, Partition partition) : from_(&from), partition_(partition) {}
    Permit(Permit&& other) noexcept
        : from_(std::exchange(other.from_, nullptr)), partition_(other.partition_) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
        if (from_) from_->give_back(partition_);
    }
    void keep() { from_ = nullptr; }

private:
    Permits* from_;
    Partition partition_;
};

} // namespace actors
