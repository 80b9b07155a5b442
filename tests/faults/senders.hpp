/// Who sends messages to the service, and what they know of them afterwards.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace faults {

class Senders {
public:
    /// Of messages, each as often as it was answered.
    struct Counts {
        std::uint64_t acked = 0;
        std::uint64_t repeated = 0; ///< Of these: under an id that had been acked before.
        std::uint64_t refused = 0;  ///< For good: what is wrong with them stays wrong.
        /// Whether all that was sent was answered. Where a connection was lost with messages on it,
        /// the service may have taken more than its producers know.
        bool are_whole = true;
    };
    virtual ~Senders() = default;
    virtual std::set<std::string> acked() const = 0; ///< Ids.
    virtual Counts counts() const = 0;
};

/// What a test sends by itself. For any thread.
class ByHand final : public Senders {
public:
    void note(std::string id) { ///< It was acked.
        const std::scoped_lock lock{mutex_};
        ++counts_.acked;
        if (!acked_.insert(std::move(id)).second) ++counts_.repeated;
    }
    std::set<std::string> acked() const override {
        const std::scoped_lock lock{mutex_};
        return acked_;
    }
    Counts counts() const override {
        const std::scoped_lock lock{mutex_};
        return counts_;
    }

private:
    mutable std::mutex mutex_;
    std::set<std::string> acked_;
    Counts counts_;
};

} // namespace faults
