/// Fits the models to the service's own customers from time to time, and publishes them.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"
#include "runtime/log.hpp"
#include "runtime/periodic.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

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

private:
    void fit_once();

    const FitScheduleSettings settings_;
    Periodic periodic_; ///< Last: it uses the settings.
};

/// One fit: reads, fits, compares with the models in `file`, writes. What came of it in one line.
journeys::Result<std::string> fit_service(const std::string& conninfo,
                                          const std::filesystem::path& file,
                                          journeys::Timestamp now);

} // namespace runtime
