#include "runtime/periodic.hpp"

#include <utility>

namespace runtime {

Periodic::Periodic(std::chrono::milliseconds every, std::function<void()> work)
    : every_(every), work_(std::move(work)), thread_([this] { loop(); }) {}

Periodic::~Periodic() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Periodic::loop() {
    while (true) {
        {
            std::unique_lock lock{mutex_};
            if (changed_.wait_for(lock, every_, [&] { return stopping_; })) return;
        }
        work_();
    }
}

} // namespace runtime
