#include "journeys/cel/arena.hpp"

#include <algorithm>
#include <new>

namespace journeys::cel {

void Arena::reset() noexcept {
    current_ = 0;
    used_ = 0;
    limit_ = std::numeric_limits<std::size_t>::max();
    at_ = blocks_.empty() ? nullptr : blocks_.front().bytes.get();
    end_ = blocks_.empty() ? nullptr : at_ + blocks_.front().size;
}

bool Arena::grow(std::size_t bytes) noexcept {
    // Blocks kept from before come first; one that is too small for this request is passed over.
    while (at_ != nullptr && current_ + 1 < blocks_.size()) {
        const auto& block = blocks_[++current_];
        at_ = block.bytes.get();
        end_ = at_ + block.size;
        if (block.size >= bytes) return true;
    }
    const auto size = std::max(bytes, next_bytes_);
    std::unique_ptr<char[]> made{new (std::nothrow) char[size]};
    if (!made) return false;
    try {
        blocks_.push_back({std::move(made), size});
    } catch (const std::bad_alloc&) {
        return false;
    }
    current_ = blocks_.size() - 1;
    at_ = blocks_.back().bytes.get();
    end_ = at_ + size;
    next_bytes_ = std::min<std::size_t>(next_bytes_ * 2, std::size_t{1} << 20);
    return true;
}

} // namespace journeys::cel
