/// A whole service on a private PostgreSQL of its own, and a producer that loads it.
#pragma once

#include "runtime/postgres/connection.hpp"
#include "runtime/service.hpp"
#include "tests/bench/load.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace bench {

class LiveService {
public:
    /// `config` is a folder as `config/` in the source: a copy of it in `folder` is what runs,
    /// after `change` has had the text of sojourn.yaml. Throws where it does not start.
    LiveService(const std::filesystem::path& config, const std::filesystem::path& folder,
                const std::function<void(std::string&)>& change = {});
    ~LiveService();
    /// Stops it in order and starts it on what it has stored.
    void stop();
    void start();

    std::uint16_t port() const { return service_->port(); }
    int server_pid() const { return server_pid_; } ///< Of its PostgreSQL.
    /// A number that `/metrics` shows, all labels added up; of `NAME{LABEL="VALUE"}` that series.
    double metric(const std::string& name) const;
    /// Until as many records are applied; false after `patience` seconds.
    [[nodiscard]] bool wait_until_applied(double records, double patience) const;
    /// Until everything that was received is in snapshots too.
    [[nodiscard]] bool wait_until_flushed(double patience) const;
    /// What a query of one number says, 0 where that is null: from the tables, beside the service.
    double sql(const std::string& query) const;
    /// To ask many times: a connection of its own to the database.
    runtime::Connection connect() const;

private:
    std::filesystem::path config_;
    std::unique_ptr<runtime::Service> service_;
    int server_pid_ = 0;
};

/// The number that the query gives, 0 where that is null. Throws where it fails.
double number_of(runtime::Connection& connection, const std::string& query);

struct Sent {
    std::uint64_t accepted = 0, rejected = 0;
    double took = 0, cpu = 0; ///< Seconds until the last ack; of the producer's thread.
};
/// Sends frames of `messages` for `seconds` (or `frames_max` frames), as fast as acks come, from a
/// thread of its own. Throws where nothing listens.
Sent send_load(std::uint16_t port, Load& load, std::size_t messages, double seconds,
               std::size_t frames_max);

/// A folder of configuration without the data of whoever runs on it.
void copy_config(const std::filesystem::path& from, const std::filesystem::path& to);

/// Adds a channel `bench` to the text of sojourn.yaml: a webhook that calls that port on loopback.
void add_bench_channel(std::string& text, std::uint16_t port);
/// Writes a journey beside those of the configuration in `config`, or in their place, and an event
/// (as a line of events.yaml) that it may name.
void add_journey(const std::filesystem::path& config, const std::string& id,
                 const std::string& journey, const std::string& event, bool alone = false);

/// The process id of the PostgreSQL whose data lies somewhere below `folder`; 0 where none does.
int find_server(const std::filesystem::path& folder);

} // namespace bench
