/// The channels of a running service: a sandbox, or a provider behind the one HTTP client that they
/// share.
///
///   actors ──► channel ──► HttpClient ──► provider
///                 │             └── what an answer says of an address ──► `report`
///                 └─► sandbox ──► Archive
#pragma once

#include "actors/ports.hpp"
#include "journeys/result.hpp"
#include "runtime/archive.hpp"
#include "runtime/batch_writer.hpp"
#include "runtime/channels/http_channel.hpp"
#include "runtime/channels/http_client.hpp"
#include "runtime/links.hpp"
#include "runtime/service_clock.hpp"
#include "runtime/suppressions.hpp"
#include "schema/settings_yaml.hpp"

#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace runtime {

/// Of the HTTP client: enough for all channels at once, so that one whose provider hangs takes no
/// connection from another, and no message waits behind its last look at the suppressions.
std::size_t connections_of(const schema::Config& config);

/// All of it outlives the channels.
struct ServiceChannelsParts {
    const schema::Config& config;
    const ServiceClock& clock;
    Archive& archive; ///< Where a sandbox keeps its messages.
    const Suppressions& suppressions;
    const Links& links;
    /// What an answer said of an address. Called from the client's thread; returns at once.
    std::function<void(const std::string& channel, Report report)> report;
};

class ServiceChannels {
public:
    /// All channels of the configuration. One line where a provider cannot be made of its settings.
    static journeys::Result<std::unique_ptr<ServiceChannels>> open(ServiceChannelsParts parts);

    const std::map<std::string, actors::Channel*>& by_name() const { return by_name_; }
    /// Of those that have one.
    const std::map<std::string, const Provider*>& providers() const { return providers_; }

    /// Writes what the sandboxes have taken. When the actors have ended.
    void finish_sandboxes() { sandbox_worker_.join(); }
    /// Ends the calls that are under way. Nobody calls a channel any more.
    void end_calls() { http_.reset(); }

private:
    struct Kept {
        actors::ProviderRequest request;
        std::function<void(journeys::Result<void>)> done;
    };
    explicit ServiceChannels(ServiceChannelsParts parts);
    journeys::Result<void> open_one(const schema::ChannelConfig& channel);
    std::unique_ptr<actors::Channel> sandbox();
    ChannelHooks hooks(const schema::ChannelConfig& channel) const;
    void write(std::vector<Kept> batch);

    const ServiceChannelsParts parts_;
    std::optional<HttpClient> http_;
    std::vector<std::unique_ptr<actors::Channel>> channels_;
    std::map<std::string, actors::Channel*> by_name_;
    std::map<std::string, const Provider*> providers_;

    static constexpr std::size_t kept_waiting_max = 10'000;
    boost::asio::thread_pool sandbox_worker_{1};
    BatchWriter<Kept> kept_{sandbox_worker_, kept_waiting_max,
                            [this](std::vector<Kept> batch) { write(std::move(batch)); }};
};

} // namespace runtime
