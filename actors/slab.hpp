/// Places for values that are named by number: a table that grows in blocks and never moves what it
/// holds.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace actors {

template <class Value> class Slab {
public:
    std::uint32_t take() {
        if (!free_.empty()) {
            const std::uint32_t index = free_.back();
            free_.pop_back();
            return index;
        }
        if (size_ % block_size == 0) blocks_.push_back(std::make_unique<Value[]>(block_size));
        return size_++;
    }
    /// The caller has emptied the value; it keeps what tells its uses apart.
    void give_back(std::uint32_t index) { free_.push_back(index); }

    Value& operator[](std::uint32_t index) {
        return blocks_[index / block_size][index % block_size];
    }
    std::uint32_t size() const { return size_; }

private:
    static constexpr std::uint32_t block_size = 256;
    std::vector<std::unique_ptr<Value[]>> blocks_;
    std::vector<std::uint32_t> free_;
    std::uint32_t size_ = 0;
};

/// A doubly linked list through values of a slab. `Links` tells where in the value at `index` the
/// two numbers stand.
struct Links {
    static constexpr std::uint32_t none = 0xffffffff;
    std::uint32_t previous = none, next = none;
};

template <class At> // Links&(std::uint32_t index)
class IntrusiveList {
public:
    explicit IntrusiveList(At at) : at_(at) {}
    std::uint32_t head() const { return head_; }
    bool empty() const { return head_ == Links::none; }
    void push_back(std::uint32_t index) {
        at_(index) = {tail_, Links::none};
        (tail_ == Links::none ? head_ : at_(tail_).next) = index;
        tail_ = index;
    }
    void remove(std::uint32_t index) {
        const Links links = at_(index);
        (links.previous == Links::none ? head_ : at_(links.previous).next) = links.next;
        (links.next == Links::none ? tail_ : at_(links.next).previous) = links.previous;
        at_(index) = {};
    }

private:
    At at_;
    std::uint32_t head_ = Links::none, tail_ = Links::none;
};

} // namespace actors
