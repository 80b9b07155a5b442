/// The settings of when a message may go out: topics, caps, quiet hours, the best hour.
#pragma once

#include "journeys/settings.hpp"
#include "schema/settings_channels.hpp"
#include "schema/settings_values.hpp"

namespace schema {

void read_topics(SettingsValues& values, const YamlNode& node, journeys::Settings& settings);
/// After the topics, which a cap may name.
void read_caps(SettingsValues& values, const YamlNode& node, const ChannelSettings& channels,
               journeys::Settings& settings);
void read_quiet_hours(SettingsValues& values, const YamlNode& node, const ChannelSettings& channels,
                      journeys::Settings& settings);
void read_best_hour(SettingsValues& values, const YamlNode& node, journeys::Settings& settings);

} // namespace schema
