/// What a service has written into its log.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace faults {

/// Waits until `text` stands in the log; false where it does not come within a minute.
inline bool says(const std::filesystem::path& log, const std::string& text) {
    using namespace std::chrono_literals;
    using Clock = std::chrono::steady_clock;
    for (const auto until = Clock::now() + 60s; Clock::now() < until;) {
        std::ifstream file{log};
        const std::string said{std::istreambuf_iterator<char>{file}, {}};
        if (said.find(text) != said.npos) return true;
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

} // namespace faults
