/// A child process: the service under test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace faults {

using Environment = std::map<std::string, std::string>;

/// Killed when it goes, and when the test program itself ends.
class Process {
public:
    struct Limits {
        std::uint64_t descriptors = 0; ///< 0: as they are.
    };
    /// What it prints is appended to `output`.
    Process(const std::vector<std::string>& command, const Environment& environment,
            const std::filesystem::path& output, Limits limits);
    Process(const Process&) = delete;
    ~Process();

    pid_t id() const { return id_; }
    void signal(int number) const;
    /// How it ended: the exit code, or minus the signal; nothing while it runs.
    std::optional<int> poll();
    std::optional<int> wait(std::chrono::milliseconds patience);
    /// SIGKILL, and waits for its end.
    void kill();

    struct Usage {
        std::uint64_t resident_bytes = 0;
        std::uint64_t threads = 0, descriptors = 0;
    };
    Usage usage() const;

private:
    pid_t id_ = -1;
    std::optional<int> end_;
};

} // namespace faults
