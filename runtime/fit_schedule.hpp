/// Fits the models to the service's own customers from time to time, and publishes them.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"
#include "runtime/log.hpp"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace runtime {

struct FitScheduleSettings {
    std::string conninfo;
    std::filesystem::path file;        ///< Where the models stand; what else it holds stays.
    std::chrono::milliseconds every{}; ///< Of real time.
    std::function<journeys::Timestamp()> clock; ///< The service's.
    std::function<void()> publish;              ///< Called when there are other models.
    Log* log = nullptr;
};

/// A thread of its own. A fit that fails, or that cannot be written, leaves the models as they are
/// and says so.
class FitSchedule {
public:
    explicit FitSchedule(FitScheduleSettings settings);
    ~FitSchedule();

private:
    void loop();
    void fit_once();

    const FitScheduleSettings settings_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::thread thread_; ///< Last: it uses all the others.
};

/// One fit: reads, fits, compares with the models in `file`, writes. What came of it in one line.
journeys::Result<std::string> fit_service(const std::string& conninfo,
                                          const std::filesystem::path& file,
                                          journeys::Timestamp now);

} // namespace runtime
