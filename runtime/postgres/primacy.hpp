/// Which of several processes on one database works; the others stand by.
///
/// The one that works holds an advisory lock on a connection of its own, and asks it something
/// every second. PostgreSQL frees the lock when the process ends. A process that was stopped, or is
/// cut off, keeps the lock and falls silent: by the server's own clock whoever stands by sees for
/// how long, and ends that connection. So no clocks are compared and nothing is written. The lock
/// only says who may try: what makes two owners harmless is the epoch.
#pragma once

#include "runtime/postgres/connection.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace runtime {

struct PrimacySettings {
    ConnectionSettings connection;
    std::chrono::milliseconds beat{1000};    ///< Between two signs of life.
    std::chrono::milliseconds silence{8000}; ///< After which another may take over.
    std::chrono::milliseconds look{100};     ///< How often one that stands by looks.
};

class Primacy {
public:
    explicit Primacy(PrimacySettings settings) : settings_(std::move(settings)) {}
    ~Primacy();
    Primacy(const Primacy&) = delete;

    /// Blocks until this process may work; at once where it may already. `stands_by` is called
    /// once, where it has to wait; `gives_up` is asked again and again. False: it gave up.
    bool acquire(const std::function<void()>& stands_by, const std::function<bool()>& gives_up);

private:
    /// Whether the lock is ours now. Ends the holder's connection where it is silent.
    bool try_once(Connection& connection) const;
    void keep(Connection connection);

    const PrimacySettings settings_;
    std::mutex mutex_;
    std::condition_variable stopped_;
    bool stopping_ = false;
    std::thread keeper_;
};

} // namespace runtime
