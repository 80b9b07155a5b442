/// The database that a running service stands on: a configured one, or the private one that it
/// owns.
#pragma once

#include "journeys/result.hpp"
#include "runtime/folder_lock.hpp"
#include "runtime/log.hpp"
#include "runtime/postgres/connection.hpp"
#include "runtime/postgres/embedded.hpp"
#include "runtime/postgres/primacy.hpp"
#include "schema/settings_yaml.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace runtime {

/// The private PostgreSQL is started again whenever it ends without us, until `stop`: at once, and
/// where it cannot start after 0.5 s, then after twice as long each time, 10 s at most.
class ServiceStorage {
public:
    /// Locks the data folder, starts or adopts the private server. One line about the environment
    /// where that fails; then nothing is left running.
    static journeys::Result<std::unique_ptr<ServiceStorage>>
    open(const std::filesystem::path& config_file, const schema::Config& config, Log& log);
    ~ServiceStorage() { stop(); }

    /// Brings the tables up to date, before anything else of them is used: see `bring_to_schema`.
    /// False: it gave up.
    journeys::Result<bool> prepare(Primacy& primacy, const std::function<bool()>& gives_up);

    const ConnectionSettings& connection() const { return connection_; }
    /// Empty where a url is configured.
    const std::string& data_dir() const { return data_dir_; }
    /// When nobody uses the database any more. A second call does nothing.
    void stop();

private:
    explicit ServiceStorage(Log& log) : log_(log) {}
    journeys::Result<void> start_private(const std::string& data_dir);
    void supervise();

    Log& log_;
    std::string data_dir_;
    FolderLock folder_lock_;
    std::optional<EmbeddedPostgres> embedded_;
    ConnectionSettings connection_;
    std::jthread supervisor_; ///< Uses the others, so it ends first.
};

} // namespace runtime
