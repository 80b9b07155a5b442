/// The memory of one evaluation: grows by pointer, is emptied as a whole, and is bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

namespace journeys::cel {

/// A monotonic allocator. After `reset` its blocks are kept, so that a warm arena asks for no
/// memory. What is made in it must be trivially destructible. Not shared between threads.
class Arena {
public:
    explicit Arena(std::size_t first_block_bytes = 4096) : next_bytes_(first_block_bytes) {}
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    /// Nothing where the limit would be passed; aligned to 8 bytes.
    void* allocate(std::size_t bytes) noexcept {
        bytes = bytes == 0 ? 8 : (bytes + 7) & ~std::size_t{7};
        if (bytes > limit_ - used_) return nullptr;
        if (bytes > static_cast<std::size_t>(end_ - at_) && !grow(bytes)) return nullptr;
        used_ += bytes;
        char* const place = at_;
        at_ += bytes;
        return place;
    }
    template <class T> T* allocate_array(std::size_t count) noexcept {
        if (count > std::numeric_limits<std::uint32_t>::max() / sizeof(T)) return nullptr;
        return static_cast<T*>(allocate(count * sizeof(T)));
    }

    /// Forgets everything made so far; keeps the blocks and lifts the limit.
    void reset() noexcept;
    /// The bytes handed out since the last reset.
    std::size_t used() const { return used_; }
    /// `allocate` answers nothing once `used()` would pass this.
    void set_limit(std::size_t bytes) { limit_ = bytes < used_ ? used_ : bytes; }
    std::size_t limit() const { return limit_; }

private:
    struct Block {
        std::unique_ptr<char[]> bytes;
        std::size_t size;
    };
    bool grow(std::size_t bytes) noexcept;

    std::vector<Block> blocks_;
    std::size_t current_ = 0; ///< The block that is being filled, if there is one.
    char* at_ = nullptr;
    char* end_ = nullptr;
    std::size_t used_ = 0;
    std::size_t limit_ = std::numeric_limits<std::size_t>::max();
    std::size_t next_bytes_;
};

} // namespace journeys::cel
