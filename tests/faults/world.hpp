/// One service under test with everything around it: a PostgreSQL and a provider, each behind a
/// proxy, and the producers.
#pragma once

#include "runtime/postgres/connection.hpp"
#include "runtime/postgres/embedded.hpp"
#include "tests/faults/loop.hpp"
#include "tests/faults/process.hpp"
#include "tests/faults/producer.hpp"
#include "tests/faults/provider.hpp"
#include "tests/faults/proxy.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace faults {

/// What a test wants to be otherwise.
struct Shape {
    double clock_speed = 600;
    std::string limits{};  ///< Lines of the configuration's `limits`, as a flow map's body.
    std::string channel{}; ///< More of both channels, as a flow map's body: `, timeout: 2s`.
    /// More channels, a line each, indented; `PROVIDER` in it is the provider's address.
    std::string more_channels{};
    std::uint64_t descriptors = 0;          ///< 0: as many as we have.
    std::filesystem::path storage_folder{}; ///< Of the cluster; empty: in the world's own folder.
};

class World {
public:
    explicit World(Shape shape = {});
    ~World();

    /// Starts the service and waits until it is ready. A second call is the next one after an end.
    void start(const Environment& environment = {});
    void launch(const Environment& environment = {}); ///< The same without waiting.
    bool wait_until_ready(std::chrono::milliseconds patience);
    Process& service() { return *service_; }
    /// What the service held when it had last become ready.
    Process::Usage usage_when_ready() const { return usage_when_ready_; }
    int launches() const { return launches_; } ///< Of services, second ones included.
    /// SIGTERM; how it ended, or nothing where it did not within the patience.
    std::optional<int> stop(std::chrono::milliseconds patience = std::chrono::seconds{40});

    /// Before a start: one more in the journeys' folder, or another text of it.
    void add_journey(const std::string& name, const std::string& text) const;

    /// A second service on the same database, with a port of its own.
    std::unique_ptr<Process> launch_second(const Environment& environment = {});
    std::uint16_t second_port() const { return second_port_; }

    /// Nothing unapplied, unflushed, unsent, waiting or on its way to many. Otherwise why not, when
    /// the patience ends.
    std::string wait_for_calm(std::chrono::milliseconds patience = std::chrono::seconds{60});
    /// Of an HTTP GET on the service; status 0: no answer.
    struct Answer {
        int status = 0;
        std::string body;
    };
    Answer get(const std::string& path, std::uint16_t port = 0) const;
    /// With the key, and nothing in it.
    Answer post(const std::string& path, std::uint16_t port = 0) const;
    /// What its clock says; nothing where it does not answer.
    std::optional<journeys::Timestamp> service_time() const;
    void look_at(std::uint16_t port) { calm_port_ = port; } ///< For time and calm: the second one.
    /// A series of /metrics, e.g. `sojourn_lag_events`; nothing where it is not there.
    std::optional<double> metric(const std::string& series) const;

    void kill_storage();    ///< SIGKILL to the whole cluster.
    void restart_storage(); ///< After `kill_storage`, or orderly.
    void set_storage(const std::string& setting, const std::string& value); ///< And reloads.
    /// Around the proxy.
    runtime::Connection connect() const;
    std::string sql(const std::string& query) const; ///< The first value, as text.

    std::uint16_t port() const { return port_; }
    const std::filesystem::path& folder() const { return folder_; }
    std::filesystem::path config() const { return folder_ / "sojourn.yaml"; }
    std::filesystem::path log() const { return folder_ / "service.log"; }
    std::filesystem::path second_log() const { return folder_ / "second.log"; }
    std::string conninfo() const { return server_->conninfo(); }
    const Shape& shape() const { return shape_; }

    Loop loop;
    std::unique_ptr<Provider> provider;
    std::unique_ptr<Proxy> storage, calls; ///< Before PostgreSQL, before the provider.

private:
    void write_files();
    Answer ask(const std::string& path, std::uint16_t port, bool is_post) const;

    Shape shape_;
    std::filesystem::path folder_, storage_folder_;
    std::optional<runtime::EmbeddedPostgres> server_;
    std::uint16_t port_ = 0, second_port_ = 0, calm_port_ = 0;
    std::unique_ptr<Process> service_;
    Process::Usage usage_when_ready_;
    int launches_ = 0;
};

/// Producers of shop traffic at a world's service, or at the port that the options name. Those of
/// another `first_lane` are other customers: more than the connections of the one before it.
std::unique_ptr<Producers> start_traffic(World& world, const Mix& mix = {},
                                         Producers::Options options = {}, int first_lane = 0);

/// For `Mix::earlier`: what the service's clock says, less so much, as it goes on.
std::function<std::string()> earlier_in(const World& world, std::chrono::minutes by);

} // namespace faults
