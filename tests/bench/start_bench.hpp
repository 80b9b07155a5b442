/// How soon a service answers that has many customers stored.
#pragma once

#include "tests/bench/live_service.hpp"
#include "tests/bench/measure.hpp"

#include <cstdint>
#include <filesystem>

namespace bench {

/// A service whose customers each have a cart and a wait, and that is stopped and started.
class StoredCustomers {
public:
    StoredCustomers(const std::filesystem::path& config, const std::filesystem::path& folder);

    /// Until there are so many in all, in hundreds. Throws where one is missing.
    void store(std::uint32_t customers);
    std::uint32_t stored() const { return stored_; }
    /// Stops the service in order and starts it: seconds from the beginning of the start,
    /// PostgreSQL's own included, to the ack of a customer's event.
    double restart();
    /// Seconds to read all snapshots out of the same PostgreSQL by COPY.
    double copy_out() const;

private:
    LiveService service_;
    Load load_;
    std::uint32_t stored_ = 0;
};

struct StartOptions {
    std::filesystem::path config = "config", folder; ///< `folder` is empty and is left so.
    int rounds = 5;
    std::uint32_t customers = 1'000'000;
};

/// Seconds until the first event is acked, beside a COPY of the snapshots.
Figure bench_start(const StartOptions& options);

} // namespace bench
