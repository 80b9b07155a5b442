#include "runtime/provider_settings.hpp"

namespace runtime {

ProviderSettings provider_settings(const schema::Config& config,
                                   const schema::ChannelConfig& channel) {
    ProviderSettings settings;
    settings.channel = channel.name;
    settings.type = channel.type;
    settings.url = channel.option("url");
    settings.from = channel.from;
    settings.timeout = channel.timeout;
    for (const auto& [name, value] : channel.options) settings.options[name] = value.reveal();
    if (const auto* rules = config.settings.channel(channel.name)) {
        settings.address = rules->address;
        settings.templates = rules->templates;
    }
    return settings;
}

} // namespace runtime
