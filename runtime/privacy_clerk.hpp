/// Carries out what is asked of people's data and needs nobody's decision: erasures, as soon as
/// they are kept, and again after every failure and every start, until they are done.
#pragma once

#include "runtime/log.hpp"
#include "runtime/privacy.hpp"
#include "runtime/privacy_requests.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace runtime {

class PrivacyClerk {
public:
    /// Begins at once. Made once this process works alone on its database, and ended before the
    /// actors are.
    PrivacyClerk(PrivacyRequests& requests, PrivacyDesk& desk, Log& log);
    /// What is under way is given up; the next start goes on with it.
    ~PrivacyClerk();

    /// There is something new. Any thread; returns at once.
    void wake();

private:
    void run();
    /// False where something is left to be tried again.
    bool work();

    PrivacyRequests& requests_;
    PrivacyDesk& desk_;
    Log& log_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_stopping_ = false, is_awake_ = true; ///< Guarded by `mutex_`.
    std::thread thread_;
};

} // namespace runtime
