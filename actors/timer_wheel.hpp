/// What is due next among many: hints of when to ask a customer, who alone knows what is due.
#pragma once

#include "journeys/time.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace actors {

/// A heap of (due, key). Entries are never taken out early: who re-arms adds another, and who pops
/// compares with the state. Equal instants come in the order in which they were added.
template <class Key> class TimerWheel {
public:
    struct Hint {
        journeys::Timestamp due;
        std::uint64_t added;
        Key key;
    };

    void add(journeys::Timestamp due, Key key) {
        heap_.push_back({due, added_++, key});
        std::push_heap(heap_.begin(), heap_.end(), later);
    }
    /// The earliest that is due at `closed`, or nothing.
    std::optional<Hint> pop(journeys::Timestamp closed) {
        if (heap_.empty() || heap_.front().due > closed) return std::nullopt;
        std::pop_heap(heap_.begin(), heap_.end(), later);
        const Hint hint = heap_.back();
        heap_.pop_back();
        if (heap_.size() * 4 < heap_.capacity() && heap_.capacity() > 1024) heap_.shrink_to_fit();
        return hint;
    }
    journeys::Timestamp next() const {
        return heap_.empty() ? journeys::no_time : heap_.front().due;
    }
    std::size_t size() const { return heap_.size(); }

private:
    static bool later(const Hint& a, const Hint& b) {
        return a.due != b.due ? a.due > b.due : a.added > b.added;
    }
    std::vector<Hint> heap_;
    std::uint64_t added_ = 0;
};

} // namespace actors
