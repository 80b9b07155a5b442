/// The settings of channels, and what consent each of them needs.
#pragma once

#include "schema/channel_types.hpp"
#include "schema/settings_values.hpp"
#include "schema/settings_yaml.hpp"

#include <set>
#include <string>

namespace schema {

/// Fills `channels` and `settings.channels` of a configuration: first `read`, then `read_consent`,
/// which goes for the channels that do not say it themselves.
class ChannelSettings {
public:
    /// Both outlive it.
    ChannelSettings(SettingsValues& values, Config& config) : values_(values), config_(config) {}

    void read(const YamlNode& node);
    void read_consent(const YamlNode& node);
    /// Where the file names no channels: one for each usual address, none of which sends.
    void add_sandboxes_unless_read();

    /// Whether there is such a channel, for what names one; after `read`.
    void check(const std::string& name, Place at) const;

private:
    void read_channel(const YamlNode& name, const YamlNode& body);
    /// Every key that some type has and this one has not is a mistake, and so is a missing one.
    void read_type_keys(const MapReader& reader, const ChannelType& type, ChannelConfig& into);
    void read_countries(const YamlNode& node);
    void add_sandbox(const std::string& name, const std::string& address);

    SettingsValues& values_;
    Config& config_;
    std::set<std::string> own_opt_in_, own_confirmation_;
    std::set<const YamlNode*> said_; ///< Keys of other types that were complained about.
    bool is_read_ = false;
};

} // namespace schema
