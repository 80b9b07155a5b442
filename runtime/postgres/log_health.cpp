#include "runtime/postgres/log_health.hpp"

namespace runtime {

void LogHealth::committed() {
    const std::lock_guard lock{mutex_};
    ++seen_;
    is_tried_again_ = false;
    is_good_ = true;
}

void LogHealth::commit_failed() {
    const std::lock_guard lock{mutex_};
    ++seen_;
    is_tried_again_ = true;
    is_good_ = false;
}

void LogHealth::commit_given_up() {
    const std::lock_guard lock{mutex_};
    is_tried_again_ = false;
}

void LogHealth::append_expired() {
    const std::lock_guard lock{mutex_};
    ++seen_;
    is_good_ = false;
}

LogHealth::Asked LogHealth::ask() const {
    const std::lock_guard lock{mutex_};
    return seen_;
}

void LogHealth::answered(Asked asked, bool takes_writes) {
    const std::lock_guard lock{mutex_};
    if (asked == seen_ && !is_tried_again_) is_good_ = takes_writes;
}

} // namespace runtime
