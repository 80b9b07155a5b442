/// Which of some messages the log holds already, asked of the indexes of its segments.
#pragma once

#include "actors/ports.hpp"
#include "runtime/postgres/connection.hpp"

#include <caf/actor.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace runtime {

/// A thread and a connection of its own.
class DuplicateFinder {
public:
    struct Question {
        std::uint64_t customer_hash = 0;
        actors::Partition partition = 0;
        std::vector<std::uint64_t> hashes; ///< Of the messages.
        std::uint64_t tag = 0;             ///< Comes back with the answer.
        caf::actor asker;
    };

    explicit DuplicateFinder(ConnectionSettings settings);
    /// What is still asked is not answered any more.
    ~DuplicateFinder();

    /// Returns at once; the asker is sent `actors::SeenBefore`. Any thread.
    void ask(Question question);

private:
    void loop();
    void pause(std::chrono::milliseconds span);

    const ConnectionSettings settings_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Question> questions_; ///< Guarded by `mutex_`, as is `stopping_`.
    bool stopping_ = false;
    std::thread thread_; ///< Last: it uses all the others.
};

} // namespace runtime
