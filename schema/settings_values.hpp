/// What all sections of `config/sojourn.yaml` are read with: values as in every file of ours, and
/// beside them secrets, URLs, and messages that show nothing of what came from outside.
#pragma once

#include "journeys/time.hpp"
#include "schema/settings_yaml.hpp"
#include "schema/yaml_values.hpp"

#include <set>
#include <string>
#include <string_view>

namespace schema {

class SettingsValues : public ValueReader {
public:
    /// `expanded`: what `${…}` gave. Both outlive it.
    SettingsValues(Mistakes& mistakes, const std::set<std::string>& expanded)
        : ValueReader(mistakes), mistakes_(mistakes), expanded_(expanded) {}

    Mistakes& mistakes() { return mistakes_; }

    /// The map `node`, checked against the section of that name.
    MapReader section(const YamlNode& node, std::string_view name);
    /// As `MapReader::find`; nothing where it is empty, too.
    static const YamlNode* part(const MapReader& reader, std::string_view key);
    /// Leaves `into` as it is where the key is absent or wrong.
    void read_duration(const MapReader& reader, std::string_view key, journeys::Duration& into,
                       journeys::Duration least = {});
    /// A value that no message shows; `what` it is, for one that says it is missing.
    Secret secret(const YamlNode& node, std::string_view what);
    /// `is_mail`: of a mail server, else of the web. An empty one has been said elsewhere.
    void check_url(const std::string& value, bool is_mail, Place at);

    /// The value as a message may show it.
    static std::string shown(const YamlNode& node);
    std::string shown(const std::string& text) const;

private:
    Mistakes& mistakes_;
    const std::set<std::string>& expanded_;
};

} // namespace schema
