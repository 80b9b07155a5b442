#include "runtime/service_channels.hpp"

#include "runtime/channels/registry.hpp"
#include "runtime/channels/sandbox.hpp"
#include "runtime/provider_settings.hpp"

#include <algorithm>
#include <utility>

namespace runtime {

using journeys::Error;
using journeys::ErrorCode;
using journeys::Result;

std::size_t connections_of(const schema::Config& config) {
    std::size_t all = 1;
    for (const auto& channel : config.channels)
        all += static_cast<std::size_t>(std::max(channel.concurrency, 1));
    return all;
}

ServiceChannels::ServiceChannels(ServiceChannelsParts parts)
    : parts_(std::move(parts)), http_(std::in_place, connections_of(parts_.config)) {}

Result<std::unique_ptr<ServiceChannels>> ServiceChannels::open(ServiceChannelsParts parts) {
    std::unique_ptr<ServiceChannels> channels{new ServiceChannels{std::move(parts)}};
    for (const auto& channel : channels->parts_.config.channels)
        if (auto opened = channels->open_one(channel); !opened) return opened.error();
    return channels;
}

Result<void> ServiceChannels::open_one(const schema::ChannelConfig& channel) {
    const auto& config = parts_.config;
    if (channel.type == "sandbox") {
        channels_.push_back(sandbox());
    } else {
        auto settings = provider_settings(config, channel);
        if (!config.public_url.empty())
            settings.feedback_url = config.public_url + "/v1/feedback/" + channel.name;
        auto provider = make_provider(std::move(settings));
        if (!provider)
            return Error{provider.error().code,
                         "channel " + channel.name + ": " + provider.error().detail};
        providers_[channel.name] = provider->get();
        channels_.push_back(std::make_unique<HttpChannel>(
            *http_, std::move(*provider), hooks(channel), static_cast<std::size_t>(channel.batch)));
    }
    by_name_[channel.name] = channels_.back().get();
    return {};
}

std::unique_ptr<actors::Channel> ServiceChannels::sandbox() {
    return std::make_unique<SandboxChannel>(
        [this](const actors::ProviderRequest& request, std::function<void(Result<void>)> done) {
            if (!kept_.add({request, done}))
                done(Error{ErrorCode::limit_exceeded, "the sandbox cannot keep up"});
        });
}

void ServiceChannels::write(std::vector<Kept> batch) {
    std::vector<actors::ProviderRequest> requests;
    for (auto& kept : batch) requests.push_back(std::move(kept.request));
    const auto result = parts_.archive.keep_sandbox_messages(requests, parts_.clock.now());
    for (const auto& kept : batch) kept.done(result);
}

ChannelHooks ServiceChannels::hooks(const schema::ChannelConfig& channel) const {
    const auto* rules = parts_.config.settings.channel(channel.name);
    ChannelHooks hooks;
    hooks.is_suppressed = [this, kind = rules ? rules->address
                                              : std::string{}](const std::string& address) {
        return parts_.suppressions.contains(kind, address);
    };
    hooks.with_links = [this](const actors::ProviderRequest& message) {
        return parts_.links.fill(message.payload, message.intent);
    };
    hooks.report = [this, name = channel.name](Report report) {
        report.at = parts_.clock.now();
        report.id = journeys::to_text(report.intent) + "/answer";
        parts_.report(name, std::move(report));
    };
    return hooks;
}

} // namespace runtime
