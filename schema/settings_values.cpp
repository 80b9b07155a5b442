#include "schema/settings_values.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <string>

namespace schema {

MapReader SettingsValues::section(const YamlNode& node, std::string_view name) {
    const auto& all = settings_sections();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Section& one) { return one.name == name; });
    assert(found != all.end());
    return {node, *found, mistakes_};
}

namespace {

/// As a file writes it; of whole seconds.
std::string span_text(journeys::Duration span) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(span).count();
    if (seconds % 3600 == 0) return std::to_string(seconds / 3600) + 'h';
    if (seconds % 60 == 0) return std::to_string(seconds / 60) + 'm';
    return std::to_string(seconds) + 's';
}

} // namespace

const YamlNode* SettingsValues::part(const MapReader& reader, std::string_view key) {
    const auto* node = reader.find(key);
    if (node == nullptr || node->is_empty() || (node->is_list() && node->items.empty()))
        return nullptr;
    return node;
}

void SettingsValues::read_duration(const MapReader& reader, std::string_view key,
                                   journeys::Duration& into, journeys::Duration least) {
    const auto* node = reader.find(key);
    if (node == nullptr) return;
    const auto value = duration(*node);
    if (value && *value < least)
        mistakes_.add(node->at, std::string{key} + " is at least " + span_text(least));
    into = value.value_or(into);
}

Secret SettingsValues::secret(const YamlNode& node, std::string_view what) {
    if (node.is_text() && !node.text.empty()) return Secret{node.text};
    // An unset variable has been said where it was expanded.
    if (!node.is_expanded) mistakes_.add(node.at, "a secret is missing: " + std::string{what});
    return {};
}

void SettingsValues::check_url(const std::string& value, bool is_mail, Place at) {
    if (value.empty()) return;
    const bool is_right = is_mail ? value.starts_with("smtp://") || value.starts_with("smtps://")
                                  : value.starts_with("https://") || value.starts_with("http://");
    if (!is_right)
        mistakes_.add(at, is_mail ? "url begins with smtps:// or smtp://"
                                  : "url begins with https:// or http://");
}

std::string SettingsValues::shown(const YamlNode& node) {
    return node.is_expanded ? "as ${…} gave it" : quoted(node.text);
}

std::string SettingsValues::shown(const std::string& text) const {
    return expanded_.contains(text) ? "as ${…} gave it" : quoted(text);
}

} // namespace schema
