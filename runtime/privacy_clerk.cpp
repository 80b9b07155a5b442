#include "runtime/privacy_clerk.hpp"

#include <algorithm>
#include <chrono>

namespace runtime {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds again_first = 1s, again_max = 60s;

} // namespace

PrivacyClerk::PrivacyClerk(PrivacyRequests& requests, PrivacyDesk& desk, Log& log)
    : requests_(requests), desk_(desk), log_(log), thread_([this] { run(); }) {}

PrivacyClerk::~PrivacyClerk() {
    desk_.stop();
    {
        const std::scoped_lock lock{mutex_};
        is_stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void PrivacyClerk::wake() {
    {
        const std::scoped_lock lock{mutex_};
        is_awake_ = true;
    }
    changed_.notify_one();
}

void PrivacyClerk::run() {
    auto again_after = again_first;
    std::unique_lock lock{mutex_};
    while (!is_stopping_) {
        is_awake_ = false;
        lock.unlock();
        const bool is_done = work();
        lock.lock();
        const auto has_news = [this] { return is_stopping_ || is_awake_; };
        if (is_done) {
            again_after = again_first;
            changed_.wait(lock, has_news);
        } else {
            changed_.wait_for(lock, again_after, has_news);
            again_after = std::min(again_after * 2, again_max);
        }
    }
}

bool PrivacyClerk::work() {
    const auto requests = requests_.to_carry_out();
    if (!requests) {
        log_.repeated_warning("privacy requests cannot be read",
                              {{"why", requests.error().detail}});
        return false;
    }
    bool is_done = true;
    for (const auto& request : *requests) {
        {
            const std::scoped_lock lock{mutex_};
            if (is_stopping_) return false;
        }
        const auto carried_out = desk_.carry_out(request.number);
        if (!carried_out)
            log_.repeated_warning(
                "a privacy request is not carried out yet",
                {{"request", request.number}, {"why", carried_out.error().detail}});
        else if (*carried_out)
            log_.info("a privacy request is carried out",
                      {{"request", request.number}, {"kind", request.kind}});
        is_done &= carried_out.has_value() && *carried_out;
    }
    return is_done;
}

} // namespace runtime
