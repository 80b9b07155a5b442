/// The service, put together: configuration, storage, actors, channels, listener. Starts and stops
/// in that order and its reverse.
#pragma once

#include "journeys/result.hpp"
#include "journeys/time.hpp"
#include "schema/mistakes.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace runtime {

struct ServiceOptions {
    std::filesystem::path config = "config/sojourn.yaml";
    double clock_speed = 1;
    std::optional<std::uint16_t> port; ///< Instead of the configured one; 0: any.
    bool show_triggers =
        false; ///< One line on stdout for every message that goes out or is held back.
    /// Asked while another process works on the database and this one stands by: whether to end
    /// instead.
    std::function<bool()> gives_up = [] { return false; };
    /// Instead of the configured one: how long `stop` may take to write what is not written yet.
    std::optional<journeys::Duration> shutdown_timeout = std::nullopt;
};

class Service {
public:
    /// Everything is up when this returns; until then, where another process works on the database,
    /// it stands by and says so at /readyz. Null where it gave that up. On failure `mistakes` may
    /// hold those of the files; else the error is one line about the environment.
    static journeys::Result<std::unique_ptr<Service>> start(const ServiceOptions& options,
                                                            std::vector<schema::Mistake>& mistakes);
    ~Service();

    std::uint16_t port() const;
    const std::string& data_dir() const;

    /// Reads the files again and publishes them where they have changed. Mistakes are logged, and
    /// what runs stays. Keys count at once; of what else needs a restart the answer and the log
    /// name the sections. What came of it, in words.
    std::string reload();
    /// Learns from the decisions that have settled since the last time, as it does by itself every
    /// `models.learn_every`, and publishes what it has learned.
    void learn();
    /// Fits the models to the service's own customers, as it does by itself every
    /// `models.fit_every`, and publishes them.
    void fit();
    /// Whether another process has taken over: nothing can be done here any more.
    bool has_been_replaced() const;
    /// Stops accepting, drains, snapshots. False where the deadline passed: then end the process at
    /// once.
    bool stop();
    journeys::Duration shutdown_timeout() const;

private:
    class Parts;
    explicit Service(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

} // namespace runtime
