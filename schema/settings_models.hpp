/// The settings of what customers are expected to do: when it is fitted and learned anew, and from
/// which risk on a customer counts as leaving.
#pragma once

#include "schema/settings_values.hpp"
#include "schema/settings_yaml.hpp"

namespace schema {

/// Fills `config.settings.stages`, too.
void read_models(SettingsValues& values, const YamlNode& node, Config& config);

} // namespace schema
