/// The lanes of those who send over many connections, one connection each: how they begin, stop and
/// end. `Shared`: what the lanes of one sender share; it derives from `SharedLanes`, has the
/// coroutine `run(lane)`, and calls `left()` at that one's end.
#pragma once

#include "tests/faults/loop.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace faults {

/// `Lane` has a `number`.
template <class Lane> struct SharedLanes {
    explicit SharedLanes(asio::io_context& io) : context(io) {}

    asio::io_context& context;
    std::vector<std::shared_ptr<Lane>> lanes; ///< The loop's thread only.

    mutable std::mutex mutex; ///< Guards what follows, and what `Shared` adds.
    bool stopping = false;    ///< Nothing new is sent.
    bool ended = false;       ///< Nothing at all is.
    int running = 0;          ///< Lanes.

    bool is(bool SharedLanes::*flag) const {
        const std::scoped_lock lock{mutex};
        return this->*flag;
    }
    void stop() {
        const std::scoped_lock lock{mutex};
        stopping = true;
    }
    void left() {
        const std::scoped_lock lock{mutex};
        --running;
    }
    asio::awaitable<void> sleep(std::chrono::nanoseconds span) {
        asio::steady_timer timer{context, span};
        co_await timer.async_wait(asio::use_awaitable);
    }
};

template <class Shared>
void begin_lanes(Loop& loop, const std::shared_ptr<Shared>& shared, int count) {
    using Lane = typename decltype(shared->lanes)::value_type::element_type;
    shared->running = count;
    asio::post(loop.context(), asio::use_future([shared, count] {
                   for (int i = 0; i < count; ++i) {
                       shared->lanes.push_back(std::make_shared<Lane>());
                       shared->lanes.back()->number = i;
                   }
                   for (const auto& lane : shared->lanes)
                       asio::co_spawn(
                           shared->context, [shared, lane] { return shared->run(lane); },
                           asio::detached);
               }))
        .get();
}

/// Whether all lanes end by themselves within the patience.
template <class Shared> bool finish_lanes(Shared& shared, std::chrono::milliseconds patience) {
    using Clock = std::chrono::steady_clock;
    shared.stop();
    for (const auto until = Clock::now() + patience; Clock::now() < until;) {
        {
            const std::scoped_lock lock{shared.mutex};
            if (shared.running == 0) return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return false;
}

/// At once; `close(lane)` ends what a lane waits for.
template <class Shared, class Close>
void end_lanes(Loop& loop, const std::shared_ptr<Shared>& shared, Close close) {
    {
        const std::scoped_lock lock{shared->mutex};
        shared->stopping = shared->ended = true;
    }
    asio::post(loop.context(), asio::use_future([shared, close] {
                   for (const auto& lane : shared->lanes) close(*lane);
               }))
        .get();
}

} // namespace faults
