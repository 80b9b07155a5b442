/// Whether the log's storage takes writes, put together from what its threads have seen.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace runtime {

/// Before anything was seen it does not. What a commit has come to counts at once, and so does an
/// append that found no lane in its time. The answer to a question counts only where no commit has
/// come to anything since it was asked, and no batch is being tried again: a question writes
/// nothing, and what writes knows better. So one that is slow, or has lost its connection, takes
/// nothing back. For any threads.
class LogHealth {
public:
    bool is_good() const { return is_good_; }

    void committed();
    /// The batch whose turn it is came to nothing, or nobody knows; it will be tried again.
    void commit_failed();
    /// That batch is refused: from now on a question may find out that storage is back.
    void commit_given_up();
    void append_expired();

    /// When a question was asked, for `answered`.
    using Asked = std::uint64_t;
    Asked ask() const;
    void answered(Asked asked, bool takes_writes);

private:
    mutable std::mutex mutex_;
    std::uint64_t seen_ = 0;
    bool is_tried_again_ = false;
    std::atomic<bool> is_good_{false}; ///< Written under `mutex_`.
};

} // namespace runtime
