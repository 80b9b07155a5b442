/// Writes what many threads hand in, one batch at a time, on a pool that may block.
#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace runtime {

/// Whoever finds nothing waiting asks for the write; what comes until it begins goes with it. The
/// pool must be joined before this goes.
template <class Item> class BatchWriter {
public:
    /// `write` is called on a thread of `pool`, never twice at once where the pool has one thread.
    BatchWriter(boost::asio::thread_pool& pool, std::size_t waiting_max,
                std::function<void(std::vector<Item>)> write)
        : pool_(pool), waiting_max_(waiting_max), write_(std::move(write)) {}

    /// For any thread. False where `waiting_max` are waiting: the item was not taken.
    bool add(Item item) {
        {
            const std::scoped_lock lock{mutex_};
            if (waiting_.size() >= waiting_max_) return false;
            waiting_.push_back(std::move(item));
            if (waiting_.size() > 1) return true;
        }
        boost::asio::post(pool_, [this] {
            std::vector<Item> batch;
            {
                const std::scoped_lock lock{mutex_};
                batch.swap(waiting_);
            }
            write_(std::move(batch));
        });
        return true;
    }

private:
    boost::asio::thread_pool& pool_;
    std::size_t waiting_max_;
    std::function<void(std::vector<Item>)> write_;
    std::mutex mutex_;
    std::vector<Item> waiting_; ///< Guarded by `mutex_`.
};

} // namespace runtime
