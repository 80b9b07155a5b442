/// The settings of the door: where the service listens, who may send to it, and how much.
#pragma once

#include "schema/settings_values.hpp"
#include "schema/settings_yaml.hpp"

#include <vector>

namespace schema {

void read_listen(SettingsValues& values, const YamlNode& node, Config::Listen& into);
std::vector<ApiKey> read_keys(SettingsValues& values, const YamlNode& node);
std::vector<SourceConfig> read_sources(SettingsValues& values, const YamlNode& node);
void read_identity(SettingsValues& values, const YamlNode& node, journeys::IdentityRules& rules);
/// `limits` is about memory and connections, and about how late and how often an event may come:
/// so it fills `config.settings`, too.
void read_limits(SettingsValues& values, const YamlNode& node, Config& config);

} // namespace schema
