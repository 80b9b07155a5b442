/// What a provider is given of the configuration, live and in a trial alike.
#pragma once

#include "runtime/channels/provider.hpp"
#include "schema/settings_yaml.hpp"

namespace runtime {

/// Of one of `config`'s channels. No `feedback_url`: only a service takes reports.
ProviderSettings provider_settings(const schema::Config& config,
                                   const schema::ChannelConfig& channel);

} // namespace runtime
