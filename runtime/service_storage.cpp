#include "runtime/service_storage.hpp"

#include "runtime/database.hpp"
#include "runtime/postgres/upgrade.hpp"
#include "runtime/system_settings.hpp"

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <random>
#include <stop_token>
#include <utility>

namespace runtime {

using journeys::Result;

namespace {

constexpr std::chrono::milliseconds supervision{500};
constexpr std::chrono::milliseconds restart_pause_max{10'000};

/// Names this process among all that ever owned the partitions.
std::string instance_name() {
    std::random_device random;
    char name[32];
    std::snprintf(name, sizeof name, "%x-%08x", static_cast<unsigned>(::getpid()),
                  static_cast<unsigned>(random()));
    return name;
}

} // namespace

Result<std::unique_ptr<ServiceStorage>>
ServiceStorage::open(const std::filesystem::path& config_file, const schema::Config& config,
                     Log& log) {
    std::unique_ptr<ServiceStorage> storage{new ServiceStorage{log}};
    storage->connection_.instance = instance_name();
    if (!config.storage.url.is_empty()) {
        storage->connection_.conninfo = config.storage.url.reveal();
    } else if (auto started = storage->start_private(data_folder(config_file, config).string());
               !started) {
        return started.error();
    }
    return storage;
}

Result<bool> ServiceStorage::prepare(Primacy& primacy, const std::function<bool()>& gives_up) {
    const auto say_so = [this] {
        log_.info("standby: another process works on this database, and what this version changes "
                  "in its tables has to wait until that one has ended");
    };
    const auto brought = bring_to_schema(connection_, primacy, say_so, gives_up);
    if (!brought || !*brought) return brought;
    auto opened = Connection::open(connection_, "partitions");
    if (!opened) return opened.error();
    if (auto fixed = fix_partition_count(*opened, partition_count); !fixed) return fixed.error();
    return true;
}

Result<void> ServiceStorage::start_private(const std::string& data_dir) {
    data_dir_ = data_dir;
    auto locked = FolderLock::take(data_dir_);
    if (!locked) return locked.error();
    folder_lock_ = std::move(*locked);
    auto started = EmbeddedPostgres::start(data_dir_);
    if (!started) return started.error();
    embedded_.emplace(std::move(*started));
    connection_.conninfo = embedded_->conninfo();
    log_.info("storage", {{"data_dir", data_dir_}});
    if (embedded_->was_adopted())
        log_.info("adopted the private PostgreSQL that was still running");
    supervise();
    return {};
}

void ServiceStorage::supervise() {
    supervisor_ = std::jthread{[this](const std::stop_token& stopping) {
        std::mutex unshared;
        std::condition_variable_any sleep;
        auto pause = supervision;
        bool is_down = false; // And that has been said.
        while (true) {
            std::unique_lock lock{unshared};
            sleep.wait_for(lock, stopping, pause, [] { return false; });
            if (stopping.stop_requested()) return;
            if (embedded_->server_pid() == 0) {
                const bool was_down = std::exchange(is_down, true);
                if (!was_down) log_.error("the private PostgreSQL has ended and is started again");
                auto again = EmbeddedPostgres::start(data_dir_);
                if (!again) {
                    log_.repeated_warning("the private PostgreSQL does not start",
                                          {{"why", again.error().detail}});
                    pause = was_down ? std::min(2 * pause, restart_pause_max) : supervision;
                    continue;
                }
                again->leave_running();
            }
            if (std::exchange(is_down, false)) log_.info("the private PostgreSQL runs again");
            pause = supervision;
        }
    }};
}

void ServiceStorage::stop() {
    if (supervisor_.joinable()) {
        supervisor_.request_stop();
        supervisor_.join();
    }
    if (embedded_) {
        if (auto stopped = embedded_->stop(); !stopped)
            log_.warning("the private PostgreSQL did not stop", {{"why", stopped.error().detail}});
        embedded_.reset();
    }
    folder_lock_.let_go();
}

} // namespace runtime
