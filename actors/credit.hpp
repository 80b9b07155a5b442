/// How much of the log is on its way to customers: what the listener looks at before it reads its
/// sockets.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace actors {

/// CAF's mailboxes are unbounded, so these counts are the bound. Written by partitions, read from
/// any thread. Whoever feeds the log (listener, replay of a tail) waits while `is_full`.
class Credit {
public:
    struct Limits {
        std::uint64_t total = 200'000;     ///< Records in flight in this process.
        std::uint64_t partition = 100'000; ///< … of one partition.
        std::uint64_t customer = 20'000;   ///< … of one customer.
    };

    Credit(std::uint16_t partitions, Limits limits)
        : limits_(limits), partitions_(partitions),
          of_(std::make_unique<std::atomic<std::uint64_t>[]>(partitions)) {}

    void take(std::uint16_t partition, std::uint64_t records) {
        of_[partition].fetch_add(records, std::memory_order_relaxed);
        total_.fetch_add(records, std::memory_order_relaxed);
    }
    void give_back(std::uint16_t partition, std::uint64_t records) {
        of_[partition].fetch_sub(records, std::memory_order_relaxed);
        total_.fetch_sub(records, std::memory_order_relaxed);
    }
    void customer_reached_limit() { hot_.fetch_add(1, std::memory_order_relaxed); }
    void customer_left_limit() { hot_.fetch_sub(1, std::memory_order_relaxed); }

    std::uint64_t in_flight() const { return total_.load(std::memory_order_relaxed); }
    std::uint64_t in_flight(std::uint16_t partition) const {
        return of_[partition].load(std::memory_order_relaxed);
    }
    const Limits& limits() const { return limits_; }
    bool is_full() const {
        if (in_flight() >= limits_.total || hot_.load(std::memory_order_relaxed) > 0) return true;
        for (std::uint16_t i = 0; i < partitions_; ++i)
            if (in_flight(i) >= limits_.partition) return true;
        return false;
    }

private:
    Limits limits_;
    std::uint16_t partitions_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> of_;
    std::atomic<std::uint64_t> total_{0};
    std::atomic<std::uint32_t> hot_{0}; ///< Customers at their own limit.
};

} // namespace actors
