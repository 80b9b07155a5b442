/// Brings refused messages from the listener's threads into the table of dead letters, and keeps
/// that within its bounds.
#pragma once

#include "journeys/time.hpp"
#include "runtime/dead_letters.hpp"
#include "runtime/listener/ingest.hpp"
#include "runtime/log.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace runtime {

class RejectKeeper {
public:
    struct Limits {
        journeys::Duration age_max = std::chrono::hours{24 * 7};
        std::int64_t rows_max = 100'000;
        std::size_t waiting_max = 10'000; ///< Not yet written; more are only counted.
    };

    RejectKeeper(std::string conninfo, Limits limits, std::function<journeys::Timestamp()> now,
                 Log& log);
    /// What was kept before is written first.
    ~RejectKeeper();

    /// Returns at once; any thread.
    void keep(RejectedMessage message);

private:
    void run();
    void write(std::vector<DeadLetter> letters);

    DeadLetters letters_;
    Limits limits_;
    std::function<journeys::Timestamp()> now_;
    Log& log_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<DeadLetter> waiting_; ///< Guarded by `mutex_`, as what follows.
    std::uint64_t dropped_ = 0;
    bool is_stopping_ = false;
    std::thread thread_;
};

} // namespace runtime
