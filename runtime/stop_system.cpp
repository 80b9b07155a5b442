#include "runtime/stop_system.hpp"

#include <future>
#include <memory>
#include <thread>

namespace runtime {

bool stop_system(actors::System& system, std::chrono::steady_clock::time_point until) {
    const auto wait = [&](auto&& begin) {
        auto done = std::make_shared<std::promise<void>>();
        auto future = done->get_future();
        begin([done] { done->set_value(); });
        return future.wait_until(until) == std::future_status::ready;
    };
    if (!wait([&](auto done) { system.drain_channels(std::move(done)); })) return false;
    if (!wait([&](auto done) { system.stop_partitions(std::move(done)); })) return false;
    // A thread of its own: CAF 0.17 is known to hang here about once in a thousand times.
    return wait([&](auto done) {
        std::thread{[&system, done] {
            system.end();
            done();
        }}.detach();
    });
}

} // namespace runtime
