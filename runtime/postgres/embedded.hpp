/// The PostgreSQL that `sojourn serve` makes and owns where no other is configured: its own data
/// folder, a unix socket and no port, an unprivileged user.
#pragma once

#include "journeys/result.hpp"

#include <filesystem>
#include <string>

namespace runtime {

/// Stops the server when it goes, unless `leave_running` was called.
class EmbeddedPostgres {
public:
    /// Makes the cluster in `data_dir` at the first call, starts it, or adopts it where it still
    /// runs (after a kill -9 of ours). As root the cluster belongs to the user `postgres`, or
    /// `nobody` where there is none. Errors are one line for an operator, and leave nothing behind.
    static journeys::Result<EmbeddedPostgres> start(const std::filesystem::path& data_dir);

    EmbeddedPostgres(EmbeddedPostgres&& other) noexcept;
    EmbeddedPostgres& operator=(EmbeddedPostgres&&) = delete;
    ~EmbeddedPostgres();

    std::string conninfo() const;
    bool was_adopted() const { return adopted_; }
    /// Its process id; 0 when it does not run.
    int server_pid() const;
    journeys::Result<void> stop();
    void leave_running() { data_dir_.clear(); }

private:
    EmbeddedPostgres() = default;
    std::filesystem::path data_dir_, binaries_, socket_dir_;
    bool adopted_ = false;
};

} // namespace runtime
