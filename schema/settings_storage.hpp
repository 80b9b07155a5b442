/// The settings of what is kept: in which PostgreSQL, and for how long.
#pragma once

#include "schema/settings_values.hpp"
#include "schema/settings_yaml.hpp"

namespace schema {

/// The log, and the database that holds everything.
void read_storage(SettingsValues& values, const YamlNode& node, Config::Storage& into);
/// The tables beside the log.
void read_retention(SettingsValues& values, const YamlNode& node, Config::Retention& kept);

} // namespace schema
