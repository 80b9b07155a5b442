/// A customer's packed state as it is passed around: immutable, shared, in one piece of memory.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

namespace actors {

/// Where there are a million of them a pointer to a string, with its count and its own memory, is
/// 70 bytes more each. Copies may be used from any thread.
class Block {
public:
    /// There is none.
    Block() = default;
    Block(std::nullptr_t) {}
    /// Copies `bytes`; fewer than 4 GiB.
    explicit Block(std::string_view bytes) : held_(Held::make(bytes)) {}

    explicit operator bool() const { return held_ != nullptr; }
    /// Where there is one; valid while this is.
    std::string_view operator*() const { return held_->bytes(); }
    struct Arrow {
        std::string_view bytes;
        const std::string_view* operator->() const { return &bytes; }
    };
    Arrow operator->() const { return {**this}; }

private:
    /// Its bytes follow it.
    struct Held {
        mutable std::atomic<std::uint32_t> count{0};
        std::uint32_t size = 0;

        static const Held* make(std::string_view bytes) {
            auto* const memory = static_cast<char*>(::operator new(sizeof(Held) + bytes.size()));
            auto* const held = new (memory) Held;
            held->size = static_cast<std::uint32_t>(bytes.size());
            if (!bytes.empty()) std::memcpy(memory + sizeof(Held), bytes.data(), bytes.size());
            return held;
        }
        std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1), size}; }

        friend void intrusive_ptr_add_ref(const Held* held) {
            held->count.fetch_add(1, std::memory_order_relaxed);
        }
        friend void intrusive_ptr_release(const Held* held) {
            if (held->count.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
            held->~Held();
            ::operator delete(const_cast<Held*>(held));
        }
    };

    boost::intrusive_ptr<const Held> held_;
};

} // namespace actors
