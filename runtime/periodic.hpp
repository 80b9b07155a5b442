/// Something that is done again and again, on a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace runtime {

/// Waits first. The end waits for what is being done.
class Periodic {
public:
    /// `every`: of real time, from the end of one to the beginning of the next.
    Periodic(std::chrono::milliseconds every, std::function<void()> work);
    ~Periodic();

private:
    void loop();

    const std::chrono::milliseconds every_;
    const std::function<void()> work_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::thread thread_; ///< Last: it uses all the others.
};

} // namespace runtime
